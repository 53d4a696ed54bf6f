"""What one entry of a list, or one argument, asks for: a target, or a glob that listings turn into targets."""

import re
from dataclasses import dataclass

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import (
    HTTPS_PORT,
    Repository,
    TagRef,
    hub_path,
    is_tag,
    parse_reference,
    parse_repository,
    refuse_missing_part,
    split_host,
)
from bulkrm.model.target import Source, Target
from bulkrm.selection.pattern import ExcludePattern, RepositoryPattern, TagPattern
from bulkrm.selection.syntax import MAX_TEXT, check_text, cut, has_wildcards, refuse

_DIGEST_REMEDY = "a digest names one manifest: make it an entry of its own, with the full name"
_IPV6_HOST = re.compile(r"\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\](?::[0-9]+)?/")


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern of images.

    Where `repository` is a Repository, its tag listing is enough; a RepositoryPattern needs the catalog of the host
    first. `exclude` are tags that stay.
    """

    repository: Repository | RepositoryPattern
    tags: TagPattern
    source: Source
    exclude: tuple[ExcludePattern, ...] = ()
    note: str | None = None

    @property
    def host(self) -> str:
        """The registry, in normal form."""
        return self.repository.host

    @property
    def text(self) -> str:
        """The normal form: `host/team/app:pr-*`."""
        return f"{self.repository}:{self.tags}"


Entry = Target | Glob
TagItem = TagPattern | str  # a str is one exact tag


@dataclass(frozen=True, slots=True)
class Detail:
    """What the long form of an entry adds. `tags` None: the tag or the digest stands in the reference."""

    tags: tuple[TagItem, ...] | None = None
    exclude: tuple[ExcludePattern, ...] = ()
    note: str | None = None


PLAIN = Detail()


def parse_entry(
    text: str,
    *,
    source: Source,
    default_host: str | None = None,
    default_port: int = HTTPS_PORT,
    detail: Detail = PLAIN,
) -> list[Entry]:
    """Read a reference or a glob; with `detail.tags`, one entry for each of them.

    `default_host` (a normal form) is for references without a host. Raises InputError, whose problems have an empty
    `where`: the caller knows the place.
    """
    if len(text) > MAX_TEXT:
        refuse(text, f"is longer than {MAX_TEXT} characters", "one reference an entry")
    if detail.tags is not None:
        return _with_tags(_parse_place(text, default_host, default_port), detail.tags, detail, source)
    if not _is_glob(text):
        if detail.exclude:
            refuse(text, "is no pattern, there is nothing to exclude from it", "remove exclude")
        return [
            Target(parse_reference(text, default_host=default_host, default_port=default_port), source, detail.note)
        ]
    check_text(text, _DIGEST_REMEDY)
    refuse_missing_part(text)
    name, tag = cut(text)
    if tag is None:
        refuse(text, "has neither a tag nor a pattern of tags", f"write {text}:TAG, or {text}:* for all tags")
    place = _parse_repository(name, default_host, default_port)
    return [Glob(place, TagPattern(tag), source, detail.exclude, detail.note)]


def parse_tag(text: str) -> TagItem:
    """Read one of `tags`: an exact tag or a pattern. Raises InputError with one Problem, whose `where` is empty."""
    if has_wildcards(text):
        return TagPattern(text)
    if not is_tag(text):
        remedy = "a tag has up to 128 letters, digits, '_', '.', '-', and starts with none of the last two"
        refuse(text, "is not a tag", remedy)
    return text


def _is_glob(text: str) -> bool:
    """Tell a glob from a reference; the brackets of an IPv6 host are no pattern."""
    host = _IPV6_HOST.match(text)
    return has_wildcards(text[host.end() :] if host else text)


def _parse_place(text: str, default_host: str | None, default_port: int) -> Repository | RepositoryPattern:
    """Read the image beside `tags`, which has neither a tag nor a digest of its own."""
    check_text(text, _DIGEST_REMEDY)
    refuse_missing_part(text)
    name, tag = cut(text)
    if tag is not None:
        refuse(text, "has a tag, and tags beside it", f"write {name} with tags, or {text} without")
    return _parse_repository(name, default_host, default_port)


def _parse_repository(name: str, default_host: str | None, default_port: int) -> Repository | RepositoryPattern:
    """Read `[host/]path`, the path of which may be a pattern."""
    if not _is_glob(name):
        return parse_repository(name, default_host, default_port)
    host, path = split_host(name, default_host, default_port)
    return RepositoryPattern(host, hub_path(host, path))


def _with_tags(
    place: Repository | RepositoryPattern, tags: tuple[TagItem, ...], detail: Detail, source: Source
) -> list[Entry]:
    """Make one entry of each tag. An exact tag that `exclude` matches is a contradiction."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for tag in tags:
        if isinstance(tag, TagPattern):
            entries.append(Glob(place, tag, source, detail.exclude, detail.note))
        elif isinstance(place, RepositoryPattern):
            entries.append(Glob(place, TagPattern(tag), source, detail.exclude, detail.note))
        else:
            excluded = next((pattern for pattern in detail.exclude if pattern.matches(tag)), None)
            if excluded is not None:
                what = f"the tag {tag!r} is listed and excluded, by {excluded.text!r}"
                problems.append(Problem("", what, "remove it from tags or from exclude"))
            entries.append(Target(TagRef(place, tag), source, detail.note))
    if entries and detail.exclude and not any(isinstance(entry, Glob) for entry in entries) and not problems:
        problems.append(Problem("", "no tag of this entry is a pattern, exclude has no effect", "remove exclude"))
    if problems:
        raise InputError(*problems)
    return entries
