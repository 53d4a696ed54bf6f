"""One change of a registry: whether it may be sent, and what its sends may have done."""

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


class Permission(Protocol):
    """Whether a change may be sent now: asked for right before each send, in its slot, however long the change has waited.

    Once it is lost it does not come back.
    """

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        ...


class Always:
    """The permission of changes that mend or end something half-done: they are sent in a stopped run too."""

    __slots__ = ()

    def holds(self) -> bool:
        """Tell that the change may be sent."""
        return True


ALWAYS = Always()


@dataclass(slots=True, eq=False)  # two changes are never equal
class Sending:
    """One change, from its first send to its last, and what these sends may have done by now.

    `permission`: without it the change is withdrawn, because the facts behind it are too old, or the run is stopped. A change
    that is not `repeatable` is sent once: before a second send the caller has to read those facts again.
    """

    permission: Permission = ALWAYS
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
