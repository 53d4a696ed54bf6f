"""The book of a run: one line for every image and every pattern that chose none, and the outcome of each, once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bulkrm.engine.circuit import CircuitOpen
from bulkrm.engine.cleared import Cleared
from bulkrm.engine.observer import Observer
from bulkrm.model.manifest import Resolved
from bulkrm.model.outcome import Deleted, Failed, NotAttempted, NotAttemptedReason, Outcome, WouldDelete
from bulkrm.model.plan import Item
from bulkrm.model.report import ImageResult
from bulkrm.model.target import Line, Target, Unmatched


class Book:
    """Takes outcomes as they happen, and gives the report in the order of the list."""

    def __init__(
        self, observer: Observer, on_bug: Callable[[BaseException], None], cleared: Cleared | None = None
    ) -> None:
        """Begin empty. The observer hears of every outcome; if it fails, the book stays true and `on_bug` hears of it.

        `cleared`: tags that are gone already, whatever becomes of their manifests.
        """
        self._cleared = cleared or Cleared()
        self._observer = observer
        self._on_bug = on_bug
        self.lines: list[Line] = []
        self._results: dict[Line, ImageResult] = {}

    def open(self, lines: Iterable[Line]) -> None:
        """Write down what the run is about; patterns without images have their outcome at once."""
        self.lines = list(lines)
        for line in self.lines:
            if isinstance(line, Unmatched):
                self._write(line, ImageResult(line.text, line.outcome, line.source, note=line.note))

    def add(self, targets: Iterable[Target]) -> None:
        """Write down images that came up since and are no lines yet."""
        known = set(self.lines)
        self.lines += dict.fromkeys(target for target in targets if target not in known)

    def went(self, item: Item) -> bool:
        """Tell whether an item's manifest was deleted, or would be."""
        results = (self._results.get(target) for target in item.targets)
        return any(isinstance(result.outcome, Deleted | WouldDelete) for result in results if result is not None)

    def record(self, target: Target, outcome: Outcome, resolved: Resolved | None = None) -> None:
        """Write down what became of a target. A second outcome for one target is a bug: raises RuntimeError."""
        if target in self._results:
            raise RuntimeError(f"{target.reference} has an outcome already")
        outcome = self._cleared.truth(target, outcome)
        if isinstance(outcome, Failed) and isinstance(outcome.failure, CircuitOpen):
            outcome = NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)
        digest, media_type = (resolved.digest, resolved.media_type) if resolved else (None, None)
        parent = str(target.parent) if target.parent else None
        result = ImageResult(str(target.reference), outcome, target.source, digest, media_type, target.note, parent)
        self._write(target, result)

    def replay(self, done: Mapping[str, ImageResult]) -> None:
        """Write down results of before, by the image's full name, for the lines that they are about."""
        for line in self.lines:
            if isinstance(line, Target) and line not in self._results and str(line.reference) in done:
                result = done[str(line.reference)]
                self._write(line, replace(result, source=line.source, note=line.note))

    def has(self, target: Target) -> bool:
        """Tell whether a target has its outcome."""
        return target in self._results

    @property
    def has_failures(self) -> bool:
        """Tell whether anything failed so far, an image or a pattern."""
        return any(isinstance(result.outcome, Failed) for result in self._results.values())

    def close(self, reason: NotAttemptedReason) -> tuple[ImageResult, ...]:
        """Complete the book: whatever has no outcome was not attempted. Return all results in the order of the list."""
        for line in self.lines:
            if isinstance(line, Target) and line not in self._results:
                self.record(line, NotAttempted(reason))
        return tuple(self._results[line] for line in self.lines)

    def _write(self, line: Line, result: ImageResult) -> None:
        self._results[line] = result
        try:
            self._observer.outcome(result)
        except Exception as bug:  # noqa: BLE001 (a bug in whoever listens: it stops the run, it loses no outcome)
            self._on_bug(bug)
