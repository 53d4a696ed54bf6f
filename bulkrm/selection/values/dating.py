"""The date of an image that conditions use: when it was built or pushed."""

from datetime import datetime, timedelta
from enum import StrEnum

from bulkrm.model.manifests.details import Details
from bulkrm.selection.selector import Fact

_AHEAD = timedelta(hours=24)  # a clock may be wrong by a time zone; a date farther ahead is ignored


class DateKind(StrEnum):
    """Which date of an image counts."""

    CREATED = "created"
    PUSHED = "pushed"


class Undated(StrEnum):
    """Whether an image without a date is kept, or counts as the oldest."""

    KEEP = "keep"
    DELETE = "delete"


FACTS = {DateKind.CREATED: Fact.CREATED, DateKind.PUSHED: Fact.PUSHED}


def date_of(details: Details, by: DateKind, now: datetime) -> datetime | None:
    """Return the date of an image; None: it is not known, or more than 24 hours after `now`."""
    found = details.created if by is DateKind.CREATED else details.pushed
    return None if found is None or found - now > _AHEAD else found
