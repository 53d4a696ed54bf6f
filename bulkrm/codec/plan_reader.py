"""A saved plan read back: whole, or not at all."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NoReturn

import fastjsonschema

from bulkrm.codec.plan_document import FORMAT, VERSION, PlanDocument
from bulkrm.codec.plan_schema import plan_schema
from bulkrm.codec.policy_fields import conditions_of, ignored_by, policy_of
from bulkrm.codec.strict import strict_json
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.manifest import Resolved
from bulkrm.model.plan import Dangling, Delete, Item, Order, Plan, Settled, Untag, UntagMethod, Verdict
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef, is_tag, parse_reference, parse_repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, NoMatch, NotAttempted, NotAttemptedReason
from bulkrm.model.settings import Policy
from bulkrm.model.target import Source, Target, Unmatched
from bulkrm.selection.run_conditions import UNCONDITIONAL, RunConditions

_AGAIN = "make the plan anew with `bulkrm plan --out`; items may be taken out by hand, whole"


def read(content: str | bytes, name: str) -> PlanDocument:
    """Read a plan; `name` is what the file is called in messages.

    Raises InputError for anything that is no plan, or no consistent one. Its `totals` and numbers of requests are not
    looked at, since taking an item out by hand must work.
    """
    document = _parse(content, name)
    _check_version(document, name)
    try:
        _validator()(document)
    except fastjsonschema.JsonSchemaValueException as error:
        place = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in error.path[1:]).lstrip(".")
        _refuse(name, place, str(error.message).removeprefix(str(error.name)).strip())
    try:
        return _PlanReader(name).document(document)
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
        _refuse(f"{name}:{error.lineno}:{error.colno}", "", f"it is no JSON ({error.msg}); was the file cut off?")
    except ValueError as error:
        _refuse(name, "", str(error))


def _check_version(document: Any, name: str) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        _refuse(name, "", "it is no plan of bulkrm")
    if document.get("version") != VERSION:
        what = f"it has version {str(document.get('version'))[:20]}, and this bulkrm reads version {VERSION}"
        raise InputError(Problem(name, what, "make the plan anew, or apply it with the bulkrm that made it"))


def _refuse(name: str, place: str, what: str) -> NoReturn:
    where = f"{name}: {place}" if place else name
    raise InputError(Problem(where, what if len(what) <= 300 else f"{what[:300]}...", _AGAIN))  # noqa: PLR2004


class _PlanReader:
    """One valid file on its way to values; what the schema cannot say is checked here."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._images: set[Reference] = set()
        self._conditions = UNCONDITIONAL

    def document(self, fields: dict[str, Any]) -> PlanDocument:
        self._conditions = self._read_conditions(fields["options"])
        items: list[Item] = []
        settled: list[Settled | Dangling] = []
        tags: dict[Repository, int] = {}
        orders: dict[Repository, Order] = {}
        for number, entry in enumerate(fields["repositories"]):
            place = f"repositories[{number}]"
            repository = self._repository(entry["repository"], f"{place}.repository")
            if repository in tags:
                _refuse(self._name, f"{place}.repository", f"{repository} is there twice")
            tags[repository] = entry["tags_seen"] or 0
            if entry["strategy"] != Order.DIGEST:
                orders[repository] = Order(entry["strategy"])
            items += self._manifests(repository, entry["manifests"], f"{place}.manifests")
            settled += self._settled(repository, entry["settled"], f"{place}.settled")
        dangling = tuple(entry for entry in settled if isinstance(entry, Dangling))
        others = tuple(entry for entry in settled if isinstance(entry, Settled))
        plan = Plan(tuple(items), others, tags, orders, dangling)
        unmatched = tuple(self._unmatched(line) for line in fields["unmatched"])
        made_with = fields["options"]
        policy, ignore = self._policy(made_with), ignored_by(made_with)
        return PlanDocument(plan, policy, tuple(made_with["protect"]), unmatched, ignore, self._conditions)

    def _read_conditions(self, fields: dict[str, Any]) -> RunConditions:
        try:
            return conditions_of(fields)
        except InputError as error:
            _refuse(self._name, "options", error.problems[0].what)
        except (ValueError, KeyError, TypeError) as error:
            _refuse(self._name, "options", f"its conditions cannot be read: {error}")

    def _policy(self, fields: dict[str, Any]) -> Policy:
        try:
            return policy_of(fields)
        except ValueError:  # the schema has checked all but the limit
            _refuse(self._name, "options.max_delete", f"{fields['max_delete']!r} is no limit")

    def _repository(self, text: str, place: str) -> Repository:
        try:
            repository = parse_repository(text, None)
        except InputError as error:
            _refuse(self._name, place, error.problems[0].what)
        if str(repository) != text:
            _refuse(self._name, place, f"{text!r} is not the normal form, which is {repository}")
        return repository

    def _manifests(self, repository: Repository, entries: list[dict[str, Any]], place: str) -> Iterator[Item]:
        seen: dict[str, str] = {}
        for number, entry in enumerate(entries):
            where = f"{place}[{number}]"
            pair = {seen.get(entry["digest"], entry["verdict"]), entry["verdict"]}
            # What is kept beside tags to be taken off has an entry of its own, also where a limit keeps those.
            if entry["digest"] in seen and pair not in ({"untag", "keep"}, {"keep"}):
                _refuse(self._name, f"{where}.digest", "it is there twice")
            seen[entry["digest"]] = entry["verdict"]
            yield self._manifest(repository, entry, where)

    def _manifest(self, repository: Repository, entry: dict[str, Any], place: str) -> Item:
        targets = tuple(self._targets(repository, entry["images"], f"{place}.images"))
        listed = {target.reference.tag for target in targets if isinstance(target.reference, TagRef)}
        tags = tuple(entry["tags"])
        wrong = next((tag for tag in tags if not is_tag(tag)), None)
        if wrong is not None:
            _refuse(self._name, f"{place}.tags", f"{wrong[:160]!r} is no tag")
        for name in (*(entry["also_removed"] or ()), *entry["leaves"]):
            self._reference(repository, name, place)
        for target in targets:
            named = target.reference.digest if isinstance(target.reference, DigestRef) else target.reference.pin
            if named not in (None, entry["digest"]):
                _refuse(self._name, f"{place}.images", f"{target.reference} is another digest than the manifest's")
        if not listed <= set(tags):
            _refuse(
                self._name, f"{place}.tags", f"{min(listed - set(tags))} is among the images, but not among the tags"
            )
        verdict = self._verdict(repository, entry, targets, place)
        parents = tuple(map(Digest, entry["parents"]))
        resolved = Resolved(Digest(entry["digest"]), entry["media_type"], entry["size"])
        return Item(repository, resolved, targets, verdict, tags, parents, tuple(entry["leaves"]))

    def _verdict(self, repository: Repository, entry: dict[str, Any], targets: Iterable[Target], place: str) -> Verdict:
        match entry["verdict"]:
            case "delete":
                also = entry["also_removed"]
                return Delete(None if also is None else tuple(also))
            case "untag":
                going = {target.reference.tag for target in targets if isinstance(target.reference, TagRef)}
                remaining_tags = tuple(f"{repository}:{tag}" for tag in entry["tags"] if tag not in going)
                of_digests = any(isinstance(target.reference, DigestRef) for target in targets)
                if of_digests or not remaining_tags or entry["way"] is None:
                    what = "to untag takes tags off a manifest that lives on under others, in one of the two ways"
                    _refuse(self._name, place, what)
                return Untag(remaining_tags, UntagMethod(entry["way"]))
            case "keep" if entry["reason"] is not None:
                return Kept(KeptReason(entry["reason"]), tuple(entry["because"]))
            case "fail" if entry["error"] is not None:
                return Failed(_failure(entry["error"]))
        _refuse(self._name, place, f"{entry['verdict']} without a reason")

    def _targets(self, repository: Repository, entries: list[dict[str, Any]], place: str) -> Iterator[Target]:
        for number, entry in enumerate(entries):
            yield self._target(repository, entry, f"{place}[{number}]")

    def _target(self, repository: Repository, entry: dict[str, Any], place: str) -> Target:
        reference = self._reference(repository, entry["image"], f"{place}.image")
        if reference in self._images:
            _refuse(self._name, f"{place}.image", f"{reference} is there twice")
        self._images.add(reference)
        source = None if entry["source"] is None else self._source(entry["source"], f"{place}.source")
        parent = None if entry["parent"] is None else self._reference(repository, entry["parent"], f"{place}.parent")
        if isinstance(parent, TagRef) or (source is None) != (parent is not None):
            _refuse(self._name, place, "an image has a source, or a digest as its parent")
        bound = tuple(entry.get("bound", ()))
        if any(number >= len(self._conditions.entries) for number in bound):
            _refuse(self._name, f"{place}.bound", "there is no such entry with conditions")
        return Target(reference, source, entry["note"], parent, bound)

    def _reference(self, repository: Repository, text: str, place: str) -> Reference:
        try:
            reference = parse_reference(text)
        except InputError as error:
            _refuse(self._name, place, error.problems[0].what)
        if str(reference) != text or reference.repository != repository:
            _refuse(self._name, place, f"{text[:200]!r} is no full name of an image of {repository}")
        return reference

    def _source(self, text: str, place: str) -> Source:
        try:
            return Source.parse(text)
        except ValueError as error:
            _refuse(self._name, place, str(error))

    def _settled(
        self, repository: Repository, entries: list[dict[str, Any]], place: str
    ) -> Iterator[Settled | Dangling]:
        for number, entry in enumerate(entries):
            where = f"{place}[{number}]"
            target = self._target(repository, entry, where)
            match entry["status"]:
                case "would-delete" if _is_plain_tag(target):
                    yield Dangling(target)
                case "would-delete":
                    _refuse(self._name, where, "only a tag of the list can lead nowhere and go")
                case "absent":
                    yield Settled(target, Gone(entry["reason"] == "no-repository"))
                case "failed" if entry["error"] is not None:
                    yield Settled(target, Failed(_failure(entry["error"])))
                case "kept" if entry["reason"] in set(KeptReason):
                    yield Settled(target, Kept(KeptReason(entry["reason"]), tuple(entry["because"])))
                case status:
                    _refuse(self._name, where, f"{status} without a reason")

    def _unmatched(self, entry: dict[str, Any]) -> Unmatched:
        outcome: NoMatch | Failed | NotAttempted = NoMatch()
        if entry["status"] == "failed" and entry["error"] is not None:
            outcome = Failed(_failure(entry["error"]))
        elif entry["status"] == "not-attempted" and entry["reason"] is not None:
            outcome = NotAttempted(NotAttemptedReason(entry["reason"]))
        elif entry["status"] != "no-match":
            _refuse(self._name, "unmatched", f"{entry['status']} without a reason")
        return Unmatched(entry["pattern"], self._source(entry["source"], "unmatched"), entry["note"], outcome)


def _failure(fields: dict[str, Any]) -> Failure:
    reach = Reach(fields["reach"])
    return Failure(FailureCode(fields["code"]), fields["message"], fields["status"], fields["hint"], reach)


def _is_plain_tag(target: Target) -> bool:
    return isinstance(target.reference, TagRef) and target.reference.pin is None and target.parent is None
