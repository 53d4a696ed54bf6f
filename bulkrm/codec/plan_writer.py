"""Writes a plan as the text of a file, made to be read by people and compared line by line."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields

from bulkrm.codec import plan_fields
from bulkrm.codec.plan_document import FORMAT, VERSION, PlanDocument
from bulkrm.codec.plan_records import PlanRecord, RepositoryRecord
from bulkrm.codec.record import to_json


def write(document: PlanDocument) -> str:
    """Return the JSON text: a manifest a line, in a fixed order, without a time or the name of a run."""
    return "".join(pieces(document))


def pieces(document: PlanDocument) -> Iterator[str]:
    """Yield the same text in pieces, one for each repository, because a plan may have hundreds of megabytes."""
    form, version, options, repositories, unmatched, totals = (_text(entry.name) for entry in fields(PlanRecord))
    yield f"{{\n {form}: {_text(FORMAT)},\n {version}: {VERSION},\n"
    yield f" {options}: {_text(to_json(plan_fields.options(document)))},\n {repositories}: ["
    empty = True
    for record in plan_fields.repositories(document.plan):
        yield ("\n" if empty else ",\n") + _repository(record)
        empty = False
    yield "],\n" if empty else "\n ],\n"
    lines = [f"  {_text(to_json(record))}" for record in plan_fields.unmatched(document.unmatched)]
    yield f"{_list(unmatched, lines, 1)},\n {totals}: {_text(plan_fields.totals(document))}\n}}\n"


def _repository(record: RepositoryRecord) -> str:
    parts = [
        _list(_text(key), [f"    {_text(entry)}" for entry in value], 3)
        if isinstance(value, list)
        else f"   {_text(key)}: {_text(value)}"
        for key, value in to_json(record).items()
    ]
    return "  {\n" + ",\n".join(parts) + "\n  }"


def _list(key: str, lines: Sequence[str], indent: int) -> str:
    blank = " " * indent
    return f"{blank}{key}: [\n" + ",\n".join(lines) + f"\n{blank}]" if lines else f"{blank}{key}: []"


def _text(value: object) -> str:
    return json.dumps(value)
