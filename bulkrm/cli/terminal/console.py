"""The one way by which text for people leaves the process: made printable, and never the end of a run.

Whoever read along may be gone, a pipe (EPIPE) or a terminal that was hung up (EIO). Then there is nobody to tell, and the
work goes on.
"""

import codecs
import io
import os
import sys
from collections.abc import Iterable
from typing import TextIO

from bulkrm.model.text.printable import escaped, printable

_ERRORS = "bulkrm.escaped"


def say(text: str) -> None:
    """Write a line to standard error."""
    write_to_stderr(f"{printable(text)}\n")


def complain(text: str) -> None:
    """Write a line to standard error that says who speaks: bad input, or trouble that no report holds."""
    say(f"bulkrm: {text}")


def show(text: str) -> bool:
    """Write a line to standard output; return whether somebody may have read it."""
    return show_lines((printable(text),))


def show_lines(lines: Iterable[str]) -> bool:
    """Write lines to standard output that are printable already; return whether somebody may have read them."""
    try:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
    except (OSError, ValueError):
        abandon(sys.stdout)
        return False
    return True


def write_to_stderr(text: str) -> None:
    """Write text that is printable already, and flush it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BlockingIOError:  # somebody made the terminal non-blocking, and it is busy: a line is lost
        pass
    except (OSError, ValueError):
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Lead a stream that failed nowhere: what its buffer holds must not fail once more when the process ends."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):  # it has no descriptor, or none is left
        return


class EnduringStderr(io.TextIOBase):
    """Standard error for a library that draws on it: what cannot be written is lost, and raises nothing."""

    encoding = "utf-8"

    def write(self, text: str, /) -> int:
        """Write."""
        write_to_stderr(text)
        return len(text)

    def fileno(self) -> int:
        """Return the descriptor."""
        return sys.stderr.fileno()

    def isatty(self) -> bool:
        """Tell whether it is a terminal: whoever draws on it was told so."""
        return True

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True


def _escape(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeEncodeError):
        return escaped(error.object[error.start : error.end]), error.end
    raise error


def express_everything() -> None:
    """Let standard output and error escape what their encoding does not have, in a form that JSON means as well."""
    codecs.register_error(_ERRORS, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)
