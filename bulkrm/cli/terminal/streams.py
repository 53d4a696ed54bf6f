"""What the standard streams lead to, found out once, before anything is displayed, and who can be asked over them.

A library may put an object of its own in the place of `sys.stderr` while it displays something (rich's live display
does), so only the file descriptors are looked at. Whoever may be a person at a terminal is asked or the run is refused;
only a standard input that certainly is no terminal means that nobody is there to be asked.
"""

import errno
import os
import stat
import termios
from dataclasses import dataclass
from enum import Enum
from typing import Self

from bulkrm.model.errors import InputError, Problem

STDIN, STDOUT, STDERR = 0, 1, 2


class Stream(Enum):
    """What a file descriptor leads to. `UNKNOWN`: it is open, and it cannot be told whether it is a terminal."""

    TERMINAL = "a terminal"
    OTHER = "no terminal"
    CLOSED = "closed"
    UNKNOWN = "a terminal that does not answer"


def look_at(descriptor: int) -> Stream:
    """Tell what a file descriptor leads to."""
    try:
        kind = os.fstat(descriptor).st_mode
    except OSError as error:
        return Stream.CLOSED if error.errno == errno.EBADF else Stream.UNKNOWN
    if os.isatty(descriptor):
        return Stream.TERMINAL
    # A terminal that was hung up answers EIO to everything; `isatty` says no to it as it does to a file.
    return Stream.UNKNOWN if stat.S_ISCHR(kind) and _is_hung_up(descriptor) else Stream.OTHER


def _is_hung_up(descriptor: int) -> bool:
    try:
        termios.tcgetattr(descriptor)
    except termios.error as error:
        return bool(error.args and error.args[0] == errno.EIO)
    return False


def size_of(descriptor: int) -> os.terminal_size:
    """Return columns and lines of a terminal, or 80 and 24 where it does not know: over some connections it has none.

    `COLUMNS` and `LINES` of the environment say otherwise.
    """
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        found = os.terminal_size((0, 0))
    sizes = ((os.environ.get("COLUMNS", ""), found.columns, 80), (os.environ.get("LINES", ""), found.lines, 24))
    columns, lines = (int(told) if told.isdecimal() and int(told) else seen or usual for told, seen, usual in sizes)
    return os.terminal_size((columns, lines))


@dataclass(frozen=True, slots=True)
class Streams:
    """The three standard streams of the process."""

    stdin: Stream
    stdout: Stream
    stderr: Stream

    @classmethod
    def of_process(cls) -> Self:
        """Look at all three."""
        return cls(look_at(STDIN), look_at(STDOUT), look_at(STDERR))

    @property
    def can_ask(self) -> bool:
        """Tell whether somebody sees a question and can answer it."""
        return self.stdin is Stream.TERMINAL and self.stderr is Stream.TERMINAL

    @property
    def has_nobody(self) -> bool:
        """Tell whether there certainly is nobody to ask: a pipeline, a CI job, cron."""
        return self.stdin is Stream.OTHER

    def refuse_unanswerable(self, *, yes: bool, dry_run: bool) -> None:
        """Refuse a command that has to ask and cannot, or cannot know whether it has to. Raises InputError."""
        if yes or dry_run or self.can_ask or self.has_nobody:
            return
        if self.stdin is Stream.TERMINAL:
            state = "is not" if self.stderr is Stream.OTHER else f"is {self.stderr.value}"
            what = f"standard input is a terminal, but standard error {state}"
        else:
            what = f"standard input is {self.stdin.value}"
        remedy = "add -y to go on without a question, or -n to see what would happen"
        raise InputError(Problem("", f"{what}, so nobody can be asked", remedy))
