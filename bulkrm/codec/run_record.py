"""The fields of run.json: the list and the options of a run, from which `resume` continues it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from bulkrm.codec.kinds import NUMBER, OBJECT, TEXT, TEXTS, optional, record_of, tuple_of
from bulkrm.codec.policy_fields import PolicyRecord, RulesRecord, policy_record
from bulkrm.codec.record import OMIT_EMPTY, from_json, to_json
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.settings import Policy
from bulkrm.model.target import Source, Target
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry, RunConditions
from bulkrm.selection.entry import Entry, LongForm, parse_entry
from bulkrm.selection.patterns.pattern import ExcludePattern


@valueclass(slots=False)
class _RunHead:
    """`started`: UTC, to the second; `bulkrm`: the version; `command`: `delete` or `apply`."""

    started: Annotated[str, TEXT]
    bulkrm: Annotated[str, TEXT]
    command: Annotated[str, TEXT]
    options: Annotated[PolicyRecord, record_of(PolicyRecord)]


@valueclass
class _PluginLine:
    """One plugin: its distribution, and the name and group of its entry point."""

    distribution: Annotated[str, TEXT]
    version: Annotated[str, TEXT]
    group: Annotated[str, TEXT]
    name: Annotated[str, TEXT]


@valueclass(slots=False)
class RunRecord(RulesRecord, _RunHead):
    """All fields of run.json but its version and its `list`, which may have a million entries."""

    plugins: Annotated[tuple[_PluginLine, ...], tuple_of(record_of(_PluginLine)), OMIT_EMPTY] = ()


@valueclass
class _ImageLine:
    """An entry of `list`: a reference or glob in full normal form, with the tag patterns that it excludes."""

    image: Annotated[str, TEXT]
    exclude: Annotated[tuple[str, ...], TEXTS]
    source: Annotated[str, TEXT]
    note: Annotated[str | None, optional(TEXT)]


@valueclass
class _ConditionalLine:
    """An entry of `list` with conditions: its number among the `conditions` of the run, from 0."""

    conditions: Annotated[int, NUMBER]


def run_fields(
    started: datetime, version: str, command: str, policy: Policy, rules: RulesRecord, plugins: Iterable[Plugin] = ()
) -> dict[str, Any]:
    """Return the fields of run.json but its version and its list. `started` is in UTC."""
    moment = started.strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = tuple(_PluginLine(plugin.distribution, plugin.version, plugin.group, plugin.name) for plugin in plugins)
    return to_json(RunRecord(moment, version, command, policy_record(policy), **vars(rules), plugins=lines))


def list_fields(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Yield the entries of `list`."""
    number = 0
    for entry in entries:
        match entry:
            case ConditionalEntry():
                yield to_json(_ConditionalLine(number))
                number += 1
            case Target(reference, source, note):
                yield to_json(_ImageLine(str(reference), (), str(source), note))
            case _:
                exclude = tuple(pattern.text for pattern in entry.exclude)
                yield to_json(_ImageLine(entry.text, exclude, str(entry.source), entry.note))


def read_run(found: Mapping[str, Any]) -> RunRecord:
    """Parse the fields of run.json but its version and its list. Raises ValueError that names the wrong field."""
    return from_json(RunRecord, found)


def read_list(found: object, conditions: RunConditions, default_port: int) -> Iterator[Entry]:
    """Yield the entries of `list`. Raises ValueError or InputError where one cannot be parsed."""
    conditional = iter(enumerate(conditions.entries))
    for fields in tuple_of(OBJECT).read(found):
        if "conditions" in fields:
            number, entry = next(conditional, (None, None))
            if entry is None or from_json(_ConditionalLine, fields).conditions != number:
                raise ValueError("its entries with conditions are not in their order")
            yield entry
            continue
        line = from_json(_ImageLine, fields)
        detail = LongForm(None, tuple(map(ExcludePattern, line.exclude)), line.note)
        source = Source.parse(line.source)
        yield from parse_entry(line.image, source=source, default_port=default_port, detail=detail)
    if next(conditional, None) is not None:
        raise ValueError("an entry with conditions is missing in its list")


def named_entries(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the image and the source of each entry of `list`, without parsing them; malformed entries are left out.

    This is for showing a run. To resume it, `read_list` reads the list strictly.
    """
    listed, conditional = found.get("list"), found.get("conditions")
    further = conditional if isinstance(conditional, list) else []
    for fields in listed if isinstance(listed, list) else ():
        entry = fields
        if isinstance(fields, dict) and isinstance(number := fields.get("conditions"), int):
            entry = further[number] if 0 <= number < len(further) else None
        image, source = (entry.get("image"), entry.get("source")) if isinstance(entry, dict) else (None, None)
        if isinstance(image, str) and isinstance(source, str):
            yield image, source
