"""Reads a saved plan. One mistake makes the whole plan unusable."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NoReturn, TypeVar

import fastjsonschema

from bulkrm.codec.plan_document import FORMAT, VERSION, PlanDocument
from bulkrm.codec.plan_hosts import default_port_of, rename_hosts
from bulkrm.codec.plan_records import (
    NO_REPOSITORY,
    ErrorRecord,
    ManifestRecord,
    RepositoryRecord,
    SettledRecord,
    TargetRecord,
    UnmatchedRecord,
)
from bulkrm.codec.plan_schema import plan_schema
from bulkrm.codec.policy_fields import PlanOptions, conditions_of, policy_of
from bulkrm.codec.record import FieldError, from_json
from bulkrm.codec.strict import strict_json
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.manifests.manifest import Resolved
from bulkrm.model.plan import Dangling, Delete, Item, Order, Plan, Settled, Untag, Verdict
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef, parse_reference, parse_repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, NoMatch, NotAttempted
from bulkrm.model.target import Source, Target, Unmatched
from bulkrm.selection.conditional import UNCONDITIONAL, RunConditions

T = TypeVar("T")
_AGAIN = "make the plan anew with `bulkrm plan --out`; by hand, only whole items may be removed from it"


def read(content: str | bytes, name: str, default_port: int | None = None) -> PlanDocument:
    """Parse a plan; `name` is the name of the file in messages.

    `default_port`: the names of its hosts become normal forms by this default port; None: they stay as they are.

    Raises InputError, with the place of the mistake, for anything but a consistent plan. Its `totals` and numbers of
    requests are not checked, so that people can remove an item by hand.
    """
    document = _parse(content, name)
    _check_version(document, name)
    try:
        _validator()(document)
    except fastjsonschema.JsonSchemaValueException as error:
        place = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in error.path[1:]).lstrip(".")
        _refuse(name, place, str(error.message).removeprefix(str(error.name)).strip())
    try:
        own = default_port_of(document)
        if default_port is not None:
            rename_hosts(document, default_port)
        return _PlanReader(name, own if default_port is None else default_port).document(document)
    except InputError as error:
        problem = error.problems[0]
        if problem.where:
            raise
        _refuse(name, "", problem.what)


@cache
def _validator() -> Any:
    return fastjsonschema.compile(plan_schema(), detailed_exceptions=True)


def _parse(content: str | bytes, name: str) -> Any:
    try:
        return strict_json(content)
    except json.JSONDecodeError as error:
        _refuse(f"{name}:{error.lineno}:{error.colno}", "", f"it is not JSON ({error.msg}); was the file cut off?")
    except ValueError as error:
        _refuse(name, "", str(error))


def _check_version(document: Any, name: str) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        _refuse(name, "", "it is not a plan of bulkrm")
    if document.get("version") != VERSION:
        what = f"it has version {str(document.get('version'))[:20]}, and this bulkrm reads version {VERSION}"
        raise InputError(Problem(name, what, "make the plan anew, or apply it with the bulkrm that made it"))


def _refuse(name: str, place: str, what: str) -> NoReturn:
    where = f"{name}: {place}" if place else name
    raise InputError(Problem(where, what if len(what) <= 300 else f"{what[:300]}...", _AGAIN))  # noqa: PLR2004


class _PlanReader:
    """Turns the fields of one file, which satisfies the schema, into values. Checks what a schema cannot express."""

    def __init__(self, name: str, default_port: int) -> None:
        self._name = name
        self._port = default_port
        self._images: set[Reference] = set()
        self._conditions = UNCONDITIONAL

    def document(self, found: dict[str, Any]) -> PlanDocument:
        options = self._read(PlanOptions, found["options"], "options")
        self._conditions = self._read_conditions(options)
        items: list[Item] = []
        settled: list[Settled | Dangling] = []
        tags: dict[Repository, int] = {}
        orders: dict[Repository, Order] = {}
        for number, fields in enumerate(found["repositories"]):
            place = f"repositories[{number}]"
            record = self._read(RepositoryRecord, fields, place)
            repository = self._repository(record.repository, f"{place}.repository")
            if repository in tags:
                _refuse(self._name, f"{place}.repository", f"{repository} is there twice")
            tags[repository] = record.tags_seen or 0
            if record.strategy is not Order.DIGEST:
                orders[repository] = record.strategy
            items += self._manifests(repository, record.manifests, f"{place}.manifests")
            settled += self._settled(repository, record.settled, f"{place}.settled")
        dangling = tuple(entry for entry in settled if isinstance(entry, Dangling))
        others = tuple(entry for entry in settled if isinstance(entry, Settled))
        plan = Plan(tuple(items), others, tags, orders, dangling)
        unmatched = tuple(self._unmatched(fields, number) for number, fields in enumerate(found["unmatched"]))
        policy, ignore = policy_of(options), options.ignore_unreadable
        return PlanDocument(plan, policy, options.protect, unmatched, ignore, self._conditions, options.lists)

    def _read(self, record: type[T], fields: dict[str, Any], place: str) -> T:
        try:
            return from_json(record, fields)
        except FieldError as error:
            _refuse(self._name, f"{place}.{error.key}", error.what)

    def _read_conditions(self, options: PlanOptions) -> RunConditions:
        try:
            return conditions_of(options, self._port)
        except InputError as error:
            _refuse(self._name, "options", error.problems[0].what)
        except (ValueError, KeyError, TypeError) as error:
            _refuse(self._name, "options", f"its conditions cannot be read: {error}")

    def _repository(self, text: str, place: str) -> Repository:
        try:
            repository = parse_repository(text, None, self._port)
        except InputError as error:
            _refuse(self._name, place, error.problems[0].what)
        if str(repository) != text:
            _refuse(self._name, place, f"{text!r} is not the normal form, which is {repository}")
        return repository

    def _manifests(self, repository: Repository, records: Sequence[ManifestRecord], place: str) -> Iterator[Item]:
        seen: dict[str, str] = {}
        for number, record in enumerate(records):
            where = f"{place}[{number}]"
            pair = {seen.get(record.digest, record.verdict), record.verdict}
            # Beside an item to untag, the kept targets of its manifest have an item, also where a limit keeps both.
            if record.digest in seen and pair not in ({"untag", "keep"}, {"keep"}):
                _refuse(self._name, f"{where}.digest", "it is there twice")
            seen[record.digest] = record.verdict
            yield self._manifest(repository, record, where)

    def _manifest(self, repository: Repository, record: ManifestRecord, place: str) -> Item:
        targets = tuple(
            self._target(repository, target, f"{place}.images[{number}]") for number, target in enumerate(record.images)
        )
        listed = {target.reference.tag for target in targets if isinstance(target.reference, TagRef)}
        for name in (*(record.also_removed or ()), *record.leaves):
            self._reference(repository, name, place)
        for target in targets:
            named = target.reference.digest if isinstance(target.reference, DigestRef) else target.reference.pin
            if named not in (None, record.digest):
                _refuse(self._name, f"{place}.images", f"{target.reference} has another digest than the manifest")
        missing = sorted(listed - set(record.tags))
        if missing:
            _refuse(self._name, f"{place}.tags", f"{missing[0]} is among the images, but not among the tags")
        resolved = Resolved(record.digest, record.media_type, record.size)
        verdict = self._verdict(repository, record, targets, place)
        return Item(repository, resolved, targets, verdict, record.tags, record.parents, record.leaves)

    def _verdict(
        self, repository: Repository, record: ManifestRecord, targets: Iterable[Target], place: str
    ) -> Verdict:
        match record.verdict:
            case "delete":
                return Delete(record.also_removed)
            case "untag":
                going = {target.reference.tag for target in targets if isinstance(target.reference, TagRef)}
                remaining_tags = tuple(f"{repository}:{tag}" for tag in record.tags if tag not in going)
                of_digests = any(isinstance(target.reference, DigestRef) for target in targets)
                if of_digests or not remaining_tags or record.way is None:
                    what = "untag needs a `way`, tags as its only images, and a tag that the manifest keeps"
                    _refuse(self._name, place, what)
                return Untag(remaining_tags, record.way)
            case "keep" if record.reason is not None:
                return Kept(record.reason, record.because)
            case "fail" if record.error is not None:
                return Failed(_failure(record.error))
        _refuse(self._name, place, f"{record.verdict} without a reason")

    def _target(self, repository: Repository, record: TargetRecord, place: str) -> Target:
        reference = self._reference(repository, record.image, f"{place}.image")
        if reference in self._images:
            _refuse(self._name, f"{place}.image", f"{reference} is there twice")
        self._images.add(reference)
        source = None if record.source is None else self._source(record.source, f"{place}.source")
        parent = None if record.parent is None else self._reference(repository, record.parent, f"{place}.parent")
        if isinstance(parent, TagRef) or (source is None) != (parent is not None):
            _refuse(self._name, place, "an image has a source, or a digest as its parent")
        if any(number >= len(self._conditions.entries) for number in record.bound):
            _refuse(self._name, f"{place}.bound", "there is no such entry with conditions")
        return Target(reference, source, record.note, parent, record.bound)

    def _reference(self, repository: Repository, text: str, place: str) -> Reference:
        try:
            reference = parse_reference(text, default_port=self._port)
        except InputError as error:
            _refuse(self._name, place, error.problems[0].what)
        if str(reference) != text or reference.repository != repository:
            _refuse(self._name, place, f"{text[:200]!r} is not a full name of an image of {repository}")
        return reference

    def _source(self, text: str, place: str) -> Source:
        try:
            return Source.parse(text)
        except ValueError as error:
            _refuse(self._name, place, str(error))

    def _settled(
        self, repository: Repository, records: Sequence[SettledRecord], place: str
    ) -> Iterator[Settled | Dangling]:
        for number, record in enumerate(records):
            where = f"{place}[{number}]"
            target = self._target(repository, record, where)
            match record.status:
                case "would-delete" if _is_plain_tag(target):
                    yield Dangling(target)
                case "would-delete":
                    _refuse(self._name, where, "would-delete needs a tag of the list, without a digest or a parent")
                case "absent":
                    yield Settled(target, Gone(record.reason == NO_REPOSITORY))
                case "failed" if record.error is not None:
                    yield Settled(target, Failed(_failure(record.error)))
                case "kept" if record.reason in set(KeptReason):
                    yield Settled(target, Kept(KeptReason(record.reason), record.because))
                case status:
                    _refuse(self._name, where, f"{status} without a reason")

    def _unmatched(self, fields: dict[str, Any], number: int) -> Unmatched:
        record = self._read(UnmatchedRecord, fields, f"unmatched[{number}]")
        outcome: NoMatch | Failed | NotAttempted = NoMatch()
        if record.status == "failed" and record.error is not None:
            outcome = Failed(_failure(record.error))
        elif record.status == "not-attempted" and record.reason is not None:
            outcome = NotAttempted(record.reason)
        elif record.status != "no-match":
            _refuse(self._name, "unmatched", f"{record.status} without a reason")
        return Unmatched(record.pattern, self._source(record.source, "unmatched"), record.note, outcome)


def _failure(record: ErrorRecord) -> Failure:
    return Failure(record.code, record.message, record.status, record.hint, record.reach)


def _is_plain_tag(target: Target) -> bool:
    return isinstance(target.reference, TagRef) and target.reference.pin is None and target.parent is None
