"""The book of a run: one line for every image and every pattern that chose none, and the outcome of each, once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bulkrm.engine.observer import Observer
from bulkrm.model.manifest import Resolved
from bulkrm.model.outcome import Failed, NoMatch, NotAttempted, NotAttemptedReason, Outcome
from bulkrm.model.report import ImageResult
from bulkrm.model.target import Source, Target


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A pattern that leads to no image of its own: it chose nothing, or could not be looked up."""

    text: str
    source: Source
    note: str | None
    outcome: NoMatch | Failed | NotAttempted


Line = Target | Unmatched


class Book:
    """Takes outcomes as they happen, and gives the report in the order of the list."""

    def __init__(self, observer: Observer, on_bug: Callable[[BaseException], None]) -> None:
        """Begin empty. The observer hears of every outcome; if it fails, the book stays true and `on_bug` hears of it."""
        self._observer = observer
        self._on_bug = on_bug
        self._lines: list[Line] = []
        self._results: dict[Line, ImageResult] = {}

    def open(self, lines: Iterable[Line]) -> None:
        """Write down what the run is about; patterns without images have their outcome at once."""
        self._lines = list(lines)
        for line in self._lines:
            if isinstance(line, Unmatched):
                self._write(line, ImageResult(line.text, line.outcome, line.source, note=line.note))

    def record(self, target: Target, outcome: Outcome, resolved: Resolved | None = None) -> None:
        """Write down what became of a target. A second outcome for one target is a bug: raises RuntimeError."""
        if target in self._results:
            raise RuntimeError(f"{target.reference} has an outcome already")
        digest, media_type = (resolved.digest, resolved.media_type) if resolved else (None, None)
        result = ImageResult(str(target.reference), outcome, target.source, digest, media_type, target.note)
        self._write(target, result)

    def has(self, target: Target) -> bool:
        """Tell whether a target has its outcome."""
        return target in self._results

    @property
    def has_failures(self) -> bool:
        """Tell whether anything failed so far, an image or a pattern."""
        return any(isinstance(result.outcome, Failed) for result in self._results.values())

    def close(self, reason: NotAttemptedReason) -> tuple[ImageResult, ...]:
        """Complete the book: whatever has no outcome was not attempted. Return all results in the order of the list."""
        for line in self._lines:
            if isinstance(line, Target) and line not in self._results:
                self.record(line, NotAttempted(reason))
        return tuple(self._results[line] for line in self._lines)

    def _write(self, line: Line, result: ImageResult) -> None:
        self._results[line] = result
        try:
            self._observer.outcome(result)
        except Exception as bug:  # noqa: BLE001 (a bug in whoever listens: it stops the run, it loses no outcome)
            self._on_bug(bug)
