"""The result of a run, as the reports show it."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import field
from datetime import datetime
from typing import Self

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Plan
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Kept, Outcome, Signal, Status, exit_code
from bulkrm.model.target import Source
from bulkrm.model.valueclass import valueclass


@valueclass
class ImageResult:
    """One line of the report. `image` is the full normal form, or the pattern that chose nothing.

    `source`: the place in the list, None for a child or referrer that the list does not name; it has a `parent` instead,
    the manifest that it is deleted with. `digest`, `media_type`: None where the manifest is not known.
    """

    image: str
    outcome: Outcome
    source: Source | None = None
    digest: Digest | None = None
    media_type: str | None = None
    note: str | None = None
    parent: str | None = None


@valueclass
class RunInfo:
    """The run of a report. `started` is UTC; `seconds` is its duration."""

    id: str
    started: datetime
    seconds: float
    dry_run: bool
    version: str


@valueclass
class Requests:
    """How many requests were sent, retries included."""

    registry: int = 0
    token: int = 0


@valueclass
class Difference:
    """A tag or manifest that `--verify` did not find as expected.

    `expected` None: it should be gone. `found` None: it is gone, or cannot be read. `hint` is the command that corrects
    the difference.
    """

    image: str
    expected: Digest | None
    found: Digest | None
    message: str
    hint: str


@valueclass
class Verification:
    """The result of `--verify`; `checked`: how many kept tags and manifests were read."""

    checked: int
    differences: tuple[Difference, ...] = ()


@valueclass
class ConditionReads:
    """How many manifests and configurations were read because of the conditions of a list."""

    manifests: int = 0
    configurations: int = 0


@valueclass
class Reclaiming:
    """How the space of deleted images becomes free, by host.

    `by_command`: hosts where an operator starts the garbage collection; `later`: hosts that can restore deleted images for
    a while, so that their space is not free at once. A host may be in both.
    """

    by_command: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


_UNFINISHED = frozenset({FailureCode.UNFINISHED, FailureCode.UNCONFIRMED})


@valueclass
class Tally:
    """Counts over all images, made in one pass, because images may be generated on demand by the hundred thousand.

    `summary`: the number of images with each status; every status is a key, and the values add up to the number of
    images. `code`: the exit code that follows from the images. `unfinished`: the number of images that `resume` has to
    look at, because their fate is not known or only their tag was removed.
    """

    summary: Mapping[Status, int]
    code: int
    unfinished: int

    @classmethod
    def of(cls, images: Iterable[ImageResult]) -> Self:
        """Count the images. A kept image that the list does not name has no influence on the exit code."""
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


@valueclass
class Report:
    """A whole run: the images in the order of the list, glob matches sorted.

    `closing`: lines of text that stand before the totals. `orphans`: how many child manifests and artifact tags are known
    to be left unreferenced. `explained`: the lines of `--explain`. `plan`: None where the run was stopped before its plan
    was complete. `unrecorded`: why the end of the run is not in its record; None where it is, or where there is no record.
    """

    run: RunInfo
    images: Sequence[ImageResult]
    requests: Requests = field(default_factory=Requests)
    closing: tuple[str, ...] = ()
    orphans: int = 0
    verification: Verification | None = None
    explained: tuple[str, ...] = ()
    plan: Plan | None = None
    condition_reads: ConditionReads = field(default_factory=ConditionReads)
    reclaiming: Reclaiming = field(default_factory=Reclaiming)
    unrecorded: str | None = None
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        """Count the images once."""
        object.__setattr__(self, "tally", Tally.of(self.images))

    @property
    def summary(self) -> Mapping[Status, int]:
        """The number of images with each status."""
        return self.tally.summary

    @property
    def has_differences(self) -> bool:
        """Tell whether `--verify` found a difference."""
        return self.verification is not None and bool(self.verification.differences)

    def with_closing(self, lines: Iterable[str]) -> Self:
        """Return the report with other `closing` lines."""
        return self._changed("closing", tuple(lines))

    def with_unrecorded(self, why: str | None) -> Self:
        """Return the report with another `unrecorded`."""
        return self._changed("unrecorded", why)

    def _changed(self, name: str, value: object) -> Self:
        """Return a copy with one field changed; `dataclasses.replace` would count all images again."""
        found = copy(self)
        object.__setattr__(found, name, value)
        return found

    def exit_code(self, signal: Signal | None = None) -> int:
        """Return the exit code of the process. `signal`: the signal that stopped the run; None: none did."""
        if signal is not None:
            return exit_code((), signal)
        return 1 if self.has_differences else self.tally.code
