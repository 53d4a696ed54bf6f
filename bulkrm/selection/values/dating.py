"""When an image was built or pushed, as far as that can be relied on."""

from datetime import datetime, timedelta
from enum import StrEnum

from bulkrm.model.details import Details
from bulkrm.selection.selector import Fact

_AHEAD = timedelta(hours=24)  # of a clock that is wrong by a time zone; more is no date


class By(StrEnum):
    """Which moment of an image counts."""

    CREATED = "created"
    PUSHED = "pushed"


class Undated(StrEnum):
    """What becomes of an image without a date."""

    KEEP = "keep"
    DELETE = "delete"


FACTS = {By.CREATED: Fact.CREATED, By.PUSHED: Fact.PUSHED}


def moment(details: Details, by: By, now: datetime) -> datetime | None:
    """Return the date of an image; None: it has none, or one that cannot be right."""
    found = details.created if by is By.CREATED else details.pushed
    return None if found is None or found - now > _AHEAD else found
