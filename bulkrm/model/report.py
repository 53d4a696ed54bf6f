"""The result of a run, as the reports show it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.outcome import Kept, Outcome, Signal, Status, exit_code
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
class Difference:
    """Something that was to stay and is not as it was. `found` None: gone, or unreadable; `hint` undoes it."""

    image: str
    expected: Digest
    found: Digest | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at the kept tags found; `checked`: how many tags and manifests were read."""

    checked: int
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: the images in the order of the list, glob matches sorted; each may be made anew when it is asked for.

    `orphans`: how many manifests and tags stay behind that nothing needs any more, as far as that was seen.
    """

    run: RunInfo
    images: Sequence[ImageResult]
    requests: Requests = field(default_factory=Requests)
    closing: tuple[str, ...] = ()
    orphans: int = 0
    verification: Verification | None = None

    @property
    def summary(self) -> Mapping[Status, int]:
        """How many images have each status; every status is a key, and the values add up to the number of images."""
        counts = Counter(result.outcome.status for result in self.images)
        return {status: counts[status] for status in Status}

    @property
    def broken(self) -> bool:
        """Tell whether the look at the kept tags found a difference."""
        return self.verification is not None and bool(self.verification.differences)

    def exit_code(self, signal: Signal | None = None) -> int:
        """Return the exit code of the contract. What the list did not name and was kept does not count as kept."""
        counted = (
            result.outcome for result in self.images if result.parent is None or not isinstance(result.outcome, Kept)
        )
        code = exit_code(counted, signal)
        return 1 if self.broken and code in (0, 3) else code
