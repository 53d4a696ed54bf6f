"""Turns wildcards into one regular expression, by wcmatch. Loaded on use: a list of plain references has no wildcards."""

import re
from collections.abc import Callable

from wcmatch import fnmatch, glob
from wcmatch._wcparse import PatternLimitException  # wcmatch raises it, but has no public name for it

_IN_NAMES = glob.GLOBSTAR | glob.BRACE | glob.FORCEUNIX | glob.DOTGLOB | glob.CASE
_IN_TEXTS = fnmatch.BRACE | fnmatch.CASE | fnmatch.DOTMATCH | fnmatch.FORCEUNIX
Fits = Callable[[str], object]


def of_name(text: str) -> Fits | None:
    """Return the `fullmatch` of a checked pattern of a tag, path or host; None: it stands for more than 1000 patterns."""
    try:
        included, _ = glob.translate(text, flags=_IN_NAMES)
    except PatternLimitException:
        return None
    return re.compile("|".join(included)).fullmatch


def of_text(text: str) -> Fits | None:
    """Return the `fullmatch` of a pattern whose `*` crosses `/` as well; None: it stands for more than 1000 patterns."""
    try:
        included, _ = fnmatch.translate(text, flags=_IN_TEXTS)
    except PatternLimitException:
        return None
    return re.compile("|".join(included)).fullmatch
