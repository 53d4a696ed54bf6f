"""The rules that keep a manifest, alone and in their precedence."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from bulkrm.model.condition_verdicts import ConditionVerdicts
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Absent, Children, Resolution, Resolved, Unresolved
from bulkrm.model.plan import Delete, Item, Plan, Settled
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import PRECEDENCE, Failed, Gone, Kept, KeptReason
from bulkrm.model.settings import Limit, Shared
from bulkrm.model.target import Source, Target
from bulkrm.planning.facts import FindPattern, RepositoryFacts, TagFacts, TagsNotRead, TagsRead, Unreadable
from bulkrm.planning.guards.rules import GUARDS, GuardRules, conditions, in_use, newest, protected, shared, unreadable
from bulkrm.planning.judge import enforce_limit, judge

APP = Repository("registry.example", "team/app")
LIB = Repository("registry.example", "team/lib")
ONE, TWO, THREE = (Resolved(Digest.of(name.encode()), OCI_MANIFEST, 3) for name in ("one", "two", "three"))
LOST = Failure(FailureCode.TIMEOUT, "no answer")


def unprotected(_: Repository, __: str) -> None:
    """Nothing is protected."""


def protects(*tags: str) -> FindPattern:
    """These tags are protected, by a pattern that is their name."""
    return lambda _, tag: f"*:{tag}" if tag in tags else None


def target(name: str, repository: Repository = APP) -> Target:
    """A target as the list writes it: `tag`, `@digest` or `tag@digest`."""
    tag, at, digest = name.partition("@")
    pin = Digest(digest) if at else None
    reference: Reference = TagRef(repository, tag, pin) if tag else DigestRef(repository, Digest(digest))
    return Target(reference, Source("images.yaml", 1))


def facts(
    listed: Iterable[tuple[str, Resolution]], tags: Mapping[str, Resolved] | TagFacts, repository: Repository = APP
) -> RepositoryFacts:
    """What was read of one repository."""
    seen = TagsRead(tags) if isinstance(tags, Mapping) else tags
    return RepositoryFacts(repository, tuple((target(name, repository), found) for name, found in listed), seen)


def plan(
    *repositories: RepositoryFacts,
    policy: Shared = Shared.REFUSE,
    protection: FindPattern = unprotected,
    limit: Limit | None = None,
) -> Plan:
    """The plan for these facts."""
    judged = judge(repositories, GuardRules(policy, protection))
    return enforce_limit(judged, limit) if limit is not None else judged


def only(found: Plan) -> Item:
    """The only item."""
    (item,) = found.items
    return item


def test_precedence() -> None:
    """What could not be read is named before protection, that before what runs, and so on to the ages."""
    assert (unreadable, protected, in_use, newest, shared, conditions) == GUARDS


@pytest.mark.parametrize("reason", PRECEDENCE)
def test_what_a_condition_keeps_stays(reason: KeptReason) -> None:
    """Whatever reason it names, for all entries or for the one that names the image: that of a plugin may be any."""
    kept = Kept(reason, ("images.yaml:1: hold",))
    found = facts([("a", ONE)], {"a": ONE})
    binding = ConditionVerdicts({ONE.digest: (kept,)})
    narrowing = ConditionVerdicts(targets={target("a").reference: (kept,)})

    for verdicts in (binding, narrowing):
        assert only(plan(replace(found, conditions=verdicts), policy=Shared.DELETE)).verdict == kept


def test_a_listed_tag_goes() -> None:
    """A manifest with listed tags only is deleted, once for all its targets."""
    item = only(plan(facts([("a", ONE), ("b", ONE), (f"@{ONE.digest}", ONE)], {"a": ONE, "b": ONE, "c": TWO})))

    assert item.verdict == Delete(())
    assert item.tags == ("a", "b")
    assert [str(entry.reference).removeprefix(str(APP)) for entry in item.targets] == [":a", ":b", f"@{ONE.digest}"]


def test_shared_is_refused() -> None:
    """A manifest with a tag outside the list is kept, and the tags are named."""
    item = only(plan(facts([("a", ONE)], {"a": ONE, "z": ONE, "m": ONE, "c": TWO})))

    assert item.verdict == Kept(KeptReason.SHARED, (f"{APP}:m", f"{APP}:z"))


def test_a_digest_names_no_tags() -> None:
    """A digest in the list does not name the tags on it: any tag makes it shared."""
    assert only(plan(facts([(f"@{ONE.digest}", ONE)], {"a": ONE}))).verdict == Kept(KeptReason.SHARED, (f"{APP}:a",))
    assert only(plan(facts([(f"@{ONE.digest}", ONE)], {"a": TWO}))).verdict == Delete(())


def test_shared_is_deleted_knowingly() -> None:
    """With --shared delete it goes, and the tags that go with it are named."""
    item = only(plan(facts([("a", ONE)], {"a": ONE, "z": ONE}), policy=Shared.DELETE))

    assert item.verdict == Delete((f"{APP}:z",))


def test_shared_is_deleted_unseen() -> None:
    """With --shared delete-unseen nothing was read, and what else goes is not known."""
    item = only(plan(facts([("a", ONE)], TagsNotRead(20_000)), policy=Shared.DELETE_UNSEEN))

    assert item.verdict == Delete(None)
    assert item.tags == ("a",)


@pytest.mark.parametrize("policy", [Shared.REFUSE, Shared.DELETE])
@pytest.mark.parametrize("tag", ["a", "z"])
def test_protection_always_wins(policy: Shared, tag: str) -> None:
    """A protected tag keeps its manifest, listed or not, whatever --shared says; the pattern is named."""
    found = plan(facts([("a", ONE)], {"a": ONE, "z": ONE}), policy=policy, protection=protects(tag))

    assert only(found).verdict == Kept(KeptReason.PROTECTED, (f"*:{tag}",))


def test_protection_of_another_manifest() -> None:
    """A protected tag on another manifest protects only that one."""
    found = plan(facts([("a", ONE), ("b", TWO)], {"a": ONE, "b": TWO}), protection=protects("b"))

    assert [type(item.verdict) for item in found.items] == [Delete, Kept]


@pytest.mark.parametrize("policy", Shared)
def test_unreadable_keeps_everything(policy: Shared) -> None:
    """Where a tag could not be read, nothing of the repository goes, whatever --shared says."""
    found = plan(facts([("a", ONE), ("b", TWO)], Unreadable("tag c: timeout")), policy=policy)

    assert [item.verdict for item in found.items] == [Kept(KeptReason.UNREADABLE, ("tag c: timeout",))] * 2


def test_unreadable_and_protected() -> None:
    """Where the tags could not be read that is why everything stays, also what is protected by its own name."""
    found = plan(facts([("a", ONE), ("b", TWO)], Unreadable("x")), protection=protects("a"))

    assert [item.verdict.reason for item in found.items if isinstance(item.verdict, Kept)] == [
        KeptReason.UNREADABLE,
        KeptReason.UNREADABLE,
    ]


def test_what_is_not_there() -> None:
    """What leads nowhere has its outcome at once, and the rest of the repository goes on."""
    found = plan(facts([("a", Absent()), ("b", Absent(no_repository=True)), ("c", Unresolved(LOST)), ("d", ONE)], {}))

    assert [entry.outcome for entry in found.settled] == [Gone(), Gone(no_repository=True), Failed(LOST)]
    assert only(found).verdict == Delete(())


# Pins


def test_a_pin_that_holds() -> None:
    """`tag@digest` is deleted while the tag holds that digest."""
    item = only(plan(facts([(f"a@{ONE.digest}", ONE)], {"a": ONE})))

    assert (item.verdict, item.tags) == (Delete(()), ("a",))


def test_a_pin_that_moved() -> None:
    """`tag@digest` whose tag holds another digest is kept, and where the tag is now is named."""
    found = plan(facts([(f"a@{TWO.digest}", ONE)], {"a": ONE}))

    assert found.items == ()
    assert found.settled == (Settled(target(f"a@{TWO.digest}"), Kept(KeptReason.MOVED, (f"{APP}:a@{ONE.digest}",))),)


def test_a_moved_pin_beats_the_bare_tag() -> None:
    """A tag that is also in the list without a pin is kept all the same."""
    found = plan(facts([("a", ONE), (f"a@{TWO.digest}", ONE), (f"a@{ONE.digest}", ONE)], {"a": ONE}))

    assert found.items == ()
    assert [entry.outcome for entry in found.settled] == [Kept(KeptReason.MOVED, (f"{APP}:a@{ONE.digest}",))] * 3


def test_a_moved_pin_is_a_tag_outside_the_list() -> None:
    """Another listed tag on the manifest that a pinned tag moved to makes it shared."""
    found = plan(facts([("b", ONE), (f"a@{TWO.digest}", ONE)], {"a": ONE, "b": ONE}))

    assert only(found).verdict == Kept(KeptReason.SHARED, (f"{APP}:a",))


def test_a_pinned_tag_that_is_gone() -> None:
    """A pinned tag that is not there is absent."""
    assert plan(facts([(f"a@{ONE.digest}", Absent())], {})).settled[0].outcome == Gone()


# What is needed


def seen(tags: Mapping[str, Resolved], *parents: tuple[Resolved, Resolved]) -> TagsRead:
    """These tags, and indexes with their children as (index, child)."""
    indexes: dict[Digest, Children] = {}
    for index, child in parents:
        names = indexes.get(index.digest, Children()).manifests
        indexes[index.digest] = Children((*names, child.digest))
    return TagsRead(tags, indexes)


NEEDED_BY_TWO = Kept(KeptReason.NEEDED, (f"{APP}@{TWO.digest}",))


def test_a_kept_index_needs_its_children() -> None:
    """A manifest that an index with another tag names is kept, and the index is named."""
    found = plan(facts([("a", ONE)], seen({"a": ONE, "z": TWO}, (TWO, ONE))))

    assert only(found).verdict == NEEDED_BY_TWO


def test_an_index_that_goes_needs_nothing() -> None:
    """Where the index goes as well, its children may go."""
    found = plan(facts([("a", ONE), ("z", TWO)], seen({"a": ONE, "z": TWO}, (TWO, ONE))))

    assert [item.verdict for item in found.items] == [Delete(()), Delete(())]


@pytest.mark.parametrize("policy", [Shared.REFUSE, Shared.DELETE])
def test_through_another_index(policy: Shared) -> None:
    """What a kept index needs through another index is kept, whatever --shared says."""
    found = plan(facts([("a", ONE)], seen({"a": ONE, "z": THREE}, (THREE, TWO), (TWO, ONE))), policy=policy)

    assert only(found).verdict == NEEDED_BY_TWO


def test_what_a_guarded_index_needs() -> None:
    """An index in the list that a guard keeps needs its children too, and so does one that is itself needed."""
    tags = seen({"a": ONE, "b": TWO, "c": THREE}, (THREE, TWO), (TWO, ONE))
    found = plan(facts([("a", ONE), ("b", TWO), ("c", THREE)], tags), protection=protects("c"))

    assert [item.verdict for item in found.items] == [
        NEEDED_BY_TWO,
        Kept(KeptReason.NEEDED, (f"{APP}@{THREE.digest}",)),
        Kept(KeptReason.PROTECTED, ("*:c",)),
    ]


def test_needed_among_the_reasons() -> None:
    """`needed` stands after `protected` and before `shared`."""
    tags = seen({"a": ONE, "other": ONE, "z": TWO}, (TWO, ONE))

    assert only(plan(facts([("a", ONE)], tags))).verdict == NEEDED_BY_TWO
    assert only(plan(facts([("a", ONE)], tags), protection=protects("a"))).verdict == Kept(
        KeptReason.PROTECTED, ("*:a",)
    )


# The limit


@pytest.mark.parametrize(
    ("limit", "held"),
    [
        (Limit(4), False),
        (Limit(3), True),
        (Limit(0), True),
        (Limit(80, percent=True), False),
        (Limit(79.9, percent=True), True),
        (Limit(100, percent=True), False),
        (None, False),
    ],
)
def test_limit(limit: Limit | None, held: bool) -> None:  # noqa: FBT001 (a table)
    """More tags and untagged manifests than allowed, and nothing at all is deleted: 4 of 5 would go here."""
    first = facts([("a", ONE), (f"@{THREE.digest}", THREE)], {"a": ONE, "z": ONE, "k": TWO})
    second = facts([("a", ONE)], {"a": ONE, "k": TWO}, LIB)

    found = plan(first, second, policy=Shared.DELETE, limit=limit)

    assert found.tags_seen == 5
    assert [isinstance(item.verdict, Kept) for item in found.items] == [held] * 3


def test_the_limit_says_why() -> None:
    """What would have gone is kept as `limit`, with the numbers; what a guard kept keeps its own reason."""
    found = plan(facts([("a", ONE), ("b", TWO)], {"a": ONE, "b": TWO}), protection=protects("b"), limit=Limit(0))
    percent = plan(facts([("a", ONE)], {"a": ONE, "b": TWO}), limit=Limit(10, percent=True))

    assert [item.verdict for item in found.items] == [
        Kept(KeptReason.LIMIT, ("1 would disappear, --max-delete is 0",)),
        Kept(KeptReason.PROTECTED, ("*:b",)),
    ]
    assert only(percent).verdict == Kept(KeptReason.LIMIT, ("1 of 2 tags would disappear, --max-delete is 10%",))


def test_what_is_kept_does_not_count() -> None:
    """Only what would really go counts against the limit."""
    found = plan(facts([("a", ONE), ("b", TWO)], {"a": ONE, "b": TWO, "z": TWO}), limit=Limit(1))

    assert [isinstance(item.verdict, Delete) for item in found.items] == [True, False]


@pytest.mark.parametrize(
    ("tags", "seen"), [(TagsNotRead(10), 10), (TagsNotRead(), 0), (Unreadable("x"), 0), (TagsRead({}), 0)]
)
def test_tags_seen(tags: TagFacts, seen: int) -> None:
    """How many tags there are, as far as it is known."""
    assert plan(facts([("a", ONE)], tags)).tags_seen == seen


def test_percent_of_what_is_not_known() -> None:
    """A share of an unknown number of tags allows nothing."""
    found = plan(facts([("a", ONE)], TagsNotRead()), policy=Shared.DELETE_UNSEEN, limit=Limit(99, percent=True))

    assert isinstance(only(found).verdict, Kept)


def test_one_digest_in_two_repositories() -> None:
    """The same manifest in two repositories is two items: a deletion in one leaves the other."""
    found = plan(facts([("a", ONE)], {"a": ONE}), facts([("a", ONE)], {"a": ONE, "b": ONE}, LIB))

    assert [(item.repository, type(item.verdict)) for item in found.items] == [(APP, Delete), (LIB, Kept)]


@pytest.mark.parametrize("policy", [Shared.REFUSE, Shared.DELETE])
def test_where_a_pinned_tag_moved_to(policy: Shared) -> None:
    """The manifest that a pinned tag moved to stays, or the tag that is reported as kept would go with it."""
    found = plan(facts([("b", ONE), (f"a@{TWO.digest}", ONE)], {"a": ONE, "b": ONE}), policy=policy)

    assert list(found.deletions) == []


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_where_two_pinned_tags_moved_to(order: tuple[str, str]) -> None:
    """The reason of the manifest that both moved to does not depend on their order in the list."""
    pinned = [(f"{tag}@{TWO.digest}", ONE) for tag in order]

    found = plan(facts([(f"@{ONE.digest}", ONE), *pinned], {"a": ONE, "b": ONE}), policy=Shared.DELETE)

    assert only(found).verdict == Kept(KeptReason.MOVED, (f"{APP}:b@{ONE.digest}",))


def test_where_an_unseen_pinned_tag_moved_to() -> None:
    """The same holds where the tags were not read."""
    found = plan(facts([("b", ONE), (f"a@{TWO.digest}", ONE)], TagsNotRead()), policy=Shared.DELETE_UNSEEN)

    assert only(found).verdict == Kept(KeptReason.MOVED, (f"{APP}:a@{ONE.digest}",))
