"""The outcomes of a run: one line for every image and every pattern that chose none, and the outcome of each, once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import overload

from bulkrm.model.events import EventListener, ImageSettled
from bulkrm.model.manifests.manifest import Resolved
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    Untagged,
    WouldDelete,
)
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Line, Target, Unmatched


class Outcomes:
    """Takes outcomes as they happen, and gives the report in the order of the list."""

    def __init__(
        self,
        tell: EventListener,
        on_bug: Callable[[BaseException], None],
        journal: Callable[[ImageResult], None] | None = None,
    ) -> None:
        """`journal`, then `tell`, get every outcome. If one raises, the outcome stays, and `on_bug` gets the exception."""
        self._tell = tell
        self._on_bug = on_bug
        self._journal = journal
        self.lines: list[Line] = []
        self._told: dict[Line, _Told] = {}

    def open(self, lines: Iterable[Line]) -> None:
        """Take the lines of the report; a pattern without images has its outcome at once."""
        self.lines = list(lines)
        for line in self.lines:
            if isinstance(line, Unmatched):
                self._write(line, (line.outcome, None))

    def add(self, targets: Iterable[Target]) -> None:
        """Add lines for images that were found later, such as attached ones."""
        known = set(self.lines)
        self.lines += dict.fromkeys(target for target in targets if target not in known)

    def went(self, item: Item) -> bool:
        """Tell whether an item's manifest was deleted, or would be."""
        told = (self._told.get(target) for target in item.targets)
        return any(isinstance(_outcome(what), _WENT) for what in told if what is not None)

    def record(self, target: Target, outcome: Outcome, resolved: Resolved | None = None) -> None:
        """Record the outcome of a target as it is. Raises RuntimeError for a second outcome, which is a bug."""
        if target in self._told:
            raise RuntimeError(f"{target.reference} has an outcome already")
        self._write(target, (_SHARED if outcome == _SHARED else outcome, resolved))

    def replay(self, done: Mapping[str, ImageResult]) -> None:
        """Record the results of an earlier part of the run; `done` has them by the full name of the image."""
        for line in self.lines:
            if isinstance(line, Target) and line not in self._told and str(line.reference) in done:
                result = done[str(line.reference)]
                self._write(line, replace(result, source=line.source, note=_note(line, result.outcome)))

    def has(self, target: Target) -> bool:
        """Tell whether a target has its outcome."""
        return target in self._told

    def outcome(self, target: Target) -> Outcome | None:
        """Return the outcome of a target; None: it has none yet."""
        told = self._told.get(target)
        return None if told is None else _outcome(told)

    @property
    def has_failures(self) -> bool:
        """Tell whether anything failed so far, an image or a pattern."""
        return any(isinstance(_outcome(what), Failed) for what in self._told.values())

    @property
    def disappeared(self) -> int:
        """How many tags are gone so far, unlisted ones too, and manifests without any: as a limit counts them."""
        gone: dict[tuple[Repository, str | None], set[str]] = {}
        for line, told in self._told.items():
            outcome = _outcome(told)
            if isinstance(line, Target) and isinstance(outcome, Deleted | Untagged):
                tags = gone.setdefault((line.reference.repository, _digest(told)), set())
                tags.update([str(line.reference.tag)] if isinstance(line.reference, TagRef) else ())
                also = outcome.also_removed or () if isinstance(outcome, Deleted) else ()
                tags.update(name.rpartition(":")[2] for name in also)
        return sum(len(tags) or 1 for tags in gone.values())

    def open_targets(self) -> list[Target]:
        """Return the images without an outcome."""
        return [line for line in self.lines if isinstance(line, Target) and line not in self._told]

    def close(self, reason: NotAttemptedReason) -> Sequence[ImageResult]:
        """Record `not-attempted` for every image without an outcome; return all results in the order of the list."""
        for target in self.open_targets():
            self.record(target, NotAttempted(reason))
        return _Results(self.lines, self._told)

    def _write(self, line: Line, told: "_Told") -> None:
        self._told[line] = told
        try:
            result = _result(line, told)
            if self._journal is not None:
                self._journal(result)
            self._tell(ImageSettled(result))
        except Exception as bug:  # noqa: BLE001 (a bug in whoever listens: it stops the run, it loses no outcome)
            self._on_bug(bug)


# What is kept of a line: hundreds of thousands of them have to fit. A whole result is one of an earlier part of the run.
_Told = tuple[Outcome, Resolved | None] | ImageResult
_WENT = (Deleted, WouldDelete)  # a tuple: `Deleted | WouldDelete` would be made anew for each of them
_SHARED = Deleted()  # nearly all have this very outcome


class _Results(Sequence[ImageResult]):
    """The results in the order of the list, each made when it is asked for."""

    def __init__(self, lines: Sequence[Line], told: Mapping[Line, _Told]) -> None:
        self._lines = lines
        self._told = told

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> ImageResult: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ImageResult]: ...

    def __getitem__(self, index: int | slice) -> ImageResult | Sequence[ImageResult]:
        if isinstance(index, slice):
            return [_result(line, self._told[line]) for line in self._lines[index]]
        return _result(self._lines[index], self._told[self._lines[index]])

    def __iter__(self) -> Iterator[ImageResult]:
        return (_result(line, self._told[line]) for line in self._lines)


def _outcome(told: _Told) -> Outcome:
    """Return the outcome alone."""
    return told.outcome if isinstance(told, ImageResult) else told[0]


def _digest(told: _Told) -> str | None:
    if isinstance(told, ImageResult):
        return told.digest
    return told[1].digest if told[1] else None


def _result(line: Line, told: _Told) -> ImageResult:
    if isinstance(told, ImageResult):
        return told
    outcome, resolved = told
    if isinstance(line, Unmatched):
        return ImageResult(line.text, outcome, line.source, note=line.note)
    digest, media_type = (resolved.digest, resolved.media_type) if resolved else (None, None)
    parent = str(line.parent) if line.parent else None
    note = _note(line, outcome)
    return ImageResult(str(line.reference), outcome, line.source, digest, media_type, note, parent)


_FOR_GOOD = "cannot be undone: the tag led to no manifest that could be kept"


def _note(line: Target, outcome: Outcome) -> str | None:
    """Return the note of the list, with a remark on an outcome that `undo` cannot revert."""
    if isinstance(outcome, Deleted | WouldDelete) and outcome.for_good:
        return f"{line.note}; {_FOR_GOOD}" if line.note else _FOR_GOOD
    return line.note
