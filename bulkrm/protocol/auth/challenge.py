"""`WWW-Authenticate`, by the grammar of RFC 9110 section 11.

    challenge  = scheme [ 1*SP ( token68 / #parameter ) ]
    parameter  = token BWS "=" BWS ( token / quoted-string )

A header line may have several challenges, separated by commas, and there may be several lines. A comma inside a quoted
value (`scope="repository:a/b:pull,push"`) belongs to the value, so the line cannot be split at commas.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.message import Answer

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 (RFC 9110 5.6.2, no secret)
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*(?=,|$)', re.DOTALL)
_SCHEME = re.compile(rf"\s*({_TOKEN})(?=\s|,|$)")
_TOKEN68 = re.compile(r"\s+[A-Za-z0-9\-._~+/]+=*\s*(?=,|$)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MAX_LENGTH = 16_384


@valueclass
class Challenge:
    """One challenge. The scheme and the names of the parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """Parse the challenges of all header lines, in order. The rest of a line after a malformed part is ignored."""
    return tuple(challenge for line in lines for challenge in _parse_line(line[:_MAX_LENGTH]))


def challenges_in(answer: Answer) -> tuple[Challenge, ...]:
    """Return the challenges of an answer, in order."""
    return parse_challenges(answer.headers.getall("WWW-Authenticate", []))


def choose(challenges: Iterable[Challenge]) -> Challenge | None:
    """Return the first Bearer challenge, else the first Basic one, as containerd does; None: neither is there."""
    known = [challenge for challenge in challenges if challenge.scheme in ("bearer", "basic")]
    return min(known, key=lambda challenge: challenge.scheme != "bearer", default=None)


def _parse_line(line: str) -> Iterator[Challenge]:
    position = 0
    while position < len(line):
        if line[position] in ", \t":
            position += 1
            continue
        scheme = _SCHEME.match(line, position)
        if scheme is None:
            return
        parameters, position = _parse_parameters(line, scheme.end())
        yield Challenge(scheme[1].lower(), parameters)


def _parse_parameters(line: str, position: int) -> tuple[dict[str, str], int]:
    """Return the parameters of one challenge, and the position after them."""
    parameters: dict[str, str] = {}
    while True:
        blank = re.compile(r"[\s,]*").match(line, position)
        start = blank.end() if blank else position
        match = _PARAMETER.match(line, start)
        if match is None:
            break
        quoted = match[2]
        value = match[3] if quoted is None else _ESCAPE.sub(r"\1", quoted)
        # The first of two equal names counts, so that a later one cannot replace a value that a front-end wrote.
        parameters.setdefault(match[1].lower(), value)
        position = match.end()
    if not parameters:
        token68 = _TOKEN68.match(line, position)
        position = token68.end() if token68 else position
    return parameters, position
