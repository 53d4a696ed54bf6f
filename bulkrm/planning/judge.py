"""Turns facts into a plan: targets are grouped by repository and digest, the guards decide, the limit is enforced."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Absent, Resolved, Unresolved
from bulkrm.model.plan import Dangling, Delete, Item, Plan, Settled, Untag, UntagMethod, Verdict
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.settings import Limit, Shared
from bulkrm.model.target import Target
from bulkrm.planning.dangling import held_dangling, is_dangling, judge_dangling
from bulkrm.planning.facts import RepositoryFacts, TagsNotRead, TagsRead
from bulkrm.planning.guards.graph import keep_needed, with_orphans, with_parents
from bulkrm.planning.guards.rules import GUARDS, Candidate, GuardRules, with_min_keep


def judge(repositories: Iterable[RepositoryFacts], rules: GuardRules) -> Plan:
    """Return the plan for all repositories, without a limit. The order of the input does not change what is deleted."""
    items: list[Item] = []
    settled: list[Settled] = []
    dangling: list[Dangling] = []
    ignored: list[str] = []
    tags: dict[Repository, int] = {}
    for facts in repositories:
        pinned = set(_moved_pins(facts))
        of_dangling = list(judge_dangling(facts, rules))
        dangling += (entry for entry in of_dangling if isinstance(entry, Dangling))
        settled += _settled(facts, pinned)
        settled += (entry for entry in of_dangling if isinstance(entry, Settled))
        ignored += _ignored(facts)
        judged = list(_items(facts, rules, pinned))
        judged = with_min_keep(keep_needed(judged, facts), facts, rules)
        items += with_orphans(with_parents(judged, facts), facts)
        tags[facts.repository] = _tag_count(facts)
    return Plan(tuple(items), tuple(settled), tags, dangling=tuple(dangling), ignored=tuple(ignored))


def enforce_limit(plan: Plan, limit: Limit, gone: int = 0, seen: int | None = None) -> Plan:
    """Return the plan, with everything kept if it would remove more than the limit allows.

    The limit counts removed tags, and manifests without a tag. `gone`: how many of them earlier parts of the run removed.
    `seen`: the number of tags before the first part, to which a percentage refers; None: `plan.tags_seen`.
    """
    going = gone + plan.disappearing
    seen = plan.tags_seen if seen is None else seen
    passed = [part for part in limit.parts if going > (seen * part.value / 100 if part.percent else part.value)]
    if not passed:
        return plan
    of = f" of {seen} tags" if limit.has_percentage else ""
    before = f" with the {gone} that are gone already" if gone else ""
    kept = Kept(KeptReason.LIMIT, (f"{going}{of} would disappear{before}, --max-delete is {limit}",))
    changed = set(map(id, plan.changed_items))
    items = (replace(item, verdict=kept, orphaned=()) if id(item) in changed else item for item in plan.items)
    return held_dangling(replace(plan, items=tuple(items)), kept)


def _moved_pins(facts: RepositoryFacts) -> Iterator[str]:
    """Yield the tags that do not have the digest which the list, or an earlier judgement, has for them."""
    for target, resolution in facts.resolutions:
        reference = target.reference
        if isinstance(reference, TagRef) and isinstance(resolution, Resolved):
            held = resolution.digest
            if (reference.pin or held) != held or facts.expected.get(reference.tag, held) != held:
                yield reference.tag


def _settled(facts: RepositoryFacts, pinned: set[str]) -> Iterator[Settled]:
    for target, resolution in facts.resolutions:
        match resolution:
            case Absent() | Unresolved() if is_dangling(target, resolution, facts):
                pass  # `judge_dangling` decides about it
            case Absent(no_repository):
                yield Settled(target, Gone(no_repository))
            case Unresolved(failure):
                yield Settled(target, Failed(failure))
            case Resolved(digest):
                # A pinned tag that moved is kept, even if another entry names it without a pin.
                if isinstance(target.reference, TagRef) and target.reference.tag in pinned:
                    now = f"{facts.repository}:{target.reference.tag}@{digest}"
                    yield Settled(target, Kept(KeptReason.MOVED, (now,)))


def _items(facts: RepositoryFacts, rules: GuardRules, pinned: set[str]) -> Iterator[Item]:
    on_digest = _tags_by_digest(facts)
    moved_to = _kept_as_moved(facts, pinned)
    for manifest, targets in _by_manifest(facts, pinned):
        digest = manifest.digest
        named = frozenset(target.reference.tag for target in targets if isinstance(target.reference, TagRef))
        tags = tuple(sorted(named.union(on_digest.get(digest, ()))))
        candidate = candidate_of(digest, targets, tags, facts)
        removed = _tags_to_remove(candidate, targets, facts, rules)
        verdict = _DELETE if removed else _verdict(candidate, facts, rules, moved_to.get(digest), named)
        item = Item(facts.repository, manifest, tuple(targets), verdict, tags)
        if removed:
            yield from _split(item, removed, candidate, facts, rules)
        else:
            yield item


def _by_manifest(facts: RepositoryFacts, pinned: set[str]) -> Iterable[tuple[Resolved, list[Target]]]:
    """Group the targets that exist by their manifest, without pinned tags that moved."""
    groups: dict[Digest, tuple[Resolved, list[Target]]] = {}
    for target, resolution in facts.resolutions:
        moved = isinstance(target.reference, TagRef) and target.reference.tag in pinned
        if isinstance(resolution, Resolved) and not moved:
            groups.setdefault(resolution.digest, (resolution, []))[1].append(target)
    return groups.values()


def candidate_of(digest: Digest, targets: Sequence[Target], tags: tuple[str, ...], facts: RepositoryFacts) -> Candidate:
    """Return a manifest as the guards see it. Targets that an entry keeps by age do not count as listed.

    If they are all of its targets, their reasons become `narrowed`.
    """
    narrowed = facts.conditions.targets
    passing = [target for target in targets if target.reference not in narrowed] if narrowed else targets
    reasons = () if passing else tuple(kept for target in targets for kept in narrowed[target.reference])
    listed = frozenset(target.reference.tag for target in passing or targets if isinstance(target.reference, TagRef))
    return Candidate(digest, listed, tags, all(target.parent is not None for target in targets), reasons)


def _verdict(
    candidate: Candidate, facts: RepositoryFacts, rules: GuardRules, moved: Kept | None, named: Collection[str] = ()
) -> Verdict:
    """Return what becomes of a manifest. `moved`: it is kept, as a pinned tag moved to it; `named`: its tags in the list."""
    for guard in GUARDS:
        kept = guard(candidate, facts, rules)
        if kept is not None:
            return kept
    if moved is not None:
        return moved
    if candidate.digest in facts.unknown:
        return Failed(facts.unknown[candidate.digest])
    also = _also_removed(candidate, facts, named)
    return _DELETE if also == () else Delete(also)


_DELETE = Delete()  # shared by nearly all items, of which there may be hundreds of thousands


def _tags_to_remove(
    candidate: Candidate, targets: Iterable[Target], facts: RepositoryFacts, rules: GuardRules
) -> frozenset[str]:
    """Return the listed tags to remove from a manifest that keeps other tags; empty where it is deleted or kept whole.

    A protected tag and its manifest are kept, but not the manifest's other tags. An artifact tag that the list does not
    name is removed with its manifest or not at all, because the image that it belongs to may still be kept.
    """
    if rules.shared is not Shared.UNTAG or not isinstance(facts.tags, TagsRead) or facts.untag_method is None:
        return frozenset()
    if candidate.narrowed or candidate.digest in facts.conditions.digests:
        return frozenset()  # a condition keeps it with all its tags
    going = frozenset(tag for tag in candidate.listed if _may_be_removed(tag, facts, rules))
    if going == frozenset(candidate.tags):
        return frozenset()
    return going.intersection(tag for target in targets if target.parent is None and (tag := _tag_of(target)))


def _may_be_removed(tag: str, facts: RepositoryFacts, rules: GuardRules) -> bool:
    return rules.protection(facts.repository, tag) is None and tag not in facts.conditions.tags_in_use


def _split(
    item: Item, removed: frozenset[str], candidate: Candidate, facts: RepositoryFacts, rules: GuardRules
) -> Iterator[Item]:
    """Split an item into one for the tags to remove, and one for its other targets, which are kept."""
    remaining_tags = tuple(f"{facts.repository}:{tag}" for tag in item.tags if tag not in removed)
    verdict = (
        Failed(facts.untag_method)
        if isinstance(facts.untag_method, Failure)
        else Untag(remaining_tags, facts.untag_method or UntagMethod.TAG)
    )
    going = tuple(target for target in item.targets if _tag_of(target) in removed)
    yield replace(item, targets=going, verdict=verdict)
    rest = tuple(target for target in item.targets if _tag_of(target) not in removed)
    if rest:
        tags = tuple(tag for tag in candidate.tags if tag not in removed)
        staying = candidate_of(candidate.digest, rest, tags, facts)
        yield replace(item, targets=rest, verdict=_verdict(staying, facts, rules, None))


def _tag_of(target: Target) -> str | None:
    return target.reference.tag if isinstance(target.reference, TagRef) else None


def _kept_as_moved(facts: RepositoryFacts, pinned: set[str]) -> dict[Digest, Kept]:
    """Return the manifests that pinned tags moved to; deleting one would delete a tag that is kept as moved.

    Of several such tags the reason names the last in alphabetical order, whatever the order of the list is.
    """
    now = sorted(
        (target.reference.tag, resolution.digest)
        for target, resolution in facts.resolutions
        if isinstance(resolution, Resolved) and isinstance(target.reference, TagRef) and target.reference.tag in pinned
    )
    return {digest: Kept(KeptReason.MOVED, (f"{facts.repository}:{tag}@{digest}",)) for tag, digest in now}


def _tags_by_digest(facts: RepositoryFacts) -> Mapping[Digest, list[str]]:
    found: dict[Digest, list[str]] = defaultdict(list)
    if isinstance(facts.tags, TagsRead):
        for tag, resolved in facts.tags.tags.items():
            found[resolved.digest].append(tag)
    return found


def _also_removed(candidate: Candidate, facts: RepositoryFacts, named: Collection[str] = ()) -> tuple[str, ...] | None:
    """Return the tags that are deleted with the manifest and have no line of their own in the report."""
    if isinstance(facts.tags, TagsNotRead):
        return None
    return tuple(f"{facts.repository}:{tag}" for tag in candidate.unlisted if tag not in named)


def _ignored(facts: RepositoryFacts) -> Iterator[str]:
    if isinstance(facts.tags, TagsRead):
        yield from (f"{facts.repository}:{tag}" for tag in facts.tags.ignored)


def _tag_count(facts: RepositoryFacts) -> int:
    match facts.tags:
        case TagsRead(tags):
            return len(tags) + len(facts.dangling)
        case TagsNotRead(count):
            return count
        case _:
            return 0
