r"""Regular expressions of a list, matched against whole tags: RE2's syntax, checked before anything is compiled.

They run in the engine of the `regex` package with a time limit for each tag, because nested repetitions can take
exponential time. The syntax is the part of RE2's (google/re2 doc/syntax.txt) that applies to tags, so that an expression
means the same in other tools: no lookaround, no backreference, nothing possessive, atomic, recursive or fuzzy. All other
constructs of `regex` are refused, because readers who know RE2 would not expect them.
"""

import re
from dataclasses import field
from typing import Any

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.patterns.syntax import MAX_TEXT, refuse

SECONDS = 0.1  # for one tag, which has at most 128 characters
_MAX_REPEAT = 1000  # RE2's limit; the counts of nested groups are multiplied
_DIGITS = 6  # a count with more digits exceeds the limit anyway
_MAX_NESTING = 32
_ARTIFACT = re.compile(r"sha(?:256|512)-[0-9a-f]{64}")
_CLASSES, _BORDERS = frozenset("dDwWsS"), frozenset("bBA")
_PUNCTUATION = frozenset("\\.+*?()|[]{}^$-/_:@#%&,;=!<>~'\"` ")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}", re.ASCII)
_POSIX = re.compile(r"\[:\^?[a-z]+:\]")
_GROUP = re.compile(r"\(\?(?::|P?<(?![=!])[A-Za-z_]\w*>|[is]+(?:-[is]+)?:|-[is]+:)", re.ASCII)
_FLAGS = re.compile(r"\(\?[is]+\)")  # only at the beginning: `regex` applies them to the whole expression
_LIKE_RE2 = "write it as RE2 has it: groups, classes, | * + ? {n,m}, without lookaround and backreferences"


@valueclass
class Expression:
    """A regular expression that is matched against whole tags. Raises InputError with one Problem when it is malformed."""

    text: str
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check and compile."""
        import regex  # noqa: PLC0415 (loaded on use: few lists have expressions)

        check_syntax(self.text)
        try:
            compiled = regex.compile(self.text, flags=regex.V0 | regex.ASCII)
        except (regex.error, RecursionError, OverflowError) as error:
            raise InputError(
                Problem("", f"{_short(self.text)} is not a regular expression: {error}", _LIKE_RE2)
            ) from error
        object.__setattr__(self, "_compiled", compiled)

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    @property
    def captures(self) -> int:
        """The number of capturing groups."""
        return int(self._compiled.groups)

    def match(self, tag: str, seconds: float = SECONDS) -> tuple[str, ...] | None:
        """Return the captures of all groups, '' for a group that took no part; None: the tag does not match.

        Raises TimeoutError after `seconds`.
        """
        found = self._compiled.fullmatch(tag, timeout=seconds)
        return None if found is None else tuple(text or "" for text in found.groups())


@valueclass
class MatchingTags:
    """Chooses tags by a regular expression; never an artifact tag, nor a tag at which the time limit ends."""

    expression: Expression

    @property
    def text(self) -> str:
        """The expression as it was written."""
        return self.expression.text

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def matches(self, tag: str) -> bool:
        """Tell whether the expression chooses this tag."""
        try:
            return _ARTIFACT.match(tag) is None and self.expression.match(tag) is not None
        except TimeoutError:
            return False


@valueclass
class ExcludedTags:
    """Excludes tags by a regular expression; also every tag at which the time limit ends."""

    expression: Expression

    @property
    def text(self) -> str:
        """The expression as it was written."""
        return self.expression.text

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def matches(self, tag: str) -> bool:
        """Tell whether the expression excludes this tag."""
        try:
            return self.expression.match(tag) is not None
        except TimeoutError:
            return True


def check_syntax(text: str) -> None:
    """Refuse constructs that RE2 lacks, or that mean something else there. Raises InputError with one Problem."""
    if len(text) > MAX_TEXT:
        refuse(text, f"is longer than {MAX_TEXT} characters", "write several entries")
    if text != text.strip() or not text.isprintable():
        refuse(text, "has a blank at its end, or a character that cannot be seen", "no tag has one: remove it")
    nesting = _Nesting(text)
    at = 0
    while at < len(text):
        at = _step(text, at, nesting)


class _Nesting:
    """Multiplies the repetition counts of nested groups, because engines expand them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._groups = [1]  # for each open group the largest count of its parts
        self._last = 1

    def atom(self) -> None:
        self._last = 1

    def opened(self) -> None:
        self._groups.append(1)
        if len(self._groups) > _MAX_NESTING:
            refuse(self._text, f"has groups nested deeper than {_MAX_NESTING - 1}", "write it with fewer groups")

    def closed(self) -> None:
        if len(self._groups) == 1:
            refuse(self._text, "has a ')' without its partner", r"write \) for the character itself")
        self._last = self._groups.pop()
        self._groups[-1] = max(self._groups[-1], self._last)

    def repeated(self, count: int) -> None:
        self._last *= max(count, 1)
        self._groups[-1] = max(self._groups[-1], self._last)
        if self._last > _MAX_REPEAT:
            refuse(self._text, f"repeats more than {_MAX_REPEAT} times", "a tag has at most 128 characters")


def _step(text: str, at: int, nesting: _Nesting) -> int:
    """Check the construct that begins at a position; return the position after it."""
    match text[at]:
        case "(":
            nesting.opened()
            return _open(text, at)
        case ")":
            nesting.closed()
            return at + 1
        case "*" | "+" | "?":
            return _quantified(text, at + 1)
        case "{":
            return _repeat(text, at, nesting)
        case "}":
            return refuse(text, "has a '}' without its partner", r"write \} for the character itself")
        case character:
            nesting.atom()
            return {"\\": _escape, "[": _set}.get(character, _plain)(text, at)


def _plain(_: str, at: int) -> int:
    return at + 1


def _escape(text: str, at: int, *, inside: bool = False) -> int:
    following = text[at + 1 : at + 2]
    allowed = _CLASSES if inside else _CLASSES | _BORDERS
    if following and (following in _PUNCTUATION or following in allowed):
        return at + 2
    if following.isdigit():
        return refuse(text, f"has a backreference, \\{following}", _LIKE_RE2)
    return refuse(
        text, f"has the escape \\{following}", "escapes are \\d \\w \\s, their capitals, \\b, and \\ before punctuation"
    )


def _open(text: str, at: int) -> int:
    if text[at + 1 : at + 2] == "*":
        refuse(text, "has (*, which begins a verb of another engine", _LIKE_RE2)
    if text[at + 1 : at + 2] != "?":
        return at + 1
    match = _GROUP.match(text, at) or (_FLAGS.match(text) if at == 0 else None)
    if match is None:
        refuse(text, f"has {text[at : at + 4]}..., which RE2 does not have", _LIKE_RE2)
    return match.end()


def _set(text: str, at: int) -> int:
    """Check a character class, `[...]`; return the position after it."""
    at += 2 if text[at + 1 : at + 2] == "^" else 1
    first = at
    while at < len(text):
        character = text[at]
        if character == "]" and at > first:
            return at + 1
        posix = _POSIX.match(text, at)
        if character == "\\":
            at = _escape(text, at, inside=True)
        elif posix is not None:
            at = posix.end()
        elif character == "[":
            refuse(text, "has a '[' inside a class", r"write \[ for the character itself")
        elif text[at : at + 2] in ("||", "&&", "--", "~~"):
            refuse(text, f"has {text[at : at + 2]} inside a class", "there are no operations on classes here")
        else:
            at += 1
    return refuse(text, "has a '[' that is not closed", "a class: [a-z]")


def _repeat(text: str, at: int, nesting: _Nesting) -> int:
    match = _REPEAT.match(text, at)
    if match is None or at == 0:
        refuse(
            text,
            f"has {text[at : at + 6]!r} where only a count can stand",
            r"write {n}, {n,} or {n,m}, or \{ for the character",
        )
    low, high = match[1], match[2]
    counts = [count for count in (low, high) if count]
    nesting.repeated(max(int(count[:_DIGITS]) for count in counts))
    if high and int(high) < int(low):
        refuse(text, f"has {match[0]}, which goes backwards", f"write {{{high},{low}}}")
    return _quantified(text, match.end())


def _quantified(text: str, at: int) -> int:
    """Allow one `?` after a quantifier, but no second quantifier: `a++` is possessive, and RE2 has no `a**`."""
    if text[at : at + 1] == "?":
        at += 1
    if text[at : at + 1] in ("*", "+", "?", "{") and at < len(text):
        refuse(text, f"has the quantifier {text[at]!r} after another one", _LIKE_RE2)
    return at


def _short(text: str) -> str:
    return repr(text if len(text) <= 160 else f"{text[:160]}...")  # noqa: PLR2004 (as in `refuse`)
