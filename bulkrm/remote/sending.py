"""One change of a registry: whether it is withdrawn, and what its sends may have done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bulkrm.model.errors import BulkrmError
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import Failure


class Withdrawn(BulkrmError):  # noqa: N818 (it reads as what happened)
    """Ends the exchange of a change that was withdrawn before it was sent, or before it was sent again.

    It is no result and has no effect of its own: the `Sending`, which its maker holds, says what earlier sends may have done.
    """

    def __init__(self, failure: Failure | None = None) -> None:
        """`failure`: that of the last send; None: it was not sent, or the answer was a 401."""
        super().__init__()
        self.failure = failure


class Lookup(Protocol):
    """Finds out whether a change took effect."""

    async def look(self, last_failure: Failure) -> None:
        """Look up a change that may have taken effect, before it is sent again. `last_failure`: that of its last send.

        An exception ends the exchange.
        """
        ...


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)  # two changes are never equal
class Sending:
    """One change, from its first send to its last, and what these sends may have done by now.

    `withdrawn`: called in the slot, right before each send; it returns True if the facts behind the change are too old, or
    the run is stopped. A change that is not `repeatable` is sent once: before a second send the caller has to read those
    facts again.
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
