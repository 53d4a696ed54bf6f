"""Writes text for people, made printable. All of it goes through this module.

A reader that is gone, behind a pipe (EPIPE) or a terminal that was hung up (EIO), never ends a run: the text is lost, and
the work goes on. A full disk is said to be that.
"""

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterable
from typing import TextIO

from bulkrm.model.text.printable import escaped, printable

_READER_GONE = frozenset({errno.EPIPE, errno.EIO})
_ERRORS = "bulkrm.escaped"


def say(text: str) -> None:
    """Write a line to standard error."""
    write_to_stderr(f"{printable(text)}\n")


def complain(text: str) -> None:
    """Write a line to standard error after `bulkrm:`, for bad input and for failures that are in no report."""
    say(f"bulkrm: {text}")


def show(text: str) -> bool:
    """Write a line to standard output; return False if that failed."""
    return show_lines((printable(text),))


def show_lines(lines: Iterable[str]) -> bool:
    """Write lines that are printable already to standard output; return False if that failed."""
    try:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        abandon(sys.stdout)
        if isinstance(error, OSError) and error.errno not in _READER_GONE:
            complain(f"standard output: {error.strerror}")
        return False
    return True


def write_to_stderr(text: str) -> None:
    """Write text that is printable already, and flush it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BlockingIOError:  # another process made the terminal non-blocking, and it is busy: the line is lost
        pass
    except (OSError, ValueError):
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Redirect a stream that failed to the null device, so that its buffer does not fail again when the process ends."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):  # it has no descriptor, or none is left
        return


class EnduringStderr(io.TextIOBase):
    """Standard error as a file for rich: text that cannot be written is lost, and nothing is raised."""

    encoding = "utf-8"

    def write(self, text: str, /) -> int:
        """Write text; return its length, also if it is lost."""
        write_to_stderr(text)
        return len(text)

    def fileno(self) -> int:
        """Return the descriptor of standard error."""
        return sys.stderr.fileno()

    def isatty(self) -> bool:
        """Return True: a bar is drawn on terminals only."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True


def _escape(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeEncodeError):
        return escaped(error.object[error.start : error.end]), error.end
    raise error


def escape_unencodable() -> None:
    """Escape characters that the encoding of standard output or error lacks, in the form that JSON has, too."""
    codecs.register_error(_ERRORS, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)
