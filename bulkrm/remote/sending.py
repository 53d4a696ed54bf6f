"""What whoever sends a request that changes something knows of it while it is under way, and how it is taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bulkrm.model.errors import BulkrmError
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import Failure


class Withdrawn(BulkrmError):  # noqa: N818 (it reads as what happened)
    """The request was taken back: while it waited for its slot, or instead of being sent a second time.

    `failure` is what the last send met, if there was one that met more than the want of a token; the `Sending` says
    whether it may have taken effect.
    """

    def __init__(self, failure: Failure | None = None) -> None:
        """Note what the last send met."""
        super().__init__()
        self.failure = failure


class Lookup(Protocol):
    """Finds out what a change came to."""

    async def look(self, met: Failure) -> None:
        """Look before the change is sent again whose last send `met` a failure and may have taken effect.

        What it raises ends the exchange.
        """
        ...


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)  # each is one change, whatever another one says
class Sending:
    """One change while it is made, however often it is sent, and what its sends may have done by now.

    `withdrawn` is asked in the slot, in the last moment before each send: True where what the change rests on grew too
    old, or the run is stopped. What is not `repeatable` is sent once and never again by the client: what it rests on may
    have changed since. Whoever sent it looks anew.
    """

    withdrawn: Callable[[], bool] = _never
    repeatable: bool = True
    effect: Effect = Effect.NONE

    @property
    def is_open(self) -> bool:
        """Tell whether it may be taking effect right now."""
        return self.effect is Effect.OPEN

    @property
    def may_have_acted(self) -> bool:
        """Tell whether it has to be looked up what it came to."""
        return self.effect is not Effect.NONE
