"""When a repository was read, and what it takes to read it again; `engine.execute.staleness` has the theory.

`plan` reads a repository and notes when, `execute` asks whether that is too old to delete by.
"""

from collections.abc import Sequence
from typing import Protocol

from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.recheck import Rechecked
from bulkrm.remote.clock import Moment

STALE = 60.0  # seconds
_SHARE = 5  # a reading is good for so many times what it took


@valueclass
class Reading:
    """When something was read. `took`: seconds of work, in which the machine did not sleep."""

    began: Moment
    took: float

    def is_stale(self, now: Moment, ahead: float = 0.0) -> bool:
        """Tell whether it is too old to delete by, or will be so many seconds later."""
        return self.began.until(now) + ahead > max(STALE, _SHARE * self.took)


@valueclass
class Basis:
    """The readings of a repository that a judgement rests on. `names`: the tags that were listed.

    `listing` None: the tags were not listed, as the user asked, and are not looked at later either.
    """

    whole: Reading
    listing: Reading | None
    names: Sequence[str] = ()

    def is_stale(self, now: Moment) -> bool:
        """Tell whether anything of it is too old."""
        return self.whole.is_stale(now) or (self.listing is not None and self.listing.is_stale(now))

    def is_spent(self, now: Moment) -> bool:
        """Tell whether reading the list of tags alone would come too late: all of it is too old then."""
        return self.whole.is_stale(now, self.listing.took if self.listing is not None else 0.0)


@valueclass
class Rejudged:
    """What a fresh judgement leaves of what was to go."""

    result: Rechecked
    basis: Basis


@valueclass
class Relisted:
    """A fresh list of tags. `touches`: a new name in it has to do with something that is to go, or may have."""

    basis: Basis
    touches: bool


class Rereader(Protocol):
    """Reads repositories again. They return None where the run was stopped meanwhile, or the host is not asked any more."""

    def basis(self, repository: Repository) -> Basis:
        """Return the readings that the plan rests on."""
        ...

    async def list_again(self, repository: Repository, changed: Sequence[Item], basis: Basis) -> Relisted | None:
        """Read the list of tags, and the names in it that are new."""
        ...

    async def judge_again(self, repository: Repository, changed: Sequence[Item]) -> Rejudged | None:
        """Read and judge the repository as far as it matters for these items."""
        ...
