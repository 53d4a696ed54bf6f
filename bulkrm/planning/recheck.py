"""Compares a stale plan with a fresh judgement: only what both delete is deleted."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import IMAGE_TYPES, Absent, Resolution, Resolved, Unresolved
from bulkrm.model.plan import Delete, Item, Plan, Settled, Untag
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass


@valueclass
class Rechecked:
    """The result for one repository: the items that are still carried out, and the outcomes of all other targets.

    `dropped` has one entry for each target that is not in `items` any more.
    """

    items: tuple[Item, ...]
    dropped: tuple[Settled, ...]


def may_affect(deletions: Collection[Digest], found: Resolution) -> bool:
    """Tell whether a new tag may change the verdict on these manifests, so that the repository must be judged again.

    `found` is the manifest that the tag leads to. It may change the verdict if it is one of `deletions` or names one, if
    it could not be read, or if it could be an index whose children are not known.
    """
    match found:
        case Absent():
            return False
        case Unresolved():
            return True
        case Resolved(digest, media_type, children=children):
            if digest in deletions or children is None:
                return digest in deletions or media_type not in IMAGE_TYPES
            return bool(children.indexes) or not set(deletions).isdisjoint(children.needed)


def recheck(changed: Iterable[Item], fresh: Plan) -> Rechecked:
    """Compare the items to carry out in one repository with a fresh plan of it, which was made without a limit.

    A target is still deleted if the fresh plan deletes the same digest for it, and a tag is still removed if the fresh
    plan removes it in one way or the other. A target that leads to another digest now is kept as moved, whatever the
    fresh verdict on that digest is. All others get the fresh verdict.
    """
    now: dict[Target, Item] = {target: item for item in fresh.items for target in item.targets}
    settled = {entry.target: Settled(entry.target, Gone()) for entry in fresh.dangling}
    settled.update({entry.target: entry for entry in fresh.settled})
    items: list[Item] = []
    dropped: list[Settled] = []
    for item in changed:
        staying: list[Target] = []
        for target in item.targets:
            outcome = settled[target].outcome if target in settled else _outcome(item, now[target])
            if outcome is None:
                staying.append(target)
            else:
                dropped.append(Settled(target, outcome))
        if staying:
            new = _new_tags(item, now[staying[0]])
            if new:
                kept = Kept(KeptReason.SHARED, tuple(f"{item.repository}:{tag}" for tag in new))
                dropped += (Settled(target, kept) for target in staying)
                continue
            items.append(_updated(item, tuple(staying), now[staying[0]]))
    return Rechecked(tuple(items), tuple(dropped))


def _outcome(item: Item, current: Item) -> Gone | Failed | Kept | None:
    """Return the outcome of a target; None: it is still deleted or untagged."""
    if current.digest != item.digest:
        return Kept(KeptReason.MOVED, (f"{item.repository}@{current.digest}",))
    match item.verdict, current.verdict:
        case _, (Kept() | Failed()) as verdict:
            return verdict
        case Delete(), Untag(remaining_tags):
            return Kept(KeptReason.SHARED, remaining_tags)
        case _:
            return None


def _new_tags(item: Item, current: Item) -> list[str]:
    """Return the tags of a manifest to delete that the stale plan did not know, sorted."""
    return sorted(set(current.tags) - set(item.tags)) if isinstance(item.verdict, Delete) else []


def _updated(item: Item, staying: tuple[Target, ...], current: Item) -> Item:
    """Return the item with the tags, parents and verdict of the fresh one."""
    kept = isinstance(item.verdict, Untag) and isinstance(current.verdict, Delete)
    verdict = item.verdict if kept else current.verdict
    return replace(item, targets=staying, verdict=verdict, tags=current.tags, parents=current.parents)
