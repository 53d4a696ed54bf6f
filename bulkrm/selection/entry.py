"""Parses one entry of a list, or one argument: into a target, a glob that listings turn into targets, or a ConditionalEntry."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.reference import (
    HTTPS_PORT,
    DigestRef,
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
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry, refuse_by_digest
from bulkrm.selection.found_selectors import conditions
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import RepositoryPattern, TagPattern
from bulkrm.selection.patterns.syntax import MAX_TEXT, check_text, has_wildcards, refuse, split_tag
from bulkrm.selection.selector import ChooseTags, ExcludeTags, TagFilter

_DIGEST_REMEDY = "a digest names one manifest: make it an entry of its own, with the full name"
_IPV6_HOST = re.compile(r"\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\](?::[0-9]+)?/")


Entry = Target | Glob | ConditionalEntry
TagItem = TagPattern | str  # a str is one exact tag


@valueclass
class LongForm:
    """The keys beside `image` in the long form of an entry. `tags` None: `image` has the tag or digest, or a condition.

    `values`: the parsed values of the keys of conditions; `written`: the same values as the list has them.
    """

    tags: tuple[TagItem, ...] | None = None
    exclude: tuple[TagFilter, ...] = ()
    note: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)


SHORT_FORM = LongForm()


def parse_entry(
    text: str,
    *,
    source: Source,
    default_host: str | None = None,
    default_port: int = HTTPS_PORT,
    detail: LongForm = SHORT_FORM,
) -> list[Entry]:
    """Parse a reference or a glob: into one entry, or one for each of `detail.tags` if the entry has no conditions.

    `default_host` (a normal form) is for references without a host; None: those are refused. Raises InputError, whose
    problems have an empty `where`: the caller knows the place.
    """
    if len(text) > MAX_TEXT:
        refuse(text, f"is longer than {MAX_TEXT} characters", "one reference an entry")
    if detail.values:
        return [_conditional(text, source, default_host, default_port, detail)]
    return list(_parse_pieces(text, source, default_host, default_port, detail))


def _conditional(
    text: str, source: Source, default_host: str | None, default_port: int, detail: LongForm
) -> ConditionalEntry:
    found = conditions(detail.values)
    excluded = tuple(condition.excluded for condition in found if isinstance(condition, ExcludeTags))
    written = dict(_written(detail))
    detail = replace(detail, exclude=(*detail.exclude, *excluded))
    without_tags = next((key for key in ("match", "untagged") if key in detail.values), None)
    if without_tags is None:
        pieces = tuple(_parse_pieces(text, source, default_host, default_port, detail))
        place = text if detail.tags is None else str(_parse_place(text, default_host, default_port))
        if any(isinstance(piece, Target) and _has_digest(piece) for piece in pieces):
            refuse_by_digest(detail.values)
        image = place if detail.tags is not None else _normal(pieces[0])
    else:
        if detail.tags is not None:
            raise InputError(Problem("", f"tags and {without_tags} in one entry", "remove one, or write two entries"))
        where = _parse_place(text, default_host, default_port, without_tags)
        chooses = [condition.chooses for condition in found if isinstance(condition, ChooseTags)]
        if {"match", "untagged"} <= set(detail.values):
            raise InputError(Problem("", "match and untagged in one entry", "write two entries"))
        every: list[TagFilter] = [TagPattern("*")]
        pieces = tuple(Glob(where, tags, source, detail.exclude, detail.note) for tags in chooses or every)
        image = str(where)
    return ConditionalEntry(source, detail.note, pieces, found, {"image": image, **written})


def _written(detail: LongForm) -> Iterator[tuple[str, Any]]:
    """Yield the keys of an entry with their values as the list has them."""
    if detail.tags is not None:
        yield "tags", [str(tag) for tag in detail.tags]
    if detail.exclude:
        yield "exclude", [pattern.text for pattern in detail.exclude]
    if detail.note is not None:
        yield "note", detail.note
    yield from sorted(detail.written.items())


def _has_digest(target: Target) -> bool:
    return isinstance(target.reference, DigestRef) or target.reference.pin is not None


def _normal(piece: Target | Glob) -> str:
    return str(piece.reference) if isinstance(piece, Target) else piece.text


def _parse_pieces(
    text: str, source: Source, default_host: str | None, default_port: int, detail: LongForm
) -> list[Target | Glob]:
    if detail.tags is not None:
        return _with_tags(_parse_place(text, default_host, default_port), detail.tags, detail, source)
    if not _is_glob(text):
        if detail.exclude:
            refuse(text, "is not a pattern, so there is nothing to exclude", "remove exclude")
        return [
            Target(parse_reference(text, default_host=default_host, default_port=default_port), source, detail.note)
        ]
    check_text(text, _DIGEST_REMEDY)
    refuse_missing_part(text)
    name, tag = split_tag(text)
    if tag is None:
        refuse(text, "has neither a tag nor a pattern of tags", f"write {text}:TAG, or {text}:* for all tags")
    place = _parse_repository(name, default_host, default_port)
    return [Glob(place, TagPattern(tag), source, detail.exclude, detail.note)]


def parse_tag(text: str) -> TagItem:
    """Parse one of `tags`: an exact tag or a pattern. Raises InputError with one Problem, whose `where` is empty."""
    if has_wildcards(text):
        return TagPattern(text)
    if not is_tag(text):
        remedy = "a tag has up to 128 letters, digits, '_', '.', '-', and starts with none of the last two"
        refuse(text, "is not a tag", remedy)
    return text


def _is_glob(text: str) -> bool:
    """Tell whether a text is a glob; the brackets of an IPv6 host do not make it one."""
    host = _IPV6_HOST.match(text)
    return has_wildcards(text[host.end() :] if host else text)


def _parse_place(
    text: str, default_host: str | None, default_port: int, key: str = "tags"
) -> Repository | RepositoryPattern:
    """Parse the value of `image` beside `tags`, `match` or `untagged` (`key`): it must have no tag and no digest."""
    check_text(text, _DIGEST_REMEDY)
    refuse_missing_part(text)
    name, tag = split_tag(text)
    if tag is not None:
        refuse(text, f"has a tag, and {key} beside it", f"write {name} with {key}, or {text} without")
    return _parse_repository(name, default_host, default_port)


def _parse_repository(name: str, default_host: str | None, default_port: int) -> Repository | RepositoryPattern:
    """Parse `[host/]path`, whose path may be a pattern."""
    if not _is_glob(name):
        return parse_repository(name, default_host, default_port)
    host, path = split_host(name, default_host, default_port)
    return RepositoryPattern(host, hub_path(host, path))


def _excludes(pattern: TagFilter, tag: str) -> bool:
    """Tell whether a pattern excludes a tag. Raises InputError where that is for a plugin to tell, and it fails."""
    try:
        return pattern.matches(tag)
    except PluginError as error:
        raise InputError(error.problem) from error


def _with_tags(
    place: Repository | RepositoryPattern, tags: tuple[TagItem, ...], detail: LongForm, source: Source
) -> list[Target | Glob]:
    """Return one entry for each tag. Raises InputError where `exclude` matches an exact tag, or has no effect."""
    entries: list[Target | Glob] = []
    problems: list[Problem] = []
    for tag in tags:
        if isinstance(tag, TagPattern):
            entries.append(Glob(place, tag, source, detail.exclude, detail.note))
        elif isinstance(place, RepositoryPattern):
            entries.append(Glob(place, TagPattern(tag), source, detail.exclude, detail.note))
        else:
            excluded = next((pattern for pattern in detail.exclude if _excludes(pattern, tag)), None)
            if excluded is not None:
                what = f"the tag {tag!r} is listed and excluded, by {excluded.text!r}"
                problems.append(Problem("", what, "remove it from tags or from exclude"))
            entries.append(Target(TagRef(place, tag), source, detail.note))
    if entries and detail.exclude and not any(isinstance(entry, Glob) for entry in entries) and not problems:
        problems.append(Problem("", "no tag of this entry is a pattern, exclude has no effect", "remove exclude"))
    if problems:
        raise InputError(*problems)
    return entries
