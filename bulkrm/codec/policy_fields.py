"""What a plan or a run was made with, as JSON has it: written and read in one place, so that nothing gets lost between."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.settings import Limit, Policy, Shared, Strategy
from bulkrm.model.target import Source
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.entry import LongForm, parse_entry, parse_tag
from bulkrm.selection.in_use.references import normal_reference
from bulkrm.selection.patterns.pattern import ExcludePattern
from bulkrm.selection.run_conditions import RunConditions
from bulkrm.selection.selector import KeyLevel, keys, parse_recorded

_ENTRY = frozenset({"image", "tags", "exclude", "note", "source"})  # the keys of an entry that are no conditions
_FLAGS = ("fail_fast", "recursive", "allow_decoy", "verify")


def options_of(policy: Policy) -> dict[str, Any]:
    """Return the fields of a policy, as far as a plan is made again with them."""
    return {
        "shared": policy.shared.value,
        "recursive": policy.recursive,
        "allow_decoy": policy.allow_decoy,
        "max_delete": str(policy.max_delete) if policy.max_delete else None,
        "fail_fast": policy.fail_fast,
        "strategy": policy.strategy.value,
        "verify": policy.verify,
    }


def ignoring(patterns: Iterable[str]) -> dict[str, Any]:
    """Return the field of the damaged tags that hold nothing back; without any, plans and runs are what they always were."""
    found = list(patterns)
    return {"ignore_unreadable": found} if found else {}


def ignored_by(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the patterns of `ignoring`, of a plan's or a run's options. Raises ValueError where they are none."""
    found = fields.get("ignore_unreadable", [])
    if not isinstance(found, list) or not all(isinstance(pattern, str) for pattern in found):
        raise ValueError("ignore_unreadable is no list of patterns")
    return tuple(found)


def policy_of(fields: Mapping[str, Any]) -> Policy:
    """Return the policy that these fields are of. Raises ValueError where a value is none, KeyError where one is missing."""
    for flag in _FLAGS:
        if not isinstance(fields[flag], bool):
            raise ValueError(f"{flag!r} is neither true nor false")  # noqa: TRY004 (of what a file says)
    return Policy(
        Shared(fields["shared"]),
        _limit(fields["max_delete"]),
        fail_fast=bool(fields["fail_fast"]),
        recursive=bool(fields["recursive"]),
        allow_decoy=bool(fields["allow_decoy"]),
        verify=bool(fields["verify"]),
        strategy=Strategy(fields["strategy"]),
    )


def _limit(text: object) -> Limit | None:
    """Read a limit. Whatever is no number of anything (NaN, infinity) would be no limit at all."""
    if text is None:
        return None
    limit = Limit.parse(text) if isinstance(text, str) else None
    if limit is None or not 0 <= limit.value < math.inf:
        raise ValueError(f"{str(text)[:40]!r} is no limit")
    return limit


def recorded_conditions(conditions: RunConditions) -> dict[str, Any]:
    """Return the fields of the conditions of a run; without any, plans and runs are what they always were."""
    entries = [{**entry.written, "source": str(entry.source)} for entry in conditions.entries]
    fields = {"conditions": entries, "in_use": list(conditions.in_use), "min_keep": conditions.min_keep}
    return {key: value for key, value in fields.items() if value}


def conditions_of(fields: Mapping[str, Any], default_port: int = HTTPS_PORT) -> RunConditions:
    """Return the conditions that these fields are of. Raises ValueError, KeyError or InputError where they are none."""
    listed, least = fields.get("conditions", []), fields.get("min_keep", 0)
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise ValueError("conditions is no list of entries")
    if type(least) is not int or least < 0:
        raise ValueError("min_keep is no number of images")
    entries = tuple(conditional_of(entry, default_port) for entry in listed)
    in_use = _texts(fields, "in_use")
    strange = next((text for text in in_use if normal_reference(text, default_port) != text), None)
    if strange is not None:
        raise ValueError(f"{strange[:160]!r} of in_use is no reference in its normal form")
    return RunConditions(entries, in_use, least)


def conditional_of(fields: Mapping[str, Any], default_port: int = HTTPS_PORT) -> ConditionalEntry:
    """Return one entry with conditions. Raises as `conditions_of`."""
    known = keys(KeyLevel.ENTRY)
    image, note, source = fields["image"], fields.get("note"), fields["source"]
    if not isinstance(image, str) or not isinstance(source, str) or not isinstance(note, str | None):
        raise ValueError("an entry whose image, source or note is no text")  # noqa: TRY004 (of the file)
    strange = sorted({*fields} - {*known} - _ENTRY)
    if strange:
        raise ValueError(f"an entry with a condition that is not known: {strange[0][:40]!r}")
    written = {key: value for key, value in fields.items() if key in known}
    values = {key: parse_recorded(known[key], value) for key, value in written.items()}
    tags = tuple(parse_tag(tag) for tag in _texts(fields, "tags")) if "tags" in fields else None
    exclude = tuple(ExcludePattern(pattern) for pattern in _texts(fields, "exclude"))
    detail = LongForm(tags, exclude, note, values, written)
    (entry,) = parse_entry(image, source=Source.parse(source), default_port=default_port, detail=detail)
    if not isinstance(entry, ConditionalEntry):
        raise ValueError("an entry without conditions among those that have some")  # noqa: TRY004 (of the file)
    if entry.written["image"] != image:
        raise ValueError(f"{image[:160]!r} is not the normal form, which is {entry.written['image']}")
    return entry


def _texts(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = fields.get(key, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ValueError(f"{key} is no list of texts")
    return tuple(found)
