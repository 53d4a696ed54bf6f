"""Versions in tags: semver.org 2.0.0 with the abbreviations that tags use, and PEP 440.

Both functions return a key to sort by, larger for the newer version; None: the tag is not a version.
"""

import re
from typing import Any

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"v?(?P<core>{_NUMBER}(?:\.{_NUMBER}){{0,2}})"
    rf"(?:-(?P<before>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z.-]+)?"
)


def semver(tag: str) -> Any:
    """Parse a tag such as 1.2.3, v1.2 or 2.0.0-rc.1. Text after `+` does not count; numbers have no leading zeros."""
    match = _SEMVER.fullmatch(tag)
    if match is None:
        return None
    numbers = [int(number) for number in match["core"].split(".")]
    before = match["before"]
    # A pre-release sorts below its release; identifiers of digits numerically, and below all others (semver.org, item 11).
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".")] if before else []
    return (*numbers, 0, 0)[:3], before is None, parts


def pep440(tag: str) -> Any:
    """Parse a tag by PEP 440, as versions of Python packages: 1.0rc1 sorts before 1.0, and 1.0 before 1.0-1."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 (loaded on use: few lists sort by it)

    try:
        return Version(tag)
    except InvalidVersion:
        return None
