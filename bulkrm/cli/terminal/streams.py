"""Which standard streams are terminals, what these can show, and whether the user can be asked a question over them.

That is found out once, before anything is displayed, and from the file descriptors alone: a library may replace `sys.stderr`
while it displays something (rich's live display does). Nobody is there to be asked only if standard input certainly is no
terminal. Where that is in doubt, a command that has to ask is refused.

`NO_COLOR` (no-color.org) with any value: no colours, whatever else is set. `CLICOLOR_FORCE` (bixense.com/clicolors) with any
value but 0: colours, also where the output is no terminal. `CLICOLOR=0`, or a terminal that is `dumb` or of no known kind: no
colours.
"""

import errno
import os
import stat
import termios
from collections.abc import Mapping
from enum import Enum
from typing import Self

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.valueclass import valueclass

STDIN, STDOUT, STDERR = 0, 1, 2


class Stream(Enum):
    """The kind of file behind a descriptor. `UNKNOWN`: it is open, but may or may not be a terminal."""

    TERMINAL = "a terminal"
    OTHER = "no terminal"
    CLOSED = "closed"
    UNKNOWN = "a terminal that does not answer"


def kind_of_stream(descriptor: int) -> Stream:
    """Return the kind of file behind a descriptor."""
    try:
        kind = os.fstat(descriptor).st_mode
    except OSError as error:
        return Stream.CLOSED if error.errno == errno.EBADF else Stream.UNKNOWN
    if os.isatty(descriptor):
        return Stream.TERMINAL
    # A terminal that was hung up answers EIO to everything; `isatty` is False for it as for a file.
    return Stream.UNKNOWN if stat.S_ISCHR(kind) and _is_hung_up(descriptor) else Stream.OTHER


def _is_hung_up(descriptor: int) -> bool:
    try:
        termios.tcgetattr(descriptor)
    except termios.error as error:
        return bool(error.args and error.args[0] == errno.EIO)
    return False


@valueclass
class Streams:
    """The three standard streams of the process."""

    stdin: Stream
    stdout: Stream
    stderr: Stream

    @classmethod
    def of_process(cls) -> Self:
        """Return the kinds of this process's streams."""
        return cls(kind_of_stream(STDIN), kind_of_stream(STDOUT), kind_of_stream(STDERR))

    @property
    def can_ask(self) -> bool:
        """Tell whether a question can be shown and answered."""
        return self.stdin is Stream.TERMINAL and self.stderr is Stream.TERMINAL

    @property
    def has_nobody(self) -> bool:
        """Tell whether certainly nobody can be asked: in a pipeline, a CI job, or cron."""
        return self.stdin is Stream.OTHER

    def refuse_unanswerable(self, *, yes: bool, dry_run: bool) -> None:
        """Raise InputError where a command would have to ask a question that nobody may see or answer."""
        if yes or dry_run or self.can_ask or self.has_nobody:
            return
        if self.stdin is Stream.TERMINAL:
            state = "is not" if self.stderr is Stream.OTHER else f"is {self.stderr.value}"
            what = f"standard input is a terminal, but standard error {state}"
        else:
            what = f"standard input is {self.stdin.value}"
        remedy = "add -y to go on without a question, or -n to see what would happen"
        raise InputError(Problem("", f"{what}, so nobody can be asked", remedy))


def size_of(descriptor: int) -> os.terminal_size:
    """Return columns and lines of a terminal: `COLUMNS` and `LINES` if they are set, else those that the terminal reports.

    Over some connections a terminal reports none; then they are 80 and 24.
    """
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        found = os.terminal_size((0, 0))
    sizes = ((os.environ.get("COLUMNS", ""), found.columns, 80), (os.environ.get("LINES", ""), found.lines, 24))
    columns, lines = (int(told) if told.isdecimal() and int(told) else seen or usual for told, seen, usual in sizes)
    return os.terminal_size((columns, lines))


def wants_colour(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Tell whether a text is to be coloured. `is_terminal`: whether it is written to a terminal."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal and environment.get("CLICOLOR") != "0" and not is_dumb(environment)


def is_dumb(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal cannot do more than show one line after another."""
    return environment.get("TERM", "") in ("", "dumb", "unknown")
