"""Writes reports to standard output and to the files of `--report`, which are opened before any request is sent."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bulkrm.cli.terminal.console import abandon, complain
from bulkrm.cli.terminal.outputs import empty, is_same, open_output, refuse_shared, refuse_to_overwrite
from bulkrm.cli.terminal.streams import size_of, wants_colour
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.text.printable import printable_in_colour, printable_lines
from bulkrm.reports.format import ReportFormat, View

_FAILED, _KEPT = 1, 3  # exit codes


@dataclass(slots=True)
class Writer:
    """Writes one report. `trouble`: the first error, after which nothing more is written; the run goes on.

    `begun`: the earlier content of the file was deleted. True from the start for standard output.
    """

    format: ReportFormat
    stream: TextIO
    name: str
    view: View
    trouble: str | None = None
    begun: bool = True

    def begin(self) -> None:
        """Empty the file at the beginning of the run: its content is the report of another run."""
        if not self.begun:
            self.begun = True
            try:
                empty(self.stream.fileno())
            except OSError as error:
                self._failed(error)

    def line(self, result: ImageResult) -> None:
        """Write the line of one outcome, if the format has one, and flush it."""
        try:
            text = self.format.line(result)
        except PluginError as error:
            self._unrendered(error)
        else:
            self._write(text)

    def whole(self, report: Report) -> None:
        """Write the part of the report that the format has at the end of the run."""
        try:
            text = self.format.whole(report, self.view)
        except PluginError as error:
            self._unrendered(error)
        else:
            self._write(text)

    def _write(self, text: str) -> None:
        self.begin()
        if not text or self.trouble is not None:
            return
        try:
            self.stream.write(printable_in_colour(text) if self.view.colour else printable_lines(text))
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._failed(error)

    def _unrendered(self, error: PluginError) -> None:
        """Keep the error of a plugin's format; the file is emptied: its content is the report of another run."""
        self.begin()
        if self.trouble is None:
            self.trouble = f"{self.name}: {error}; {error.remedy}"

    def _failed(self, error: OSError | ValueError) -> None:
        """Keep the error. A reader that left (`| head`) or a full disk must not stop a run half-way."""
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
    place: str = "",
) -> Iterator[list[Writer]]:
    """Open all reports. `further`: formats with their files. `every` and `place` of the text report are as in `View`.

    `read`: files that the command reads; `written`: files that it writes otherwise. Raises InputError where a file is one
    of these, or cannot be written; then nothing was attempted. Files are emptied when the run begins. A file that was
    created here is removed if the run does not begin.
    """
    paths = [path for _, path in further]
    writers = [Writer(output, sys.stdout, "standard output", view_of(sys.stdout, every=every, place=place))]
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
            with suppress(OSError):  # an error in writing was shown already
                writer.stream.close()


def view_of(stream: TextIO, *, every: bool = False, place: str = "") -> View:
    """Return the width and the colours of a text that is written to a stream. `every` and `place` as in `View`."""
    is_terminal = stream.isatty()
    width = size_of(stream.fileno()).columns if is_terminal else None
    return View(width, wants_colour(os.environ, is_terminal=is_terminal), every, place)


def begin_all(writers: Sequence[Writer]) -> None:
    """Empty all files at the beginning of the run."""
    for writer in writers:
        writer.begin()


def _check(path: Path, others: Sequence[Path], read: Sequence[Path], written: Sequence[Path]) -> None:
    """Raise InputError for `-`, which usually is standard output, and for a file that the command reads or writes."""
    if str(path) == "-":
        raise InputError(Problem("--report", "- is no file", "-o says what goes to standard output"))
    refuse_to_overwrite("--report", path, read)
    refuse_shared("--report", path, others)
    for other in written:
        if is_same(path, other):
            raise InputError(Problem("--report", f"{path} is the file of --out", "give each a file of its own"))


def complete_reports(writers: Sequence[Writer], report: Report, code: int) -> int:
    """Complete all reports; return the exit code, which tells of a report that could not be written."""
    for writer in writers:
        writer.whole(report)
        if writer.trouble is not None:
            complain(f"the report is not complete: {writer.trouble}")
            code = with_failure(code)
    return code


def with_failure(code: int) -> int:
    """Return the exit code of a run with a failure that is no image's: 1 instead of 0 and 3."""
    return _FAILED if code in (0, _KEPT) else code
