"""Parses JSON strictly: text that another parser could read differently is refused."""

import json
from collections import Counter
from typing import Any, NoReturn


def strict_json(content: str | bytes) -> Any:
    """Parse JSON. Raises ValueError (json.JSONDecodeError with a position) where it is malformed or ambiguous.

    It is ambiguous if an object has a key twice, because some parsers take the first and others the last. NaN, Infinity,
    nesting that exhausts the parser, and half of a surrogate pair, which cannot be written as UTF-8, are refused too.
    """
    text = _decoded(content)
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\u" in text:
        _refuse_half_pairs(found)
    return found


def _decoded(content: str | bytes) -> str:
    if isinstance(content, str):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def _refuse_half_pairs(found: object) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair in it is not text") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key[:80]!r} is there twice")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
