"""One image under two tags of a list, in several states, for tests of the next step."""

from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Settled
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.target import Source, Target

APP = Repository("registry.example", "team/app")


def image(*tags: str) -> Item:
    """Return an item to delete, with these tags, all of which the list names."""
    targets = tuple(Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate(tags, 1))
    return Item(APP, Resolved(Digest.of("".join(tags).encode()), OCI_MANIFEST, 3), targets, Delete(), tags)


ITEM = image("a", "b")
A, B = ITEM.targets
LEFT = replace(ITEM, targets=(A,), tags=("a",))  # what a judgement leaves of it that drops its other tag, which moved
INDEX = Digest.of(b"an index")

MOVED = (Settled(B, Kept(KeptReason.MOVED)),)
ALL_MOVED = (Settled(A, Kept(KeptReason.MOVED)), *MOVED)
NEEDED = Kept(KeptReason.NEEDED, (f"{APP}@{INDEX}",))
REFUSED = Failure(FailureCode.NOT_PERMITTED, "HTTP 403", 403)
BROKEN = Failure(FailureCode.SERVER_ERROR, "HTTP 502", 502)  # trouble of the host
BARRED = Failed(REFUSED)
