"""The question before anything is deleted or put back. Where nobody is there to be asked, the answer is yes.

`Question` decides what is asked, `Dialog` asks it on the terminal, over standard error.
"""

import os
import re
import termios
from collections.abc import Sequence

import anyio

from bulkrm.api.undoable import UndoableRun
from bulkrm.cli.terminal.console import complain, say, write_to_stderr
from bulkrm.cli.terminal.display.display import Display
from bulkrm.cli.terminal.question_text import QuestionText
from bulkrm.cli.terminal.streams import STDERR, STDIN, Streams, size_of
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.model.plan import Plan
from bulkrm.model.settings import Policy
from bulkrm.model.text.layout import cells, counted
from bulkrm.reports.plan_view import view

_YES = ("y", "yes")
# 20153, and with separators of thousands: 20,153 20.153 20 153 20'153 20_153. The last characters of the set are no-break
# spaces (Unicode CLDR has them in the numbers of many languages) and the apostrophe of Swiss numbers.
_NUMBER = re.compile(r"\d{1,3}(?:[,.'_ \u00a0\u2009\u202f\u2019]\d{3})+|\d+", re.ASCII)
_NO_DIGIT = re.compile(r"\D")
_MAX_ANSWER = 4096  # bytes; a terminal's line has no more (termios(3), "Canonical and noncanonical mode")


class Question:
    """Asks once, and shows the plan before the answer if the user wants to see it. `declined`: the answer was no."""

    def __init__(self, shown: Display, streams: Streams, confirm_above: int | None, *, recursive: bool) -> None:
        """`confirm_above`: above this number of tags and manifests, the user types the number; None: no question."""
        self.declined = False
        self._dialog = Dialog(shown, streams)
        self._confirm_above = confirm_above
        self._recursive = recursive

    async def __call__(self, plan: Plan) -> bool:
        """Return whether to carry out a plan."""
        answer = self._confirm_above is None or self._dialog.has_nobody or await self._asked(plan, self._confirm_above)
        self.declined = not answer
        return answer

    async def confirm_undo(self, run: UndoableRun) -> bool:
        """Return whether to put back the images of a run."""
        text = f"Put back {counted(len(run.images), 'image')} of the run {run.id}? [y/N] "
        answer = self._confirm_above is None or self._dialog.has_nobody
        answer = answer or (self._dialog.open() and _is_yes(await self._dialog.ask(text)))
        self.declined = not answer
        return answer

    async def _asked(self, plan: Plan, confirm_above: int) -> bool:
        if not self._dialog.open():
            return False
        text = QuestionText(plan, self._dialog.width)
        number = plan.disappearing if plan.disappearing > confirm_above else None
        write_to_stderr(text.opening)
        while True:
            answer = await self._dialog.ask(text.closing(number))
            if answer == "?":
                await self._dialog.page(text.everything)
            elif answer is not None and answer.lower() == "d":
                await self._dialog.page(self._shown(plan))
            elif number is not None and _is_yes(answer):
                say(f"A yes is not enough for so many: type {number:,} to go on, n to delete nothing.")
            else:
                return _is_yes(answer) if number is None else is_number(answer or "", number)

    def _shown(self, plan: Plan) -> list[str]:
        """Return the lines of the plan, as `bulkrm plan` shows it."""
        return view(PlanDocument(plan, Policy(recursive=self._recursive)), self._dialog.width).rstrip("\n").split("\n")


def _is_yes(answer: str | None) -> bool:
    return answer is not None and answer.lower() in _YES


def is_number(text: str, number: int) -> bool:
    """Tell whether somebody typed this number, with or without separators of thousands."""
    return bool(_NUMBER.fullmatch(text.strip())) and int(_NO_DIGIT.sub("", text)) == number


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
