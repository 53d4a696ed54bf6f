"""The second judgement of a plan that grew old: only what both would do is done."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import IMAGE_TYPES, Absent, Resolution, Resolved, Unresolved
from bulkrm.model.plan import Delete, Item, Plan, Settled, Untag
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.target import Target


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What is left to do in one repository, and what became of the rest."""

    items: tuple[Item, ...]
    dropped: tuple[Settled, ...]


def touches(deletions: Collection[Digest], found: Resolution) -> bool:
    """Tell whether a tag that is new may change what becomes of these manifests, so that all has to be judged again.

    It does where it leads to one of them, or to something that names one, and it may where that is not known: where it
    cannot be read, where it is no plain image and its bytes were not read, and where it names what may be an index.
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


def recheck(acts: Iterable[Item], fresh: Plan) -> Rechecked:
    """Compare what is to be done in one repository with a fresh plan of it (made without a limit).

    A target stays doomed if the fresh plan deletes the same digest for it, and a tag is removed if the fresh plan does
    away with it one way or the other. One that leads to another digest now is kept as moved, whatever the fresh plan
    thinks of that digest; else the fresh verdict counts.
    """
    now: dict[Target, Item] = {target: item for item in fresh.items for target in item.targets}
    settled = {entry.target: Settled(entry.target, Gone()) for entry in fresh.dangling}
    settled.update({entry.target: entry for entry in fresh.settled})
    items: list[Item] = []
    dropped: list[Settled] = []
    for item in acts:
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
    """Say what became of a target; None: it goes still."""
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
    """Return the tags that would go with the manifest although the first judgement did not know them."""
    return sorted(set(current.tags) - set(item.tags)) if isinstance(item.verdict, Delete) else []


def _updated(item: Item, staying: tuple[Target, ...], current: Item) -> Item:
    """Take over what the fresh item knows of this moment: the tags, and so what else goes."""
    kept = isinstance(item.verdict, Untag) and isinstance(current.verdict, Delete)
    verdict = item.verdict if kept else current.verdict
    return replace(item, targets=staying, verdict=verdict, tags=current.tags, parents=current.parents)
