"""What holds for every plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX, Absent, Children, Resolution, Resolved, Unresolved
from bulkrm.model.plan import Delete, Item, Plan, Untag
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.model.settings import Limit, Shared
from bulkrm.model.target import Source, Target
from bulkrm.planning.facts import RepositoryFacts, TagFacts, TagsNotRead, TagsRead, Unreadable
from bulkrm.planning.guards.rules import GuardRules
from bulkrm.planning.judge import enforce_limit, judge
from bulkrm.planning.recheck import recheck
from tests.support.steps import by_digest

DIGESTS = tuple(Digest.of(bytes([number])) for number in range(5))
MANIFESTS = tuple(Resolved(digest, OCI_INDEX, 1) for digest in DIGESTS)
TAGS = tuple("abcdef")
FAILURE = Failure(FailureCode.TIMEOUT, "no answer")
_resolved = st.sampled_from(MANIFESTS)


@dataclass(frozen=True)
class Case:
    """Facts, and what the user decided; `protected` are tags, in every repository."""

    repositories: tuple[RepositoryFacts, ...]
    shared: Shared
    protected: frozenset[str]

    def rules(self) -> GuardRules:
        return GuardRules(self.shared, lambda _, tag: f"*:{tag}" if tag in self.protected else None)

    def plan(self, limit: Limit | None = None) -> Plan:
        judged = judge(self.repositories, self.rules())
        return enforce_limit(judged, limit) if limit is not None else judged


@st.composite
def _some_indexes(draw: st.DrawFn) -> dict[Digest, Children]:
    """Which manifests are indexes and what they name: any, without circles."""
    found: dict[Digest, Children] = {}
    for number, digest in enumerate(DIGESTS[:-1]):
        named: list[Digest] = draw(st.lists(st.sampled_from(DIGESTS[number + 1 :]), unique=True, max_size=2))
        if named:
            found[digest] = Children(tuple(named))
    return found


_indexes = _some_indexes()


@st.composite
def _facts(draw: st.DrawFn, repository: Repository, shared: Shared) -> RepositoryFacts:
    """One repository: its tags, and a list that names some of them, by tag, pin or digest."""
    content: Mapping[str, Resolved] = draw(st.dictionaries(st.sampled_from(TAGS), _resolved))
    tag_refs = st.builds(TagRef, st.just(repository), st.sampled_from(TAGS), st.none() | st.sampled_from(DIGESTS))
    digest_refs = st.builds(DigestRef, st.just(repository), st.sampled_from(DIGESTS))
    references: list[Reference] = draw(st.lists(tag_refs | digest_refs, unique=True, max_size=8))
    lines = count(1)
    answers: dict[str | Digest, Resolution] = {}
    resolutions = []
    for reference in references:
        key = reference.tag if isinstance(reference, TagRef) else reference.digest
        if key not in answers:
            answers[key] = draw(st.just(_held(reference, content)) | st.just(Unresolved(FAILURE)))
        resolutions.append((Target(reference, Source("list", next(lines))), answers[key]))
    tags: TagFacts = TagsRead(content, draw(_indexes))
    if shared is Shared.DELETE_UNSEEN:
        tags = TagsNotRead(len(content))
    elif draw(st.integers(0, 4)) == 0:
        tags = Unreadable("why")
    nowhere = [tag for tag in TAGS if tag not in content]
    dangling = draw(st.frozensets(st.sampled_from(nowhere), max_size=3)) if nowhere else frozenset()
    return RepositoryFacts(repository, tuple(resolutions), tags, dangling=dangling)


def _held(reference: Reference, content: Mapping[str, Resolved]) -> Resolution:
    if isinstance(reference, TagRef):
        return content.get(reference.tag, Absent())
    return next(manifest for manifest in MANIFESTS if manifest.digest == reference.digest)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three repositories."""
    shared = draw(st.sampled_from(Shared))
    names = ("app", "lib", "base")[: draw(st.integers(1, 3))]
    repositories = tuple(draw(_facts(Repository("r.example", name), shared)) for name in names)
    return Case(repositories, shared, draw(st.frozensets(st.sampled_from(TAGS), max_size=2)))


limits = st.builds(Limit, st.integers(0, 10).map(float), st.just(value=False)) | st.builds(
    Limit, st.floats(0, 100), st.just(value=True)
)


def _delete_verdict(plan: Plan) -> set[tuple[Repository, Digest]]:
    return {(item.repository, item.digest) for item in plan.deletions}


@given(cases(), st.none() | limits)
def test_every_target_is_in_one_place(case: Case, limit: Limit | None) -> None:
    """Every target is in exactly one item, dangling or settled, and items have distinct manifests."""
    plan = case.plan(limit)

    placed = [target for item in plan.items for target in item.targets]
    placed += [entry.target for entry in plan.without_manifest]
    given_targets = [target for facts in case.repositories for target, _ in facts.resolutions]
    assert sorted(placed, key=repr) == sorted(given_targets, key=repr)
    whole = [item for item in plan.items if not _beside_an_untagged(item, plan)]
    assert len({(item.repository, item.digest) for item in whole}) == len(whole)
    assert all(item.targets for item in plan.items)


@given(cases())
def test_what_dangles(case: Case) -> None:
    """Only a tag goes so that is listed, leads nowhere, has no pin and is not protected; it cannot be shared or needed."""
    facts_of = {facts.repository: facts for facts in case.repositories}

    for entry in case.plan().dangling:
        reference = entry.target.reference
        assert isinstance(reference, TagRef)
        assert reference.pin is None
        assert reference.tag in facts_of[entry.repository].dangling - case.protected


def _beside_an_untagged(item: Item, plan: Plan) -> bool:
    """Tell whether another item takes tags off the same manifest, or would: then this one is what is kept of it."""
    untagged = (other for other in plan.items if _takes_tags_off(other) and other is not item)
    beside = any((other.repository, other.digest) == (item.repository, item.digest) for other in untagged)
    assert not beside or isinstance(item.verdict, Kept)
    return beside


def _takes_tags_off(item: Item) -> bool:
    kept_by_limit = isinstance(item.verdict, Kept) and item.verdict.reason is KeptReason.LIMIT
    return isinstance(item.verdict, Untag) or kept_by_limit


@given(cases())
def test_tags_are_taken_off_what_lives_on(case: Case) -> None:
    """A tag that goes alone is listed and not protected, and another one stays on its manifest."""
    facts_of = {facts.repository: facts for facts in case.repositories}

    for item in case.plan().items:
        if isinstance(item.verdict, Untag):
            seen = facts_of[item.repository].tags
            assert case.shared is Shared.UNTAG
            assert isinstance(seen, TagsRead)
            going = {target.reference.tag for target in item.targets if isinstance(target.reference, TagRef)}
            on_it = {tag for tag, resolved in seen.tags.items() if resolved.digest == item.digest}
            assert len(item.targets) == len([target for target in item.targets if isinstance(target.reference, TagRef)])
            assert going <= on_it | set(item.tags)
            assert not going & case.protected
            assert set(item.verdict.remaining_tags) == {f"{item.repository}:{tag}" for tag in set(item.tags) - going}
            assert item.verdict.remaining_tags


@given(cases())
def test_an_item_has_the_digest_of_its_targets(case: Case) -> None:
    """A target is in the item of the manifest that it leads to."""
    resolutions = {target: found for facts in case.repositories for target, found in facts.resolutions}

    for item in case.plan().items:
        assert {resolutions[target] for target in item.targets} == {item.resolved}


@given(cases(), st.none() | limits)
def test_what_is_guarded_stays(case: Case, limit: Limit | None) -> None:
    """Nothing goes that has a protected tag, a tag outside the list that may not go, or could not all be read."""
    facts_of = {facts.repository: facts for facts in case.repositories}

    for item in case.plan(limit).deletions:
        facts = facts_of[item.repository]
        seen = facts.tags.tags if isinstance(facts.tags, TagsRead) else {}
        on_it = {tag for tag, resolved in seen.items() if resolved.digest == item.digest}
        listed = {target.reference.tag for target in item.targets if isinstance(target.reference, TagRef)}
        assert not isinstance(facts.tags, Unreadable)
        assert case.protected.isdisjoint(on_it | listed)
        assert case.shared not in (Shared.REFUSE, Shared.UNTAG) or on_it <= listed
        also = item.verdict.also_removed if isinstance(item.verdict, Delete) else ()
        wanted = {f"{item.repository}:{tag}" for tag in on_it - listed}
        assert (also is None) == isinstance(facts.tags, TagsNotRead)
        assert also is None or set(also) == wanted


@given(cases(), st.none() | limits)
def test_what_stays_is_whole(case: Case, limit: Limit | None) -> None:
    """Nothing goes that an index names which a tag leads to and which stays, directly or through other indexes."""
    plan = case.plan(limit)
    deletions = _delete_verdict(plan)
    for facts in case.repositories:
        if isinstance(facts.tags, TagsRead):
            staying = {resolved.digest for resolved in facts.tags.tags.values()}
            staying |= {item.digest for item in plan.items if item.repository == facts.repository}
            todo = [digest for digest in staying if (facts.repository, digest) not in deletions]
            while todo:
                for child in facts.tags.indexes.get(todo.pop(), Children()).manifests:
                    assert (facts.repository, child) not in deletions
                    todo.append(child)


@given(cases())
def test_a_pin_is_kept_to(case: Case) -> None:
    """No target goes whose tag is pinned, by whatever entry, to a digest that it does not hold."""
    moved = {
        (facts.repository, target.reference.tag)
        for facts in case.repositories
        for target, found in facts.resolutions
        if isinstance(target.reference, TagRef)
        and target.reference.pin is not None
        and isinstance(found, Resolved)
        and found.digest != target.reference.pin
    }

    for item in case.plan().deletions:
        for target in item.targets:
            if isinstance(target.reference, TagRef):
                assert (item.repository, target.reference.tag) not in moved


def _acts(item: Item) -> bool:
    return isinstance(item.verdict, Delete | Untag)


def _essence(item: Item) -> object:
    """The verdict; of several indexes that need a manifest, any may be the one that is named."""
    needed = isinstance(item.verdict, Kept) and item.verdict.reason is KeptReason.NEEDED
    return KeptReason.NEEDED if needed else item.verdict


@given(cases(), st.data())
def test_the_order_of_the_input_does_not_matter(case: Case, data: st.DataObject) -> None:
    """Another order of repositories and of the list deletes the same and keeps for the same reasons."""
    shuffled = replace(
        case,
        repositories=tuple(
            replace(facts, resolutions=tuple(data.draw(st.permutations(facts.resolutions))))
            for facts in data.draw(st.permutations(case.repositories))
        ),
    )

    def verdicts(plan: Plan) -> dict[tuple[Repository, Digest, bool], object]:
        return {(item.repository, item.digest, _acts(item)): (_essence(item), item.tags) for item in plan.items}

    assert verdicts(shuffled.plan()) == verdicts(case.plan())
    assert set(shuffled.plan().settled) == set(case.plan().settled)


@given(cases(), limits)
def test_the_limit_is_all_or_nothing(case: Case, limit: Limit) -> None:
    """A plan with a limit deletes all that one without deletes, as far as allowed, or nothing."""
    free, held = case.plan(), case.plan(limit)
    going = sum(max(1, len(item.tags)) for item in free.deletions)
    untagged = [target.reference for item in free.items if isinstance(item.verdict, Untag) for target in item.targets]
    going += len({(reference.repository, reference.tag) for reference in untagged if isinstance(reference, TagRef)})
    going += len(free.dangling)
    allowed = free.tags_seen * limit.value / 100 if limit.percent else limit.value

    assert _delete_verdict(held) == (_delete_verdict(free) if going <= allowed else set())
    for before, after in zip(free.items, held.items, strict=True):
        unchanged = after.verdict == before.verdict
        limited = isinstance(after.verdict, Kept) and after.verdict.reason is KeptReason.LIMIT
        assert unchanged or (limited and isinstance(before.verdict, Delete | Untag))


@given(cases(), st.data())
def test_a_second_judgement_only_takes_away(case: Case, data: st.DataObject) -> None:
    """After a second reading only what both plans delete goes, and every target has its one outcome."""
    old = case.plan()
    for facts in case.repositories:
        content: Mapping[str, Resolved] = data.draw(st.dictionaries(st.sampled_from(TAGS), _resolved))
        again = replace(
            facts,
            resolutions=tuple((target, _held(target.reference, content)) for target, _ in facts.resolutions),
            tags=TagsNotRead() if isinstance(facts.tags, TagsNotRead) else TagsRead(content, data.draw(_indexes)),
        )
        deletions = [item for item in old.changed_items if item.repository == facts.repository]
        fresh = judge([again], case.rules())

        result = recheck(deletions, fresh)

        deleted = {(item.repository, item.digest) for item in result.items if isinstance(item.verdict, Delete)}
        assert deleted <= _delete_verdict(fresh) & _delete_verdict(old)
        going = {target for item in fresh.changed_items for target in item.targets}
        assert {target for item in result.items for target in item.targets} <= going
        staying = [target for item in result.items for target in item.targets]
        dropped = [entry.target for entry in result.dropped]
        assert sorted(staying + dropped, key=repr) == sorted(
            (target for item in deletions for target in item.targets), key=repr
        )


@st.composite
def families(draw: st.DrawFn) -> list[Item]:
    """Manifests that name each other without circles, in several repositories and in any order."""
    repositories = [Repository("r.example", name) for name in ("app", "lib")]
    items = []
    for repository in repositories:
        size = draw(st.integers(0, 6))
        own = [Digest.of(bytes([number])) for number in range(size)]
        for number, digest in enumerate(own):
            children = draw(st.lists(st.sampled_from(own[number + 1 :]), unique=True)) if own[number + 1 :] else []
            items.append(Item(repository, Resolved(digest, OCI_INDEX, 1, Children(tuple(children))), (), Delete()))
    return draw(st.permutations(items))


@given(families())
def test_every_index_goes_before_its_children(items: list[Item]) -> None:
    """Every item is one step, after all that name it, and it waits for those and no others."""
    steps = by_digest(items).get("r.example", ())

    assert sorted(repr(step.item) for step in steps) == sorted(map(repr, items))
    done: set[tuple[Repository, Digest]] = set()
    for step in steps:
        key = step.item.repository, step.item.digest
        parents = {
            other.digest
            for other in items
            if other.repository == step.item.repository
            and other.resolved.children is not None
            and step.item.digest in other.resolved.children.manifests
        }
        assert set(step.after) == parents
        assert {(step.item.repository, parent) for parent in parents} <= done
        done.add(key)
