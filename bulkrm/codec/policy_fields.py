"""The policy, the protect patterns and the conditions of a plan or a run: how they are recorded and read back."""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from bulkrm.codec.kinds import FLAG, NUMBER, OBJECT, TEXT, TEXTS, one_of, optional, tuple_of
from bulkrm.codec.record import OMIT_EMPTY, Kind
from bulkrm.model.reference import HTTP_PORT, HTTPS_PORT
from bulkrm.model.settings import Limit, Policy, Shared, Strategy
from bulkrm.model.target import Source
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry, RunConditions
from bulkrm.selection.entry import LongForm, parse_entry, parse_tag
from bulkrm.selection.found_selectors import keys, parse_recorded
from bulkrm.selection.in_use.references import normal_reference
from bulkrm.selection.patterns.pattern import ExcludePattern
from bulkrm.selection.selector import KeyLevel

_ENTRY = frozenset({"image", "tags", "exclude", "note", "source"})  # the keys of an entry that are not conditions


def _limit(value: Any) -> Limit:
    """Parse a limit. Raises ValueError, also for NaN and infinity, which would be no limit at all."""
    try:
        limit = Limit.parse(TEXT.read(value))
    except ValueError:
        limit = None
    if limit is None or not 0 <= limit.value < math.inf:
        raise ValueError(f"is {str(value)[:40]!r}, which is not a limit")
    return limit


_LIMIT = Kind(
    {"type": "string", "pattern": r"^[0-9]{1,9}$|^[0-9.]{1,20}(e[+-]?[0-9]{1,3})?%?(,[0-9.]{1,20}%)?$"}, _limit, str
)
_CONDITIONS: Kind[tuple[Mapping[str, Any], ...]] = tuple_of(
    Kind(
        {
            "type": "object",
            "description": "One entry of a list that has conditions, with its keys as the list has them.",
            "properties": {"image": TEXT.schema, "source": TEXT.schema},
            "required": ["image", "source"],
        },
        OBJECT.read,
    )
)
_AT_LEAST = Kind({"type": "integer", "minimum": 1}, NUMBER.read)


@valueclass(slots=False)
class PolicyRecord:
    """The parts of a policy that a plan is judged again with: all but `dry_run` and `measure`."""

    shared: Annotated[Shared, one_of(Shared), "What happens to a digest that has tags outside the list."]
    recursive: Annotated[bool, FLAG, "Children and referrers are deleted too."]
    allow_decoy: Annotated[bool, FLAG, "Tags may be overwritten in order to remove them."]
    max_delete: Annotated[
        Limit | None, optional(_LIMIT), "The limit of --max-delete: a number, a share in percent, or both."
    ]
    fail_fast: Annotated[bool, FLAG, "Stop at the first failure."]
    strategy: Annotated[Strategy, one_of(Strategy), "Whether tags are deleted before their manifests."]
    verify: Annotated[bool, FLAG, "Read the kept tags again afterwards, and report what has changed."]


@valueclass(slots=False)
class RulesRecord:
    """The patterns and conditions of a plan or a run, and the files of its list.

    All but `protect` were added later, so they are omitted if empty.
    """

    protect: Annotated[tuple[str, ...], TEXTS, "The protect patterns, of the list files too."]
    ignore_unreadable: Annotated[
        tuple[str, ...],
        TEXTS,
        OMIT_EMPTY,
        "Patterns of damaged tags that do not keep their repository. Omitted if there are none.",
    ] = ()
    conditions: Annotated[
        tuple[Mapping[str, Any], ...],
        _CONDITIONS,
        OMIT_EMPTY,
        "Entries with conditions. Images refer to them by their number, from 0.",
    ] = ()
    in_use: Annotated[tuple[str, ...], TEXTS, OMIT_EMPTY, "References of images in use, which are kept."] = ()
    min_keep: Annotated[int, _AT_LEAST, OMIT_EMPTY, "This many tagged images of each repository are kept."] = 0
    lists: Annotated[
        tuple[str, ...],
        TEXTS,
        OMIT_EMPTY,
        "The files of the list in their order. Omitted if that is the order of their names.",
    ] = ()


@valueclass(slots=False)
class PlanOptions(RulesRecord, PolicyRecord):
    """The `options` of a plan: the policy, and the patterns and conditions."""


def policy_record(policy: Policy) -> PolicyRecord:
    """Return the record of a policy."""
    return PolicyRecord(
        policy.shared,
        policy.recursive,
        policy.allow_decoy,
        policy.max_delete,
        policy.fail_fast,
        policy.strategy,
        policy.verify,
    )


def policy_of(record: PolicyRecord) -> Policy:
    """Return the policy of a record."""
    return Policy(
        record.shared,
        record.max_delete,
        fail_fast=record.fail_fast,
        recursive=record.recursive,
        allow_decoy=record.allow_decoy,
        verify=record.verify,
        strategy=record.strategy,
    )


def rules_record(
    protect: Iterable[str], ignore: Iterable[str], conditions: RunConditions, lists: tuple[str, ...] = ()
) -> RulesRecord:
    """Return the record of patterns, as they were written, conditions, and the order of the files of the list."""
    entries = tuple({**entry.written, "source": str(entry.source)} for entry in conditions.entries)
    return RulesRecord(tuple(protect), tuple(ignore), entries, conditions.in_use, conditions.min_keep, lists)


def conditions_of(record: RulesRecord, default_port: int = HTTPS_PORT) -> RunConditions:
    """Return the conditions of a record. Raises ValueError, KeyError or InputError where they cannot be parsed."""
    entries = tuple(_conditional_of(entry, default_port) for entry in record.conditions)
    strange = next((text for text in record.in_use if _normal_by_a_port(text) is None), None)
    if strange is not None:
        raise ValueError(f"{strange[:160]!r} of in_use is not a reference in its normal form")
    in_use = dict.fromkeys(normal_reference(text, default_port) or text for text in record.in_use)
    return RunConditions(entries, tuple(in_use), record.min_keep)


def _normal_by_a_port(text: str) -> str | None:
    """Return a reference if it is in normal form by either default port: a record does not say which its run had."""
    return text if text in {normal_reference(text, port) for port in (HTTPS_PORT, HTTP_PORT)} else None


def _conditional_of(fields: Mapping[str, Any], default_port: int) -> ConditionalEntry:
    known = keys(KeyLevel.ENTRY)
    image, note, source = fields["image"], fields.get("note"), fields["source"]
    if not isinstance(image, str) or not isinstance(source, str) or not isinstance(note, str | None):
        raise ValueError("an entry whose image, source or note is not a string")  # noqa: TRY004 (of the file)
    strange = sorted({*fields} - {*known} - _ENTRY)
    if strange:
        raise ValueError(f"an entry with an unknown condition: {strange[0][:40]!r}")
    written = {key: value for key, value in fields.items() if key in known}
    values = {key: parse_recorded(known[key], value) for key, value in written.items()}
    tags = tuple(parse_tag(tag) for tag in TEXTS.read(fields["tags"])) if "tags" in fields else None
    exclude = tuple(ExcludePattern(pattern) for pattern in TEXTS.read(fields.get("exclude", [])))
    detail = LongForm(tags, exclude, note, values, written)
    (entry,) = parse_entry(image, source=Source.parse(source), default_port=default_port, detail=detail)
    if not isinstance(entry, ConditionalEntry):
        raise ValueError("an entry without conditions under `conditions`")  # noqa: TRY004 (of the file)
    if entry.written["image"] != image:
        raise ValueError(f"{image[:160]!r} is not the normal form, which is {entry.written['image']}")
    return entry
