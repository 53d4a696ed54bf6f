"""Where reports go: standard output and the files of `--report`, opened before anything is sent."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.report import ImageResult, Report
from bulkrm.reports.format import ReportFormat, View


@dataclass(slots=True)
class Writer:
    """One report under way. `trouble` is what went wrong with writing it: the run goes on, the user is told."""

    format: ReportFormat
    stream: TextIO
    name: str
    view: View
    trouble: str | None = None

    def line(self, result: ImageResult) -> None:
        """Write what the format has to say of one outcome, and let a reader see it at once."""
        self._write(self.format.line(result))

    def whole(self, report: Report) -> None:
        """Write what the format has to say in the end."""
        self._write(self.format.whole(report, self.view))

    def _write(self, text: str) -> None:
        if not text or self.trouble is not None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError) as error:
            # A reader that left (`| head`) or a full disk must not leave a run half-way without its outcomes.
            self.trouble = f"{self.name}: {getattr(error, 'strerror', None) or 'it cannot be written'}"
            if self.stream is sys.stdout:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def open_writers(output: ReportFormat, further: Sequence[tuple[ReportFormat, Path]]) -> Iterator[list[Writer]]:
    """Open all reports. Raises InputError where a file cannot be written; then nothing was attempted."""
    _refuse_twice([path for _, path in further])
    writers = [Writer(output, sys.stdout, "standard output", View(_terminal_width(sys.stdout)))]
    opened: list[TextIO] = []
    try:
        for kind, path in further:
            try:
                stream: TextIO = path.open("w", encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                problem = Problem("--report", f"{path} cannot be written: {error.strerror}", "give another file")
                raise InputError(problem) from error
            opened.append(stream)
            writers.append(Writer(kind, stream, str(path), View()))
        yield writers
    finally:
        for stream in opened:
            with suppress(OSError):  # of what could not be written, the user knows by now
                stream.close()


def _refuse_twice(paths: Sequence[Path]) -> None:
    """Refuse two reports in one file, and one in a file named `-`, which everybody takes for standard output."""
    for number, path in enumerate(paths):
        if str(path) == "-":
            raise InputError(Problem("--report", "- is no file", "-o says what goes to standard output"))
        if path.resolve() in (other.resolve() for other in paths[:number]):
            raise InputError(Problem("--report", f"{path} is named twice", "give each report a file of its own"))


def _terminal_width(stream: TextIO) -> int | None:
    """Columns of the terminal, 80 where it does not know (over some connections it has none); None for a pipe or a file."""
    return shutil.get_terminal_size().columns if stream.isatty() else None
