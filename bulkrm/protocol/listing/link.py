"""The `Link` header of a listing, which leads to the next page.

Its URL cannot be requested unchanged. Behind a proxy it has the wrong scheme or host, Nexus and Artifactory add or omit the
part of the path that they use for routing (renovatebot/renovate#15030), and it may name another repository's list. So
bulkrm uses only its query, and only if the rest satisfies these rules:

1. The header is parsed by RFC 8288 section 3, with two deviations that servers make: single quotes, and no `<>`.
2. The target is resolved against the request. Scheme, host and the path before `/v2/` are ignored.
3. Its path must end as the request's does (`tags/list`, `referrers/DIGEST`, `_catalog`), and its repository must be the
   request's, or that with leading components missing or added.
4. It must have a query, of characters that RFC 3986 allows there.

The next request has the path of the first and exactly that query: a cursor may have any form, also a number instead of a
name (renovatebot/renovate#15080). A header that breaks a rule never counts as the end of a listing.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from bulkrm.model.errors import ProtocolError
from bulkrm.model.valueclass import valueclass

_ENDS = ("tags/list", "_catalog")
_REFERRERS = re.compile(r"(?:(.*)/)?(referrers/[^/]+)")
_QUERY = re.compile(r"""[!$-;=?-\[\]^_`a-z{|}~]+""")  # visible ASCII (RFC 3986) without " # < > and the backslash
# token BWS [ "=" BWS ( token / quoted-string ) ]; single-quoted values are not in the RFC, but some servers send them.
_PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s;,"]*)))?)?"""
)
_TARGET = re.compile(r"[ \t,]*(?:<([^<>]*)>|([^\s<>;,\"]+))")
_BETWEEN = re.compile(r"[ \t]*(?:,|$)")


@valueclass
class Link:
    """One link of the header. The names of parameters are in lower case; the first of equal names counts."""

    target: str
    parameters: tuple[tuple[str, str], ...]

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter; None: the link does not have it."""
        return next((value for known, value in self.parameters if known == name), None)


def parse_links(lines: Iterable[str]) -> list[Link]:
    """Parse the links of all `Link` lines. Raises ProtocolError for a malformed line."""
    return [link for line in lines for link in _parse_line(line)]


def _parse_line(line: str) -> Iterator[Link]:
    position, line = 0, line.strip(" \t,")
    while position < len(line):
        target = _TARGET.match(line, position)
        if target is None:
            raise ProtocolError("its Link header cannot be read")
        position = target.end()
        parameters: list[tuple[str, str]] = []
        while (found := _PARAMETER.match(line, position)) is not None:
            position = found.end()
            if found[1] is not None:
                quoted = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else None
                value = quoted if quoted is not None else found[3] if found[3] is not None else found[4]
                parameters.append((found[1].lower(), value or ""))
        between = _BETWEEN.match(line, position)
        if between is None:
            raise ProtocolError("its Link header cannot be read")
        position = between.end()
        yield Link(target[1] if target[1] is not None else target[2], tuple(parameters))


def next_target(lines: Iterable[str], target: str) -> str | None:
    """Return path and query of the request for the next page, after one for `target`; None: there is no next page.

    `lines`: the `Link` headers. Raises ProtocolError if a header breaks the rules above.
    """
    following = {_own_target(link, target) for link in parse_links(lines) if _is_next(link)}
    if len(following) > 1:
        raise ProtocolError("its Link header names two next pages")
    return following.pop() if following else None


def cursor(target: str) -> frozenset[tuple[str, str]]:
    """Return the parameters of a request's query as a set. Two equal cursors in one listing mean an endless loop."""
    return frozenset(parse_qsl(urlsplit(target).query, keep_blank_values=True, encoding="latin-1"))


def same_repository(named: str, path: str) -> bool:
    """Tell whether a name in an answer is `path`, or `path` with leading components missing or added."""
    theirs, ours = named.strip("/").lower().split("/"), path.lower().split("/")
    shorter = min(len(theirs), len(ours))
    return bool(theirs[0]) and theirs[-shorter:] == ours[-shorter:]


def _is_next(link: Link) -> bool:
    """Tell whether a link leads to the next page. Raises ProtocolError if it has no `rel`, or has an `anchor`."""
    relation = link.parameter("rel")
    if relation is None:
        raise ProtocolError("one of its Links has no `rel`")
    if "next" not in relation.lower().split():
        return False
    if link.parameter("anchor"):
        raise ProtocolError("one of its Links has an `anchor`, so it is not about the listing")
    return True


def _own_target(link: Link, target: str) -> str:
    path, _, _ = target.partition("?")
    try:
        parts = urlsplit(urljoin(f"https://registry.invalid{target}", link.target))
    except ValueError as error:
        raise ProtocolError("its Link header holds no URL") from error
    if not any(_is_ours(rest, path) for rest in _after_v2(unquote(parts.path))):
        raise ProtocolError("its Link header leads to something else than this listing")
    if not _QUERY.fullmatch(parts.query):
        raise ProtocolError("its Link header names no page")
    return f"{path}?{parts.query}"


def _after_v2(path: str) -> Iterator[str]:
    """Yield the rest of a path after each `/v2/` in it: the prefix of a proxy or the repository may contain `/v2/` too."""
    position = path.find("/v2/")
    while position >= 0:
        yield path[position + len("/v2/") :]
        position = path.find("/v2/", position + 1)


def _is_ours(rest: str, path: str) -> bool:
    theirs, ours = _cut(rest), _cut(path.removeprefix("/v2/"))
    if theirs is None or ours is None or theirs[1] != ours[1] or not {".", ".."}.isdisjoint(rest.split("/")):
        return False
    return not ours[0] or same_repository(theirs[0], ours[0])


def _cut(rest: str) -> tuple[str, str] | None:
    """Split a path without `/v2/` into the repository and the end, such as `tags/list`; None: it has no known end."""
    for end in _ENDS:
        if rest == end or rest.endswith(f"/{end}"):
            return rest[: -len(end)].rstrip("/"), end
    found = _REFERRERS.fullmatch(rest)
    return (found[1] or "", found[2]) if found else None
