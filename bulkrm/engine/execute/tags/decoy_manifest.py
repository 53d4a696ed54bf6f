"""One decoy: made and noted before it is pushed, and deleted with all tags that it was pushed over."""

from collections.abc import Sequence
from uuid import uuid4

from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Manifest, empty_index
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure
from bulkrm.remote.sending import Sending


async def new_decoy(context: RunContext, repository: Repository, tags: Sequence[str]) -> Manifest:
    """Make a decoy for these tags, and have it noted before it is pushed. Raises StateError."""
    decoy = empty_index(uuid4().hex, context.recorder.run)
    await context.recorder.decoy(repository, tags, decoy)
    context.removed_ahead.look_through(repository, decoy.digest)
    return decoy


async def delete_decoy(gateway: Gateway, repository: Repository, decoy: Digest) -> Removal | Failure:
    """DELETE a decoy, and with it all tags that it was pushed over."""
    return await gateway.call(repository, lambda registry: registry.delete(repository, decoy, Sending()))
