"""Parses the values of options. Every error says what to write instead."""

import re
from pathlib import Path

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Limit, Rate, Shared, Strategy

_RATE = re.compile(r"(\d{1,9})(?:/([smh]))?", re.ASCII)
_SECONDS_OF = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_LIMIT = re.compile(r"(\d{1,9})|(\d{1,3}(?:\.\d+)?)%", re.ASCII)
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_CONCURRENCY = 1000
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
CONFIRM_ABOVE = 1000  # deletions that are confirmed by a plain yes
_WHOLE = 100.0  # percent


def concurrency(text: str) -> int | None:
    """Read `--concurrency`: a number from 1 to 1000; None for `auto`."""
    if text == "auto":
        return None
    if re.fullmatch(r"[1-9][0-9]{0,3}", text) and int(text) <= _MAX_CONCURRENCY:
        return int(text)
    raise _bad("--concurrency", text, f"write auto or a number from 1 to {_MAX_CONCURRENCY}")


def rate(text: str | None) -> Rate | None:
    """Read `--rate`: N, N/s, N/m or N/h."""
    if text is None:
        return None
    match = _RATE.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise _bad("--rate", text, "write requests a second as 10, or 600/m, or 5000/h")
    return Rate(int(match[1]), _SECONDS[match[2]])


def limit(text: str | None) -> Limit | None:
    """Read `--max-delete`: N or P%, or both with a comma between; then both limits hold."""
    if text is None:
        return None
    parts = [_limit(text, part.strip()) for part in text.split(",")]
    return Limit.smallest(parts)


def _limit(text: str, part: str) -> Limit:
    match = _LIMIT.fullmatch(part)
    if match is None or (match[2] and float(match[2]) > _WHOLE):
        raise _bad("--max-delete", text, "write a number of tags as 100, or a share of the tags as 20%")
    return Limit(float(match[1]) if match[1] else float(match[2]), percent=match[1] is None)


def smallest(lower: str, higher: str) -> str:
    """Return one text for two limits of which both hold. Raises InputError."""
    limits = [found for text in (lower, higher) if (found := limit(text)) is not None]
    return str(Limit.smallest(limits))


def confirm_above(text: str) -> int:
    """Read `--confirm-above`: a number of deletions."""
    if _COUNT.fullmatch(text.strip()):
        return int(text)
    raise _bad("--confirm-above", text, "write a number as 100; 0 means always")


def smallest_number(lower: str | int, higher: str | int) -> int:
    """Return the smaller of two numbers of `--confirm-above`. Raises InputError."""
    return min(confirm_above(str(lower)), confirm_above(str(higher)))


def shared(text: str) -> Shared:
    """Read `--shared`."""
    try:
        return Shared(text)
    except ValueError:
        raise _bad("--shared", text, f"write one of {', '.join(Shared)}") from None


def strategy(text: str) -> Strategy:
    """Read `--strategy`."""
    try:
        return Strategy(text)
    except ValueError:
        raise _bad("--strategy", text, f"write one of {', '.join(Strategy)}") from None


def timeout(text: str) -> float:
    """Read `--timeout`: a number of seconds, without a unit."""
    if _SECONDS_OF.fullmatch(text.strip()) and float(text) > 0:
        return float(text)
    raise _bad("--timeout", text, "write a number of seconds, more than 0 and without a unit, as 30 or 0.5")


def report(text: str, formats: tuple[str, ...]) -> tuple[str, Path]:
    """Read `--report`: FORMAT=FILE."""
    name, equals, file = text.partition("=")
    if not equals or not file or name not in formats:
        raise _bad("--report", text, f"write FORMAT=FILE, with a format of {', '.join(formats)}")
    return name, Path(file)


def _bad(option: str, text: str, remedy: str) -> InputError:
    return InputError(Problem(option, f"{text[:80]!r} is not understood", remedy))
