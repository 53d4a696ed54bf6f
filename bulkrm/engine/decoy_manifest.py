"""One decoy: made and noted before it is pushed, and deleted with all tags that it was pushed over."""

from collections.abc import Sequence
from uuid import uuid4

from bulkrm.client.host import Footprint
from bulkrm.engine.around import Around
from bulkrm.engine.asking import Asking
from bulkrm.model.digest import Digest
from bulkrm.model.effect import Removal
from bulkrm.model.failure import Failure
from bulkrm.model.manifest import Manifest, empty_index
from bulkrm.model.reference import Repository


async def new_decoy(around: Around, repository: Repository, tags: Sequence[str]) -> Manifest:
    """Make a decoy for these tags, and have it noted before it is pushed. Raises StateError."""
    decoy = empty_index(uuid4().hex, around.recorder.run)
    await around.recorder.decoy(repository, tags, decoy)
    around.cleared.look_through(repository, decoy.digest)
    return decoy


async def delete_decoy(asking: Asking, repository: Repository, decoy: Digest) -> Removal | Failure:
    """DELETE a decoy, and with it all tags that it was pushed over."""
    return await asking.of(repository, lambda registry: registry.delete(repository, decoy, Footprint()))
