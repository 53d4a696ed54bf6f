"""`bulkrm runs show`: the state of one run, and the outcome of each of its images, in the order of its list."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bulkrm.cli.runs.age import ago
from bulkrm.cli.runs.summary import RunSummary, summary_of
from bulkrm.codec.journal_events import ImageOutcome, UndoOutcome
from bulkrm.codec.list_order import ListOrder
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.text.layout import counted, wrapped
from bulkrm.reports.format import View
from bulkrm.reports.rows import Row, condition_of, kept_by_conditions, laid_out
from bulkrm.state.errors import StateError
from bulkrm.state.journal.file import read_events
from bulkrm.state.known import KnownRun

_NAMES = 10  # columns of the names of facts


def details(run: KnownRun, now: datetime, view: View) -> Iterator[str]:
    """Yield the lines of the text, printable. Raises InputError where the journal cannot be read."""
    found = summary_of(run)
    for name, text in _facts(found, now, view.place):
        yield from wrapped([f"{name + ':':<{_NAMES}}{text}"], view.width, indent=_NAMES)
    images, put_back = _read_outcomes(run)
    conditions = [reason for told in images if told.result and (reason := condition_of(told.result.outcome))]
    listed = [told for told in images if not told.result or condition_of(told.result.outcome) is None]
    blocks = [
        [*laid_out([Row(told.status, told.image, told.why) for told in listed], view)],
        [*kept_by_conditions(conditions, view)],
        ["Put back since:", *laid_out([Row(told.status, told.image, told.why) for told in put_back], view)],
    ]
    for block in blocks[: 3 if put_back else 2]:
        if block:
            yield ""
            yield from block


def _facts(run: RunSummary, now: datetime, place: str) -> Iterator[tuple[str, str]]:
    yield "run", run.id
    yield "began", f"{run.started:%Y-%m-%d %H:%M:%S} UTC, {ago(run.started, now)}"
    code = f", exit code {run.exit_code}" if run.exit_code is not None else ""
    yield "state", f"{run.words}{code}" + (f": {run.damage}" if run.damage is not None else "")
    number = len(run.touched.repositories)
    if number:
        yield "where", run.where + (f" ({counted(number, 'repository', 'repositories')})" if number > 1 else "")
    if run.images:
        yield "images", run.images
    if run.is_resumable:
        yield "go on", f"bulkrm resume {run.id}{place}"
    yield "folder", str(run.folder)


def _read_outcomes(run: KnownRun) -> tuple[Sequence[ImageOutcome], Sequence[UndoOutcome]]:
    """Return the last outcome of each image, in the order of the list, and so the last undo outcome of each image."""
    images: dict[str, ImageOutcome] = {}
    put_back: dict[str, UndoOutcome] = {}
    try:
        order = ListOrder.of_run(run.asked)
        for event in read_events(run.path / "journal.jsonl"):
            match event:
                case ImageOutcome():
                    images[event.image] = event
                case UndoOutcome():
                    put_back[event.image] = event
                case _:
                    pass
    except StateError as error:
        raise InputError(Problem(run.id, error.what, error.remedy or "the record cannot be read")) from error

    def key(told: ImageOutcome | UndoOutcome) -> Any:
        known = images.get(told.image)
        return order.key(told.image, known.source if known is not None else None)

    return sorted(images.values(), key=key), sorted(put_back.values(), key=key)
