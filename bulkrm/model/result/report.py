"""The result of a run, as the reports show it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from bulkrm.model.digest import Digest
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Kept, Outcome, Signal, Status, exit_code
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
    """Something that is not as it should be. `expected` None: it was to be gone; `hint` mends it.

    `found` None: gone, or unreadable.
    """

    image: str
    expected: Digest | None
    found: Digest | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at the kept tags found, and at what was deleted; `checked`: how many kept tags and manifests were read."""

    checked: int
    differences: tuple[Difference, ...] = ()


_UNFINISHED = frozenset({FailureCode.UNFINISHED, FailureCode.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Tally:
    """What the images amount to, counted in one pass: there may be hundreds of thousands, each made when asked for.

    `summary`: how many have each status; every status is a key, and the values add up to the number of images. `code`:
    the exit code they lead to by themselves. `unfinished`: of how many it is not known what became of them, or that
    they lost their tag and not their manifest: what `resume` looks into.
    """

    summary: Mapping[Status, int]
    code: int
    unfinished: int

    @classmethod
    def of(cls, images: Iterable[ImageResult]) -> Self:
        """Count. What the list did not name and was kept does not count as kept for the exit code."""
        summary = dict.fromkeys(Status, 0)
        telling: set[Outcome] = set()
        unfinished = 0
        for result in images:
            outcome = result.outcome
            summary[outcome.status] += 1
            if isinstance(outcome, Failed):
                unfinished += outcome.failure.unfinished or outcome.failure.code in _UNFINISHED
            if not (isinstance(outcome, Deleted) or (isinstance(outcome, Kept) and result.parent is not None)):
                telling.add(outcome)
        return cls(summary, exit_code(telling), unfinished)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: the images in the order of the list, glob matches sorted.

    `explained`: what every rule says of the images that were asked about. `orphans`: how many manifests and tags stay behind that nothing needs any more, as far as that was seen.
    """

    run: RunInfo
    images: Sequence[ImageResult]
    requests: Requests = field(default_factory=Requests)
    closing: tuple[str, ...] = ()
    orphans: int = 0
    verification: Verification | None = None
    explained: tuple[str, ...] = ()
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        """Count."""
        object.__setattr__(self, "tally", Tally.of(self.images))

    @property
    def summary(self) -> Mapping[Status, int]:
        """How many images have each status."""
        return self.tally.summary

    @property
    def broken(self) -> bool:
        """Tell whether the look at the kept tags found a difference."""
        return self.verification is not None and bool(self.verification.differences)

    def exit_code(self, signal: Signal | None = None) -> int:
        """Return the exit code of the contract; `signal`: what stopped the run."""
        if signal is not None:
            return exit_code((), signal)
        return 1 if self.broken else self.tally.code
