"""Finds the line of a key in a TOML file, for messages: the standard library's reader keeps no line numbers."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

_HEADER = re.compile(r"\s*\[\[?(.+?)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""", re.ASCII)


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """Return the line of a key, or of the table nearest to it; None where neither is found."""
    table: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        header, key = _HEADER.fullmatch(line), _KEY.match(line)
        if header is not None:
            here = table = _path(header[1])
        elif key is not None:
            here = (*table, *_path(key[1]))
        else:
            continue
        if here and tuple(keys[: len(here)]) == here and (best is None or len(here) > best[0]):
            best = len(here), number
    return None if best is None else best[1]


def _path(key: str) -> tuple[str, ...]:
    """Split a dotted key by the reader of the standard library; () where the text is no key."""
    try:
        node: Any = tomllib.loads(f"{key} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    path = []
    while isinstance(node, dict):
        name, node = next(iter(node.items()))
        path.append(name)
    return tuple(path)
