"""A change under way: whether it is withdrawn, and what its sends may have done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bulkrm.model.errors import BulkrmError
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import Failure


class Withdrawn(BulkrmError):  # noqa: N818 (it reads as what happened)
    """Ends an exchange whose sending was taken back before it went out, or before it went out again.

    It carries no result: the `Sending`, which its maker holds, has the effect of what was sent before.
    """

    def __init__(self, failure: Failure | None = None) -> None:
        """`failure`: that of the last send; None: there was none, or it only lacked a token."""
        super().__init__()
        self.failure = failure


class Lookup(Protocol):
    """Finds out what a change came to."""

    async def look(self, met: Failure) -> None:
        """Look up a change before it is sent again, as it may have taken effect; `met`: the failure of its last send.

        An exception ends the exchange.
        """
        ...


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)  # two changes are never equal
class Sending:
    """One change, from its first send to its last, and what these sends may have done by now.

    `withdrawn` is asked in the slot, in the last moment before each send: True if the facts behind the change grew too old,
    or the run is stopped. A change that is not `repeatable` is sent once: before a second send the caller has to read again
    what it rests on.
    """

    withdrawn: Callable[[], bool] = _never
    repeatable: bool = True
    effect: Effect = Effect.NONE

    @property
    def is_open(self) -> bool:
        """Tell whether a send may be taking effect right now."""
        return self.effect is Effect.OPEN

    @property
    def may_have_acted(self) -> bool:
        """Tell whether a send may have taken effect, so that the change has to be looked up."""
        return self.effect is not Effect.NONE
