"""The result of a run, as the reports show it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.outcome import Outcome, Status
from bulkrm.model.target import Source


@dataclass(frozen=True, slots=True)
class ImageResult:
    """One line of the report. `image` is the full normal form, or the pattern that chose nothing."""

    image: str
    outcome: Outcome
    source: Source | None = None
    digest: Digest | None = None
    media_type: str | None = None
    note: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Which run it was. `started` is UTC; `seconds` how long it took."""

    id: str
    started: datetime
    seconds: float
    dry_run: bool
    version: str


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests were sent, retries included."""

    registry: int = 0
    token: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: the images in the order of the list, glob matches sorted."""

    run: RunInfo
    images: tuple[ImageResult, ...]
    requests: Requests = field(default_factory=Requests)
    closing: tuple[str, ...] = ()

    @property
    def summary(self) -> Mapping[Status, int]:
        """How many images have each status; every status is a key, and the values add up to the number of images."""
        counts = Counter(result.outcome.status for result in self.images)
        return {status: counts[status] for status in Status}
