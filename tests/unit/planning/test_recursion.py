"""What belongs to a manifest to delete: found level by level, kept with what it belongs to, and never waiting in a circle."""

from collections.abc import Iterable, Mapping

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST, Children, Resolution, Resolved
from bulkrm.model.plan import Delete, Item, Plan, Settled
from bulkrm.model.reference import DigestRef, Reference, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.settings import Limit, Shared
from bulkrm.model.target import Source, Target
from bulkrm.planning.facts import RepositoryFacts, TagsRead
from bulkrm.planning.guards.graph import artifact_tags, cyclic_attachments, fallback_tag, orphans
from bulkrm.planning.guards.rules import GuardRules
from bulkrm.planning.judge import enforce_limit, judge
from bulkrm.planning.merge import keep_attached_without_parent, merge_fresh
from bulkrm.planning.recheck import Rechecked
from bulkrm.planning.recursion import attached_to, is_attached_to, without_kept_attachments
from tests.unit.planning.test_guards import APP, ONE, TWO, facts, target, unprotected

INDEX = Resolved(Digest.of(b"index"), OCI_INDEX, 5, Children((ONE.digest, TWO.digest)))
SIGNATURE = Resolved(Digest.of(b"signature"), OCI_MANIFEST, 9, subject=ONE.digest)
LOST = Failure(FailureCode.TIMEOUT, "no answer")


def belonging(name: str, parent: Resolved) -> Target:
    """A target that belongs to a manifest: `tag` or `@digest`."""
    reference: Reference = DigestRef(APP, Digest(name[1:])) if name.startswith("@") else TagRef(APP, name)
    return Target(reference, None, parent=DigestRef(APP, parent.digest))


def known(
    resolutions: Iterable[tuple[Target, Resolution]], tags: Mapping[str, Resolved], *indexes: Resolved
) -> RepositoryFacts:
    """What was read of the repository."""
    named = {index.digest: index.children for index in indexes if index.children}
    return RepositoryFacts(APP, tuple(resolutions), TagsRead(tags, named))


def plan(found: RepositoryFacts, shared: Shared = Shared.REFUSE, limit: Limit | None = None) -> Plan:
    """The plan for these facts."""
    judged = judge([found], GuardRules(shared, unprotected))
    return enforce_limit(judged, limit) if limit is not None else judged


def wanted(found: RepositoryFacts, referrers: Mapping[Digest, Iterable[Digest]] | None = None) -> list[str]:
    """What belongs to the items to delete, by its name behind the repository."""
    entries = attached_to(plan(found).items, found, referrers or {})
    return [str(entry.target.reference).removeprefix(str(APP)) for entry in entries]


def test_artifact_tags() -> None:
    """The tag schema of the specification, and cosign's suffixes."""
    digest = Digest("sha512:" + "ab" * 64)

    assert fallback_tag(ONE.digest) == "sha256-" + ONE.digest.partition(":")[2]
    assert fallback_tag(digest) == "sha512-" + "ab" * 32
    assert [tag.removeprefix(fallback_tag(digest)) for tag in artifact_tags(digest)] == ["", ".sig", ".att", ".sbom"]


def test_children_are_wanted() -> None:
    """The children of an index to delete, but those that the list names itself, by whatever name."""
    listed = [(target("i"), INDEX), (target("a"), ONE)]
    tags = {"i": INDEX, "a": ONE}

    assert wanted(known(listed, tags, INDEX)) == [f"@{TWO.digest}"]
    assert wanted(known([(target("i"), INDEX)], {"i": INDEX, "z": INDEX}, INDEX)) == []


def test_artifacts_are_wanted() -> None:
    """Artifact tags that exist; under the fallback tag only an index, which then gives what it names."""
    base = fallback_tag(ONE.digest)
    listing = Resolved(Digest.of(b"listing"), OCI_INDEX, 3, Children((SIGNATURE.digest,)))
    tags = {"a": ONE, base: listing, f"{base}.sig": TWO}

    assert wanted(known([(target("a"), ONE)], tags, listing)) == [f":{base}", f":{base}.sig"]
    assert wanted(known([(target("a"), ONE)], {"a": ONE, base: TWO})) == []
    found = known([(target("a"), ONE), (belonging(base, ONE), listing)], tags, listing)
    (first, second) = attached_to(plan(found).items, found, {})
    assert (str(first.target.reference), first.subject) == (f"{APP}:{base}.sig", None)
    assert (second.target.parent, second.subject) == (DigestRef(APP, ONE.digest), ONE.digest)


def test_referrers_are_wanted_and_checked() -> None:
    """What the API names is wanted, if it says the same of itself."""
    found = known([(target("a"), ONE)], {"a": ONE})

    (entry,) = attached_to(plan(found).items, found, {ONE.digest: [SIGNATURE.digest]})

    assert is_attached_to(entry, SIGNATURE.subject)
    assert not is_attached_to(entry, TWO.digest)
    assert not is_attached_to(entry, None)


def test_what_belongs_waits() -> None:
    """A child waits for its index, an artifact for its subject."""
    child, signature = belonging(f"@{TWO.digest}", INDEX), belonging(f"@{SIGNATURE.digest}", TWO)
    found = known([(target("i"), INDEX), (child, TWO), (signature, SIGNATURE)], {"i": INDEX}, INDEX)

    items = {item.digest: item for item in plan(found).items}

    assert items[TWO.digest].parents == (INDEX.digest,)
    assert items[SIGNATURE.digest].parents == (TWO.digest,)
    assert {item.verdict for item in items.values()} == {Delete()}


def test_what_belongs_to_something_kept_is_kept() -> None:
    """An artifact of a manifest that stays stays, and so on down the line."""
    child, signature = belonging(f"@{TWO.digest}", INDEX), belonging(f"@{SIGNATURE.digest}", TWO)
    found = known([(target("i"), INDEX), (child, TWO), (signature, SIGNATURE)], {"i": INDEX, "z": INDEX}, INDEX)

    verdicts = {item.digest: item.verdict for item in plan(found).items}

    assert verdicts[TWO.digest] == Kept(KeptReason.NEEDED, (f"{APP}@{INDEX.digest}",))
    assert verdicts[SIGNATURE.digest] == Kept(KeptReason.NEEDED, (f"{APP}@{TWO.digest}",))


def test_what_belongs_takes_no_tag_with_it() -> None:
    """A child with a tag outside the list stays even with --shared delete, which is said of what the list names."""
    child = belonging(f"@{TWO.digest}", INDEX)
    found = known([(target("i"), INDEX), (child, TWO)], {"i": INDEX, "z": INDEX, "b": TWO}, INDEX)

    verdicts = {item.digest: item.verdict for item in plan(found, Shared.DELETE).items}

    assert verdicts == {INDEX.digest: Delete((f"{APP}:z",)), TWO.digest: Kept(KeptReason.SHARED, (f"{APP}:b",))}


def test_trimmed() -> None:
    """What only belongs to something and stays is not in the plan; a failure to read it is."""
    child, lost, absent = (belonging(f"@{Digest.of(name)}", INDEX) for name in (b"two", b"lost", b"absent"))
    kept = Kept(KeptReason.NEEDED, ("x",))
    whole = Plan(
        (
            Item(APP, TWO, (child,), kept),
            Item(APP, ONE, (target("a"), child), kept),
            Item(APP, INDEX, (child,), Delete()),
        ),
        (Settled(lost, Failed(LOST)), Settled(absent, Gone()), Settled(target("b"), Gone())),
    )

    left = without_kept_attachments(whole)

    assert [(item.digest, item.targets) for item in left.items] == [
        (ONE.digest, (target("a"),)),
        (INDEX.digest, (child,)),
    ]
    assert [entry.target for entry in left.settled] == [lost, target("b")]


def test_unknown_referrers() -> None:
    """A manifest whose referrers could not be read does not go."""
    found = RepositoryFacts(APP, ((target("a"), ONE),), TagsRead({"a": ONE}), unknown={ONE.digest: LOST})

    assert [item.verdict for item in plan(found).items] == [Failed(LOST)]


def test_circles() -> None:
    """Attached manifests that wait for each other are found, and nothing else."""
    first, second, free = (Digest.of(name) for name in (b"1", b"2", b"3"))

    def item(digest: Digest, parents: tuple[Digest, ...], *, attached: bool) -> Item:
        source = None if attached else Source("list", 1)
        parent = DigestRef(APP, parents[0]) if attached else None
        targets = (Target(DigestRef(APP, digest), source, parent=parent),)
        return Item(APP, Resolved(digest, OCI_INDEX, 1), targets, Delete(), (), parents)

    listed, attached, leaf = (
        item(first, (second,), attached=False),
        item(second, (first,), attached=True),
        item(free, (INDEX.digest,), attached=True),
    )

    assert cyclic_attachments([listed, attached, leaf]) == [attached]
    assert cyclic_attachments([leaf]) == []


def test_leaves() -> None:
    """Children and artifact tags that nothing needs any more are counted, once, unless what stays needs them too."""
    signature = f"{fallback_tag(INDEX.digest)}.sig"
    tags = {"i": INDEX, signature: SIGNATURE, "b": TWO}
    (item,) = plan(known([(target("i"), INDEX)], tags, INDEX)).items

    assert item.orphaned == (f"{APP}@{ONE.digest}", f"{APP}:{signature}")
    other = Item(APP, TWO, (target("b"),), Delete(), orphaned=(f"{APP}@{ONE.digest}",))
    assert orphans([item, other], lambda _: True) == 2
    assert orphans([item, other], lambda entry: entry is item) == 1


def test_a_saved_plan_without_the_parent() -> None:
    """Where an item was taken out of a plan, what belonged to it stays, level by level."""
    child, signature = belonging(f"@{TWO.digest}", INDEX), belonging(f"@{SIGNATURE.digest}", TWO)
    saved = Plan((Item(APP, TWO, (child,), Delete()), Item(APP, SIGNATURE, (signature,), Delete())))

    assert [item.verdict for item in keep_attached_without_parent(saved).items] == [
        Kept(KeptReason.NEEDED, (f"{APP}@{INDEX.digest}",)),
        Kept(KeptReason.NEEDED, (f"{APP}@{TWO.digest}",)),
    ]


def test_merged() -> None:
    """What is left, what a fresh look dropped with the reason, and what the saved plan kept."""
    saved = plan(facts([("a", ONE), ("b", ONE), ("c", TWO)], {"a": ONE, "b": ONE, "c": TWO, "z": TWO}))
    (deletions,) = saved.deletions
    moved = Kept(KeptReason.MOVED, ("elsewhere",))
    result = Rechecked((), (Settled(target("a"), moved), Settled(target("b"), Gone())))

    left = merge_fresh(saved, result, Plan((), tags={APP: 9}))

    assert {(entry, item.verdict) for item in left.items for entry in item.targets} == {
        (target("a"), moved),
        (target("c"), Kept(KeptReason.SHARED, (f"{APP}:z",))),
    }
    assert left.settled == (Settled(target("b"), Gone()),)
    assert left.tags_seen == 9
    assert deletions.digest == ONE.digest
