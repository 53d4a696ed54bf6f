"""Where reports go: standard output and the files of `--report`, opened before anything is sent."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bulkrm.cli.terminal.capabilities import view_of
from bulkrm.cli.terminal.console import abandon
from bulkrm.cli.terminal.outputs import empty, is_same, open_output, refuse_shared, refuse_to_overwrite
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.text.colour import printable_in_colour
from bulkrm.model.text.printable import printable_lines
from bulkrm.reports.format import ReportFormat, View


@dataclass(slots=True)
class Writer:
    """One report under way. `trouble` is what went wrong with writing it: the run goes on, the user is told.

    `begun`: what was in its file before is gone. Standard output has nothing to be emptied.
    """

    format: ReportFormat
    stream: TextIO
    name: str
    view: View
    trouble: str | None = None
    begun: bool = True

    def begin(self) -> None:
        """Empty the file: everything is known to be good, and what it held is of another run."""
        if not self.begun:
            self.begun = True
            try:
                empty(self.stream.fileno())
            except OSError as error:
                self._failed(error)

    def line(self, result: ImageResult) -> None:
        """Write what the format has to say of one outcome, and let a reader see it at once."""
        self._write(self.format.line(result))

    def whole(self, report: Report) -> None:
        """Write what the format has to say in the end."""
        self._write(self.format.whole(report, self.view))

    def _write(self, text: str) -> None:
        self.begin()
        if not text or self.trouble is not None:
            return
        try:
            self.stream.write(printable_in_colour(text) if self.view.colour else printable_lines(text))
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._failed(error)

    def _failed(self, error: OSError | ValueError) -> None:
        """Note it: a reader that left (`| head`) or a full disk must not leave a run half-way without its outcomes."""
        self.trouble = f"{self.name}: {getattr(error, 'strerror', None) or 'it cannot be written'}"
        if self.stream is sys.stdout:
            abandon(self.stream)


@contextmanager
def open_writers(
    output: ReportFormat,
    further: Sequence[tuple[ReportFormat, Path]],
    read: Sequence[Path] = (),
    written: Sequence[Path] = (),
    *,
    every: bool = False,
) -> Iterator[list[Writer]]:
    """Open all reports. `read`: what the command reads, `written`: what else it writes, `every`: all images are listed.

    Raises InputError where a file cannot be written, or must not be; then nothing was attempted. Files are emptied when
    the run begins. One that was made here for a run that did not begin is removed again.
    """
    paths = [path for _, path in further]
    writers = [Writer(output, sys.stdout, "standard output", view_of(sys.stdout, every=every))]
    made: list[tuple[Writer, Path]] = []
    try:
        for number, (kind, path) in enumerate(further):
            _check(path, paths[:number], read, written)
            is_new = not os.path.lexists(path)
            descriptor = open_output("--report", path)
            stream = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
            writer = Writer(kind, stream, str(path), View(), begun=False)
            writers.append(writer)
            if is_new:
                made.append((writer, path))
        yield writers
    finally:
        for writer, path in made:
            if not writer.begun:
                with suppress(OSError):
                    path.unlink()
        for writer in writers[1:]:
            with suppress(OSError):  # of what could not be written, the user knows by now
                writer.stream.close()


def begin_all(writers: Sequence[Writer]) -> None:
    """Empty all files: the run begins."""
    for writer in writers:
        writer.begin()


def _check(path: Path, others: Sequence[Path], read: Sequence[Path], written: Sequence[Path]) -> None:
    """Refuse a file named `-`, which everybody takes for standard output, and one that is read or written otherwise."""
    if str(path) == "-":
        raise InputError(Problem("--report", "- is no file", "-o says what goes to standard output"))
    refuse_to_overwrite("--report", path, read)
    refuse_shared("--report", path, others)
    for other in written:
        if is_same(path, other):
            raise InputError(Problem("--report", f"{path} is the file of --out", "give each a file of its own"))
