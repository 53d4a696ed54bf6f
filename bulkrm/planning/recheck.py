"""The second judgement of a plan that grew old: only what both would delete is deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bulkrm.model.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.plan import Doomed, Item, Plan, Settled
from bulkrm.model.target import Target


@dataclass(frozen=True, slots=True)
class Recheck:
    """What is left to delete of one repository, and what became of the rest."""

    items: tuple[Item, ...]
    dropped: tuple[Settled, ...]


def recheck(doomed: Iterable[Item], fresh: Plan) -> Recheck:
    """Compare the doomed items of one repository with a fresh plan of it (made without a limit).

    A target stays doomed if the fresh plan deletes the same digest for it. One that leads to another digest now is
    kept as moved, whatever the fresh plan thinks of that digest; else the fresh verdict counts.
    """
    now: dict[Target, Item] = {target: item for item in fresh.items for target in item.targets}
    settled: Mapping[Target, Settled] = {entry.target: entry for entry in fresh.settled}
    items: list[Item] = []
    dropped: list[Settled] = []
    for item in doomed:
        staying: list[Target] = []
        for target in item.targets:
            outcome = settled[target].outcome if target in settled else _outcome(item, now[target])
            if outcome is None:
                staying.append(target)
            else:
                dropped.append(Settled(target, outcome))
        if staying:
            new = sorted(set(now[staying[0]].tags) - set(item.tags))
            if new:
                kept = Kept(KeptReason.SHARED, tuple(f"{item.repository}:{tag}" for tag in new))
                dropped += (Settled(target, kept) for target in staying)
                continue
            # The fresh item knows the tags of this moment, and so what else goes.
            current = now[staying[0]]
            items.append(replace(item, targets=tuple(staying), verdict=current.verdict, tags=current.tags))
    return Recheck(tuple(items), tuple(dropped))


def _outcome(item: Item, current: Item) -> Gone | Failed | Kept | None:
    """Say what became of a target; None: still doomed."""
    if current.digest != item.digest:
        return Kept(KeptReason.MOVED, (f"{item.repository}@{current.digest}",))
    return None if isinstance(current.verdict, Doomed) else current.verdict
