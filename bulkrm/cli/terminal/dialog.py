"""A question on the terminal, and long lists a screen at a time, on standard error."""

import os
import termios
from collections.abc import Sequence

import anyio

from bulkrm.cli.terminal.capabilities import size_of
from bulkrm.cli.terminal.console import complain, write_to_stderr
from bulkrm.cli.terminal.display.display import Display
from bulkrm.cli.terminal.streams import STDERR, STDIN, Streams
from bulkrm.model.text.layout import cells


class Dialog:
    """Asks questions on the terminal. Input that was typed before a question is discarded."""

    def __init__(self, shown: Display, streams: Streams) -> None:
        """`shown`: the display, which is paused while a question waits."""
        self._display = shown
        self._streams = streams

    @property
    def has_nobody(self) -> bool:
        """Tell whether certainly nobody can be asked."""
        return self._streams.has_nobody

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return size_of(STDERR).columns

    def open(self) -> bool:
        """Pause the display; return whether a question can be asked. If not, print how to go on without one."""
        self._display.pause()
        if self._streams.can_ask and drop_typed_input():
            return True
        complain("nobody can be asked on this terminal; -y goes on without a question")
        return False

    async def ask(self, text: str) -> str | None:
        """Ask a question and return the line typed after it; None at the end of input. A signal cancels the wait."""
        if not drop_typed_input():
            return None
        write_to_stderr(text)
        answer = None
        try:
            answer = await read_answer()
        finally:
            if answer is None:
                write_to_stderr("\n")  # after Ctrl-C and Ctrl-D the cursor stands behind the question
        return None if answer is None else answer.strip()

    async def page(self, lines: Sequence[str]) -> None:
        """Show printable lines, a screen at a time; the user returns to the question with `q`."""
        columns, rows = size_of(STDERR)
        room = max(rows - 2, 3)
        shown = used = 0
        for line in lines:
            needed = max(1, -(-cells(line) // columns))
            if used + needed > room and used:
                more = f"-- {len(lines) - shown:,} more lines; Enter shows them, q goes back to the question: "
                answer = await self.ask(more)
                if answer is None or answer.lower() in ("q", "n", "no"):
                    return
                used = 0
            write_to_stderr(f"{line}\n")
            shown, used = shown + 1, used + needed


_MAX_ANSWER = 4096  # bytes; a terminal's line has no more (termios(3), "Canonical and noncanonical mode")


def drop_typed_input() -> bool:
    """Discard the unread input of the terminal; return whether that was possible."""
    try:
        termios.tcflush(STDIN, termios.TCIFLUSH)
    except termios.error:
        return False
    return True


async def read_answer() -> str | None:
    """Return a line from the terminal, without its end; None at the end of input or of the terminal.

    The line is read from the descriptor: the buffer of `sys.stdin` may hold input that was typed before.
    """
    line = b""
    while not line.endswith(b"\n") and len(line) < _MAX_ANSWER:
        await anyio.wait_readable(STDIN)
        try:
            piece = os.read(STDIN, _MAX_ANSWER)
        except OSError:
            piece = b""
        if not piece:
            return None
        line += piece
    return line.decode(errors="replace").rstrip("\n")
