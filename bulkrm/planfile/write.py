"""A plan as the text of a file: made to be read, and to be compared line by line."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bulkrm.planfile import fields
from bulkrm.planfile.document import FORMAT, VERSION, PlanDocument


def write(document: PlanDocument) -> str:
    """Return the JSON text: a manifest a line, everything in a fixed order, neither time nor run in it."""
    parts = [
        f' "format": {_text(FORMAT)}',
        f' "version": {VERSION}',
        f' "options": {_text(fields.options(document.policy, document.protect))}',
        _list("repositories", [_repository(entry) for entry in fields.repositories(document.plan)], 1),
        _list("unmatched", [f"  {_text(line)}" for line in fields.unmatched(document.unmatched)], 1),
        f' "totals": {_text(fields.totals(document))}',
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _repository(entry: Mapping[str, Any]) -> str:
    parts = [f"   {_text(key)}: {_text(value)}" for key, value in entry.items() if not isinstance(value, list)]
    parts += [_list(key, [f"    {_text(line)}" for line in entry[key]], 3) for key in ("manifests", "settled")]
    return "  {\n" + ",\n".join(parts) + "\n  }"


def _list(key: str, lines: Sequence[str], indent: int) -> str:
    blank = " " * indent
    return f"{blank}{_text(key)}: [\n" + ",\n".join(lines) + f"\n{blank}]" if lines else f"{blank}{_text(key)}: []"


def _text(value: object) -> str:
    return json.dumps(value)
