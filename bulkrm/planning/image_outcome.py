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

A registry that wants a manifest without tags loses tags too that the list does not name (`Unlisted`). They have no line of
their own, so those of their image name them, in the message of a failure or as removed along.

Where nobody has seen whether the tag is gone (`MayBeGone`, `UnderDecoy`), no message says that it is, and one that names an
image which is kept is `Failed`, unfinished, in place of `Untagged`.
"""

from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.reference import DigestRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, NotAttempted, Outcome, Untagged
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass


@valueclass
class Unlisted:
    """The tags of a manifest, in full form, that went ahead of it and that the list does not name: `gone`, or in doubt."""

    gone: tuple[str, ...] = ()
    in_doubt: tuple[str, ...] = ()


_NO_OTHERS = Unlisted()


@valueclass
class MayBeGone:
    """A tag that held this manifest; its DELETE may have taken effect, and no reading has told since."""

    held: Digest
    unlisted: Unlisted = _NO_OTHERS


@valueclass
class UnderDecoy:
    """A tag that held this manifest; a decoy of this run may be over it, and may be deleted by now."""

    held: Digest
    unlisted: Unlisted = _NO_OTHERS


@valueclass
class GoneAhead:
    """A tag that held this manifest and is gone, and how that is known."""

    held: Digest
    removal: Removal
    unlisted: Unlisted = _NO_OTHERS


RemovedTag = MayBeGone | UnderDecoy | GoneAhead


def image_outcome(target: Target, manifest: Outcome, removed: RemovedTag | None) -> Outcome:
    """Return the outcome of an image. `removed`: its tag, or one of its digest, if that was removed ahead; None: none was."""
    if removed is None:
        return manifest
    named = f"{target.reference.repository}@{removed.held}"
    match manifest:
        case Gone():
            return Deleted(removed.unlisted.gone)
        case Kept(reason) if reason is not KeptReason.MOVED and not isinstance(target.reference, DigestRef):
            return _without_tag(manifest, named, removed)
        case NotAttempted():
            return _unfinished(f"the run ended between the tag and its manifest {named}", removed)
        case Failed(failure):
            hint = f"{failure.hint}; " if failure.hint else ""
            hint += f"then `bulkrm resume` deletes {named}, or `bulkrm undo` puts the tag back"
            what = f"{failure.message}; the tag {_state(removed)}{and_others(removed.unlisted)}"
            return Failed(replace(failure, message=what, hint=hint, unfinished=True))
        case _:
            return manifest


def _without_tag(kept: Kept, named: str, removed: RemovedTag) -> Outcome:
    return Untagged(kept.because) if isinstance(removed, GoneAhead) else _unfinished(f"{named} is kept", removed)


def _state(removed: RemovedTag) -> str:
    match removed:
        case GoneAhead():
            return "is gone already"
        case UnderDecoy():
            return "may be gone already, or hold an empty index of bulkrm's"
        case MayBeGone():
            return "may be gone already"


def and_others(unlisted: Unlisted) -> str:
    """Return the end of a message that names the unlisted tags which are gone, or may be."""
    text = f"; unlisted tags that are gone already: {', '.join(unlisted.gone)}" if unlisted.gone else ""
    return text + (f"; unlisted tags that may be gone: {', '.join(unlisted.in_doubt)}" if unlisted.in_doubt else "")


def _unfinished(why: str, removed: RemovedTag) -> Failed:
    what = f"{why}: the tag {_state(removed)}{and_others(removed.unlisted)}"
    return Failed(
        Failure(FailureCode.UNFINISHED, what, None, "`bulkrm resume` goes on, `bulkrm undo` puts the tag back")
    )
