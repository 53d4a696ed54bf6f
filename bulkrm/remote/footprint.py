"""What whoever sends a request knows of it while it is under way, and how it is taken back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bulkrm.model.errors import BulkrmError
from bulkrm.model.result.failure import Failure


class Withdrawn(BulkrmError):  # noqa: N818 (it reads as what happened)
    """The request was taken back: while it waited for its turn, or instead of being sent a second time.

    `failure` is what the one send met, if there was one that met more than the want of a token; the footprint says
    whether it may have taken effect.
    """

    def __init__(self, failure: Failure | None = None) -> None:
        """Note what the last send met."""
        super().__init__()
        self.failure = failure


# Looks at what a request was to do which may have taken effect, before it is sent again; gets what the last send met.
Look = Callable[[Failure], Awaitable[None]]


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)  # each is one request's own, whatever another one's says
class Footprint:
    """Whether a request may have taken effect by now: for whoever is cancelled in the middle of one.

    `withdrawn` is asked in the last moment before a send, so that a stopped run starts nothing that waited. What is not
    `repeatable` is sent once and never again: what it rests on may have changed since. After everything that makes
    other requests try again it is taken back, and whoever sent it looks anew. `limited`: a send was answered by a limit,
    behind which a proxy may hide an effect: nothing is under way, and a 404 that follows is no proof that it was not us.
    """

    possible: bool = False
    limited: bool = False
    withdrawn: Callable[[], bool] = _never
    repeatable: bool = True

    @property
    def doubtful(self) -> bool:
        """Tell whether it has to be looked up what the request came to."""
        return self.possible or self.limited
