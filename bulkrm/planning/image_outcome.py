"""The outcome of an image by what became of its manifest, where this run removed a tag of it ahead of the manifest.

Pure: `bulkrm.engine.removed_ahead` knows the removed tags and what each held. Whoever records the outcome of an image whose tag
may have been removed ahead asks here:

===============================  ==========================================  =========================================
its manifest                     named by the tag that is gone               named by digest, and a tag of it is gone
===============================  ==========================================  =========================================
was gone                         `Deleted`: this run removed the tag         `Deleted`
is kept, as the tag moved        the same                                    the same
is kept for any other reason     `Untagged`                                  the same: the list does not name the tag
failed                           `Failed`, unfinished                        `Failed`, unfinished
was not attempted                `Failed`, unfinished                        `Failed`, unfinished
has any other outcome            the same                                    the same
===============================  ==========================================  =========================================
"""

from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.reference import DigestRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, NotAttempted, Outcome, Untagged
from bulkrm.model.target import Target


def image_outcome(target: Target, manifest: Outcome, lost: Digest | None) -> Outcome:
    """Return the outcome of an image; `lost`: the digest that its removed tag held, None if no tag of it was removed ahead."""
    if lost is None:
        return manifest
    named = f"{target.reference.repository}@{lost}"
    match manifest:
        case Gone():
            return Deleted()
        case Kept(reason, because):
            stays = reason is KeptReason.MOVED or isinstance(target.reference, DigestRef)
            return manifest if stays else Untagged(because)
        case NotAttempted():
            return Failed(_unfinished(named))
        case Failed(failure):
            hint = f"{failure.hint}; " if failure.hint else ""
            hint += f"then `bulkrm resume` deletes {named}, or `bulkrm undo` puts the tag back"
            what = f"{failure.message}; the tag is gone already"
            return Failed(replace(failure, message=what, hint=hint, unfinished=True))
        case _:
            return manifest


def _unfinished(named: str) -> Failure:
    what = (
        f"the run ended between the tag and its manifest {named}: the tag is gone, or holds an empty index of bulkrm's"
    )
    return Failure(FailureCode.UNFINISHED, what, None, "`bulkrm resume` goes on, `bulkrm undo` puts the tag back")
