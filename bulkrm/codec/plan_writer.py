"""A plan as the text of a file: made to be read, and to be compared line by line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bulkrm.codec import plan_fields as fields
from bulkrm.codec.plan_document import FORMAT, VERSION, PlanDocument


def write(document: PlanDocument) -> str:
    """Return the JSON text: a manifest a line, everything in a fixed order, neither time nor run in it."""
    return "".join(pieces(document))


def pieces(document: PlanDocument) -> Iterator[str]:
    """Yield the same text piece by piece, a repository each: a plan may be larger than all else in memory."""
    yield f'{{\n "format": {_text(FORMAT)},\n "version": {VERSION},\n'
    yield f' "options": {_text(fields.options(document))},\n "repositories": ['
    empty = True
    for entry in fields.repositories(document.plan):
        yield ("\n" if empty else ",\n") + _repository(entry)
        empty = False
    yield "],\n" if empty else "\n ],\n"
    yield _list("unmatched", [f"  {_text(line)}" for line in fields.unmatched(document.unmatched)], 1)
    yield f',\n "totals": {_text(fields.totals(document))}\n}}\n'


def _repository(entry: Mapping[str, Any]) -> str:
    parts = [f"   {_text(key)}: {_text(value)}" for key, value in entry.items() if not isinstance(value, list)]
    parts += [_list(key, [f"    {_text(line)}" for line in entry[key]], 3) for key in ("manifests", "settled")]
    return "  {\n" + ",\n".join(parts) + "\n  }"


def _list(key: str, lines: Sequence[str], indent: int) -> str:
    blank = " " * indent
    return f"{blank}{_text(key)}: [\n" + ",\n".join(lines) + f"\n{blank}]" if lines else f"{blank}{_text(key)}: []"


def _text(value: object) -> str:
    return json.dumps(value)
