"""The outcomes of an item's targets after its removal, by the state of the tags that should be gone.

Pure: `bulkrm.model.result.effect` has the theory, `bulkrm.engine.execute.pending_proofs` reads the tags.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bulkrm.model.plan import Delete, Item, Untag
from bulkrm.model.reference import TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import FIND_OUT, Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome, Untagged
from bulkrm.model.target import Target
from bulkrm.model.text.layout import MOST_IN_A_ROW, listed
from bulkrm.planning.tag_state import GONE, TagLook, TagState


def outcomes(item: Item, removal: Removal, looks: Mapping[str, TagLook]) -> Iterator[tuple[Target, Outcome]]:
    """Yield the outcome of each target of an item whose manifest is gone, or whose tags were removed.

    `looks`: the state of its tags; one that is missing there is gone. The outcome of a listed tag depends on that tag and
    on the unlisted ones: an unlisted tag that remains keeps the image, so that no target is deleted.
    """
    unlisted = {tag: look for tag, look in looks.items() if not item.targets_naming(tag)}
    for target in item.targets:
        tag = target.reference.tag if isinstance(target.reference, TagRef) else None
        own = {tag: looks.get(tag, GONE)} if tag is not None else looks
        yield target, _outcome(item, removal, {**unlisted, **own}, looks.get(tag, GONE) if tag is not None else GONE)


def _outcome(item: Item, removal: Removal, telling: Mapping[str, TagLook], own: TagLook) -> Outcome:
    left = [tag for tag, look in telling.items() if look.state.remains]
    if left:
        failure = remaining(item, left, served=any(telling[tag].state is TagState.SERVES for tag in left))
        gone = [name for name in _also(item) if telling.get(name.rpartition(":")[2], GONE).state is TagState.GONE]
        more = f"; unlisted tags that are gone: {listed(gone, MOST_IN_A_ROW)}" if gone else ""
        return Failed(replace(failure, message=failure.message + more))
    unknown = next((look.held for look in telling.values() if isinstance(look.held, Failure)), None)
    if unknown is None and any(look.state is TagState.UNPROVED for look in telling.values()):
        unknown = _NOT_LISTED
    if unknown is not None:
        return Failed(unknown_effect(unknown))
    if own.state is TagState.MOVED:
        return Kept(KeptReason.MOVED, tuple(_moved(item, telling)))
    return done(item, removal, telling)


def _also(item: Item) -> Sequence[str]:
    """Return the tags that go with a manifest and that the list does not name, in full form, as far as they were read."""
    return (item.verdict.also_removed or ()) if isinstance(item.verdict, Delete) else ()


def _moved(item: Item, telling: Mapping[str, TagLook]) -> Iterator[str]:
    for tag, look in telling.items():
        if look.state is TagState.MOVED and item.targets_naming(tag):
            yield f"{item.repository}:{tag}@{look.held}"


def done(item: Item, removal: Removal, looks: Mapping[str, TagLook] | None = None) -> Outcome:
    """Return the outcome of a target whose manifest, or tag, is gone. `looks`: the state of the manifest's tags, if read."""
    if isinstance(item.verdict, Untag):
        return Untagged(item.verdict.remaining_tags)
    if removal is Removal.WAS_GONE:
        return Gone()
    also = item.verdict.also_removed if isinstance(item.verdict, Delete) else ()
    if also and looks:
        pushed = {f"{item.repository}:{tag}" for tag, look in looks.items() if look.state is TagState.MOVED}
        also = tuple(name for name in also if name not in pushed)
    return Deleted(also) if also != () else _DELETED


def remaining(item: Item, tags: list[str], *, served: bool) -> Failure:
    """Return the failure for tags that were not removed; `served`: one of them still serves the manifest."""
    names = listed([f"{item.repository}:{tag}" for tag in tags], MOST_IN_A_ROW)
    if served:
        what = f"the registry deleted the manifest and not its tags: it still serves {names}"
        return Failure(FailureCode.TAGS_REMAIN, what, None, REMAIN, unfinished=True)
    what = f"the registry stopped half-way: it still lists {names}, which lead nowhere until somebody pushes the image again"
    return Failure(FailureCode.UNFINISHED, what, None, _HALF_WAY, unfinished=True)


def unknown_effect(cause: Failure) -> Failure:
    """Return the failure of a deletion whose effect could not be looked up, because of `cause`."""
    what = f"the DELETE was sent, and its effect is not known: {cause.message}"
    return Failure(FailureCode.UNCONFIRMED, what, cause.status, FIND_OUT)


def naming_unlisted(item: Item, outcome: Outcome) -> Outcome:
    """Return an outcome of an item; where it is not known whether its manifest is gone, it names the tags that went along then.

    The list does not name those, so no other line tells of them.
    """
    also = _also(item)
    if not also or not isinstance(outcome, Failed) or outcome.failure.code is not FailureCode.UNCONFIRMED:
        return outcome
    what = f"{outcome.failure.message}; unlisted tags that may be gone: {listed(also, MOST_IN_A_ROW)}"
    return Failed(replace(outcome.failure, message=what))


REMAIN = "delete the tags with the registry's own tool or web page; `bulkrm undo` makes the image whole again"
_HALF_WAY = (
    "`bulkrm resume` tries again; where the registry deletes no tags, it needs --allow-decoy in a run of its own: list the "
    "tags there once more"
)
_NOT_LISTED = Failure(FailureCode.UNCONFIRMED, "a tag answers nothing, and the tag list was not read after that")
_DELETED = Deleted()
