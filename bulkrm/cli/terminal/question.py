"""The question before anything is deleted or put back. Where nobody is there to be asked, the answer is yes."""

import re

from bulkrm.api.undoable import UndoableRun
from bulkrm.cli.terminal.console import say, write_to_stderr
from bulkrm.cli.terminal.dialog import Dialog
from bulkrm.cli.terminal.display.display import Display
from bulkrm.cli.terminal.question_text import QuestionText
from bulkrm.cli.terminal.streams import Streams
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.model.plan import Plan
from bulkrm.model.settings import Policy
from bulkrm.model.text.layout import counted
from bulkrm.reports.plan_view import view

_YES = ("y", "yes")
# 20153, and with separators of thousands: 20,153 20.153 20 153 20'153 20_153. The last characters of the set are no-break
# spaces (Unicode CLDR has them in the numbers of many languages) and the apostrophe of Swiss numbers.
_NUMBER = re.compile(r"\d{1,3}(?:[,.'_ \u00a0\u2009\u202f\u2019]\d{3})+|\d+", re.ASCII)
_NO_DIGIT = re.compile(r"\D")


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
