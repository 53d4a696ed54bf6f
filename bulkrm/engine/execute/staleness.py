"""Decides when facts are too old to delete by, and has them read and judged again.

A registry has no conditional DELETE: between the reading on which a judgement rests and the DELETE that follows from it,
somebody may put a tag on a manifest that is to go, or push an index that names it. That window cannot be closed, but it is kept
short. The theory:

- **What grows old.** For each repository there are two readings: the whole of it (every listed image and every other
  tag, by which it was judged), and its list of tags, which is one request. Each reading has the moment in which it
  *began*, because from then on parts of it may be untrue, and the time that it *took*.
- **How old is too old.** 60 seconds, or five times what the reading took, whichever is longer. Time is counted by the
  clock that says more (`Moment`), so that it also passes while the machine sleeps; what a reading took is counted by the
  monotonic clock, so that sleep in the middle of it grants it no longer life.
  A judgement that somebody's push was seen to contradict is too old at once, where no outcome of its own tells of that push.
- **When it is asked.** Before every change, in the last moment before it is sent, whatever went before: a question, a
  pause of the host, a queue, a token that had to be renewed, a stopped process, other deletions. A request that finds
  its reading too old is withdrawn, and its image judged again.
- **What follows.** A list of tags that is too old is read again. New names in it are read too; where one of them leads to
  a manifest that is to go, or to an index that may name one, or cannot be read, and where the whole reading is too old,
  the repository is read and judged again. Only what *all* judgements delete is deleted: a judgement takes up what the
  one before it has left.
- **Why it ends.** A reading that took t seconds is good for 5 t from its beginning, so at least 4 t (and 48 seconds) are
  left for deletions after each: reading again takes a fifth of a repository's time at most. Only a pause or sleep that
  is longer than that can use up a judgement with nothing deleted; the engine counts those and gives the image up.

What it does not cover: the time from the last reading to the DELETE. A tag that moves from another manifest to one
that is to go keeps its name, so only the whole reading sees it. What is put on a manifest after the last reading goes with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import anyio

from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.reading import Basis, Rereader
from bulkrm.engine.stop import Stop
from bulkrm.model.grouping import by_repository
from bulkrm.model.plan import Item, Settled
from bulkrm.model.reference import Repository
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.image_state import Judgement
from bulkrm.remote.clock import Clock, Moment


@valueclass
class _Judged:
    """The newest judgement of a repository. `items`: what it still deletes (None: all that the plan deletes).

    `untrue`: something in the repository was seen to be otherwise, so it is too old whatever its age.
    """

    basis: Basis
    items: Mapping[Target, Item] | None
    dropped: Mapping[Target, Settled]
    untrue: bool = False


class Staleness:
    """Tells whether what a repository was judged by is too old, and keeps the newest judgement of each repository of a run."""

    def __init__(self, changed: Sequence[Item], rereader: Rereader, clock: Clock, outcomes: ItemOutcomes) -> None:
        """Track the items to carry out, `changed`. `outcomes` knows which of their targets are still open."""
        self._rereader = rereader
        self._clock = clock
        self._outcomes = outcomes
        self._changed = by_repository(changed)
        self._judged: dict[Repository, _Judged] = {}
        self._locks: dict[Repository, anyio.Lock] = {}

    def is_stale(self, repository: Repository) -> bool:
        """Tell whether a repository has to be read again before anything in it is changed."""
        judged = self._of(repository)
        return judged.untrue or judged.basis.is_stale(Moment.now(self._clock))

    def note_untrue(self, repository: Repository) -> None:
        """Note that a repository was seen to be otherwise than it was judged: it is read and judged again before any change."""
        self._judged[repository] = replace(self._of(repository), untrue=True)

    async def judge_anew_if_stale(self, item: Item) -> Judgement:
        """Return what the newest judgement says of an item, after a new one if that is too old.

        The caller records what it drops. Where no new one can be made, because the run was stopped or the host is not asked
        any more, an empty judgement is returned: it deletes nothing and drops nothing.
        """
        repository = item.repository
        if self.is_stale(repository):
            async with self._locks.setdefault(repository, anyio.Lock()):
                if self.is_stale(repository) and not await self._renew(repository):
                    return Judgement(None)
        judged = self._of(repository)
        if judged.items is None:
            return Judgement(self._still_open(item))
        dropped = (judged.dropped.get(target) for target in self._outcomes.open_targets(item))
        going = next((judged.items[target] for target in item.targets if target in judged.items), None)
        left = self._still_open(going) if going is not None else None
        return Judgement(left, tuple(settled for settled in dropped if settled is not None))

    def _of(self, repository: Repository) -> _Judged:
        judged = self._judged.get(repository)
        if judged is None:
            judged = self._judged[repository] = _Judged(self._rereader.basis(repository), None, {})
        return judged

    def _still_open(self, item: Item) -> Item | None:
        """Return an item without the targets that have an outcome by now, for instance from an earlier step; None: all have."""
        left = self._outcomes.open_targets(item)
        if left == item.targets:
            return item
        return replace(item, targets=left) if left else None

    async def _renew(self, repository: Repository) -> bool:
        """Read again what is too old, and judge again where that matters; False: that cannot be done any more."""
        judged = self._of(repository)
        changed = [left for item in self._left(repository, judged) if (left := self._still_open(item)) is not None]
        if not judged.untrue and not judged.basis.is_spent(Moment.now(self._clock)):
            listed = await self._rereader.list_again(repository, changed, judged.basis)
            if listed is None:
                return False
            if not listed.touches:
                self._judged[repository] = replace(judged, basis=listed.basis)
                return True
        fresh = await self._rereader.judge_again(repository, changed)
        if fresh is None:
            return False
        items = {target: item for item in fresh.result.items for target in item.targets}
        dropped = {settled.target: settled for settled in fresh.result.dropped}
        self._judged[repository] = _Judged(fresh.basis, items, {**judged.dropped, **dropped})
        return True

    def _left(self, repository: Repository, judged: _Judged) -> Sequence[Item]:
        """Return what the newest judgement leaves of a repository, each item once."""
        if judged.items is None:
            return self._changed[repository]
        return list({id(item): item for item in judged.items.values()}.values())


@valueclass
class WhileFresh:
    """The permission to send a change (`remote.sending.Permission`) until the run is stopped, or it has to be judged again."""

    stop: Stop
    staleness: Staleness
    repository: Repository

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        return not self.stop and not self.staleness.is_stale(self.repository)
