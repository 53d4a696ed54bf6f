"""The grammar of patterns: checks their text and compiles it to a regular expression."""

import re
from collections.abc import Callable
from typing import NoReturn

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import mask_credentials, parse_host

MAX_TEXT = 1000  # host, path, tag and digest together are shorter
_SHOWN = 160
TOO_MANY = ("stands for more than 1000 patterns", "use '*' instead of some of its {...}")
_MAX_NESTING = 4
# Each `**` multiplies the ways in which a long path can be cut.
_MAX_DOUBLE_STARS = 3
_WILDCARDS = re.compile(r"[*?\[\]{}]")
_IPV6 = re.compile(r"\[[0-9a-fA-F.]*:")
_WHOLE_COMPONENT = re.compile(r"(?<![^/])\*\*(?![^/])")


def _tokens(letters: str, sequence: str, more: str = "") -> re.Pattern[str]:
    """Return the expression of one token; `letters` are allowed everywhere, those of `more` outside `[...]` only."""
    number = r"-?[0-9]{1,9}"
    return re.compile(
        rf"(?P<set>\[[!^]?[{letters}]+\])"
        rf"|(?P<sequence>\{{(?:{number}\.\.{number}|{sequence})(?:\.\.{number})?\}})"
        rf"|(?P<plain>[{more}{letters}]|\*{{1,2}}(?!\*)|\?)"
        r"|(?P<open>\{)|(?P<comma>,)|(?P<close>\})|(?P<other>.)",
        re.DOTALL,
    )


_TAG = _tokens("A-Za-z0-9._-", r"[a-z]\.\.[a-z]|[A-Z]\.\.[A-Z]")
_PATH = _tokens("a-z0-9._-", r"[a-z]\.\.[a-z]", "/")
_HOST = _tokens("a-z0-9.-", r"[a-z]\.\.[a-z]", ":")


def has_wildcards(text: str) -> bool:
    """Tell whether there is any character of a pattern in the text."""
    return _WILDCARDS.search(text) is not None


def split_tag(text: str) -> tuple[str, str | None]:
    """Split a pattern at the last colon after the last slash into name and tag; None: there is no such colon."""
    colon = text.rfind(":", text.rfind("/") + 1)
    return (text, None) if colon < 0 else (text[:colon], text[colon + 1 :])


def check_text(text: str, digest_remedy: str) -> None:
    """Raise InputError for common mistakes, with an explanation: the grammar alone could only name a wrong character.

    `digest_remedy`: what to write instead of a digest, which a pattern cannot have.
    """
    if not text.strip():
        raise InputError(Problem("", "an empty pattern", "remove it, or write REPOSITORY:TAG"))
    _check_length(text)
    name, at, digest = text.rpartition("@")
    if at and digest.startswith(("sha256:", "sha512:")) and "@" not in name:
        refuse(text, "has a digest, where only tags can be chosen", digest_remedy)
    if at:
        refuse(text, "holds credentials, which do not belong in a pattern", "use -u with -p, or --password-stdin")
    if "://" in text:
        refuse(text, "starts with a scheme", f"write {text.partition('://')[2]}")


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        refuse(text, f"is longer than {MAX_TEXT} characters", "write several shorter ones")


def refuse(text: str, what: str, remedy: str = "") -> NoReturn:
    """Raise InputError about this text, credentials masked."""
    shown = mask_credentials(text)  # before it is cut: the `@` may stand far behind
    raise InputError(Problem("", f"{shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'!r} {what}", remedy))


def compile_tag(text: str) -> Callable[[str], object]:
    """Compile the pattern of a tag."""
    _check(text, _TAG)
    if text.startswith((".", "-")):
        refuse(text, "can never match", "a tag starts with a letter, a digit or '_'")
    return _compile(text)


def compile_path(text: str) -> Callable[[str], object]:
    """Compile the pattern of a path; `a**b` crosses `/` as well, which wcmatch does for a whole component only."""
    _check(text, _PATH)
    if not all(text.split("/")):
        refuse(text, "can never match", "a path has no '/' at its ends and no '//' in it")
    if text.count("**") > _MAX_DOUBLE_STARS:
        refuse(text, f"has more than {_MAX_DOUBLE_STARS} '**'", "a single '*' is enough inside a component")
    whole = {match.start() for match in _WHOLE_COMPONENT.finditer(text)}
    return _compile(re.sub(r"\*\*", lambda match: "**" if match.start() in whole else "{**,*/**/*}", text))


def compile_host(text: str, default_port: int) -> Callable[[str], object]:
    """Compile the pattern of a host, which is matched on the host's normal form."""
    if not has_wildcards(text) or _IPV6.match(text):
        host = parse_host(text, default_port)
        return re.compile(re.escape(host)).fullmatch
    lower = text.lower().removesuffix(f":{default_port}")
    _check(lower, _HOST)
    return _compile(lower)


def _compile(text: str) -> Callable[[str], object]:
    """Turn a checked pattern into the `fullmatch` of one regular expression."""
    from bulkrm.selection.patterns import wildcards  # noqa: PLC0415 (loaded on use)

    return wildcards.of_name(text) or refuse(text, *TOO_MANY)


def _check(text: str, tokens: re.Pattern[str]) -> None:
    """Refuse unclosed brackets, characters that no name has, and sets and braces without effect."""
    if not text:
        raise InputError(Problem("", "an empty pattern of a repository or a tag", "write * for all of them"))
    _check_length(text)
    braces: list[int] = []  # the commas in each one that is open
    for match in tokens.finditer(text):
        if match.lastgroup == "set":
            _check_set(text, match.group())
        elif match.lastgroup not in {"plain", "sequence"}:
            _follow_braces(text, match.group(), braces)
    if braces:
        refuse(text, "has a '{' that is not closed", "braces give a choice: {a,b}")


def _follow_braces(text: str, character: str, braces: list[int]) -> None:
    """Track the open braces and their commas; refuse every other character."""
    if character == "{" and len(braces) < _MAX_NESTING:
        braces.append(0)
    elif character == "," and braces:
        braces[-1] += 1
    elif character == "}" and braces and braces[-1]:
        braces.pop()
    else:
        _refuse_character(text, character)


def _check_set(text: str, token: str) -> None:
    """Refuse a set with a range that goes backwards, which matches nothing."""
    for low, high in re.findall(r"([^-])-([^-])", token[1:-1].lstrip("!^")):
        if low > high:
            refuse(text, f"can never match: {low}-{high} goes backwards", f"write {high}-{low}")


def _refuse_character(text: str, character: str) -> NoReturn:
    """Raise InputError that explains why a pattern cannot have this character at its place."""
    match character:
        case "{" | "}" | ",":
            refuse(
                text,
                f"has a {character!r} out of place",
                f"braces give a choice, {{a,b}}, {_MAX_NESTING} levels at most",
            )
        case "[" | "]":
            refuse(
                text,
                f"has a {character!r} without its partner",
                "write a set of characters as [a-z], without blanks and '/'",
            )
        case "\\":
            refuse(text, "has a backslash", "there is nothing to escape: no name holds a character of a pattern")
        case "*":
            refuse(text, "has more than two stars in a row", "write * within a component, ** across components")
        case _ if character.isupper():
            refuse(
                text, "can never match: it has upper-case letters", f"repository names are lower case: {text.lower()}"
            )
        case _:
            refuse(
                text,
                f"can never match: no name holds {character!r}",
                "letters, digits, '.', '_', '-' and * ? [a-z] {a,b}",
            )
