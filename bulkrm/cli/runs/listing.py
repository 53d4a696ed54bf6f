"""The list of runs in each of its formats."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bulkrm.cli.runs.summary import document, summarized
from bulkrm.cli.runs.table import table
from bulkrm.reports.format import View
from bulkrm.state.known import KnownRun

FORMATS = ("text", "json", "jsonl")


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def list_text(found: Sequence[KnownRun], output: str, view: View) -> Iterator[str]:
    """Yield the lines of the list, printable. `output`: one of `FORMATS`."""
    runs = [summarized(run) for run in found]
    if output == "json":
        yield json.dumps(document(runs), indent=1)
    elif output == "jsonl":
        yield from (json.dumps(run.as_fields()) for run in runs)
    elif runs:
        yield from table(runs, now(), view.width, colour=view.colour)
