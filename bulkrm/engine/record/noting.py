"""Outcomes reach the record before anybody else hears of them."""

from collections.abc import Callable

from bulkrm.model.events import Event, EventListener, ImageSettled
from bulkrm.model.result.report import ImageResult


def noting(note: Callable[[ImageResult], None], tell: EventListener) -> EventListener:
    """Return a listener that has every outcome noted first, and passes all events on."""

    def hear(event: Event) -> None:
        if isinstance(event, ImageSettled):
            note(event.result)
        tell(event)

    return hear
