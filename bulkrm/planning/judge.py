"""From facts to the plan: group by repository and digest, ask the guards, hold the limit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Absent, Resolved, Unresolved
from bulkrm.model.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.plan import Doomed, Item, Plan, Settled, Verdict
from bulkrm.model.reference import TagRef
from bulkrm.model.settings import Limit
from bulkrm.model.target import Target
from bulkrm.planning.facts import RepositoryFacts, Seen, Unseen
from bulkrm.planning.graph import needed_by_kept, with_parents
from bulkrm.planning.guards import GUARDS, Candidate, Rules


def judge(repositories: Iterable[RepositoryFacts], rules: Rules, limit: Limit | None = None) -> Plan:
    """Return the plan for all repositories. The order of the input does not change what is deleted."""
    items: list[Item] = []
    settled: list[Settled] = []
    tags_seen = 0
    for facts in repositories:
        pinned = set(_moved_pins(facts))
        settled += _settled(facts, pinned)
        judged = list(_items(facts, rules, pinned))
        needed = needed_by_kept(judged, facts)
        items += with_parents((replace(item, verdict=_weigh(item, needed)) for item in judged), facts)
        tags_seen += _count(facts)
    plan = Plan(tuple(items), tuple(settled), tags_seen)
    return _hold(plan, limit) if limit is not None else plan


def _weigh(item: Item, needed: Mapping[Digest, Kept]) -> Verdict:
    """Put `needed` in its place among the reasons: after `protected`, before `shared`, which rests on other tags."""
    shared = isinstance(item.verdict, Kept) and item.verdict.reason is KeptReason.SHARED
    return needed.get(item.digest, item.verdict) if shared or isinstance(item.verdict, Doomed) else item.verdict


def _moved_pins(facts: RepositoryFacts) -> Iterator[str]:
    """Yield the tags that the list wants only while they hold a digest which they do not hold."""
    for target, resolution in facts.resolutions:
        match target.reference, resolution:
            case TagRef(_, tag, pin), Resolved(digest) if {digest, pin or digest, facts.expected.get(tag, digest)} != {
                digest
            }:
                yield tag


def _settled(facts: RepositoryFacts, pinned: set[str]) -> Iterator[Settled]:
    for target, resolution in facts.resolutions:
        match resolution:
            case Absent(no_repository):
                yield Settled(target, Gone(no_repository))
            case Unresolved(failure):
                yield Settled(target, Failed(failure))
            case Resolved(digest):
                # Whoever pins a tag wants it kept once it moved; an entry that names it without a pin does not win.
                if isinstance(target.reference, TagRef) and target.reference.tag in pinned:
                    now = f"{facts.repository}:{target.reference.tag}@{digest}"
                    yield Settled(target, Kept(KeptReason.MOVED, (now,)))


def _items(facts: RepositoryFacts, rules: Rules, pinned: set[str]) -> Iterator[Item]:
    groups: dict[Digest, list[Target]] = defaultdict(list)
    manifests: dict[Digest, Resolved] = {}
    for target, resolution in facts.resolutions:
        moved = isinstance(target.reference, TagRef) and target.reference.tag in pinned
        if isinstance(resolution, Resolved) and not moved:
            groups[resolution.digest].append(target)
            manifests.setdefault(resolution.digest, resolution)
    on_digest = _tags_by_digest(facts)
    refuges = _refuges(facts, pinned)
    for digest, targets in groups.items():
        listed = frozenset(target.reference.tag for target in targets if isinstance(target.reference, TagRef))
        tags = tuple(sorted(listed.union(on_digest.get(digest, ()))))
        candidate = Candidate(digest, listed, tags)
        kept = next((kept for guard in GUARDS if (kept := guard(candidate, facts, rules)) is not None), None)
        verdict = kept or refuges.get(digest) or Doomed(_also_removed(candidate, facts))
        yield Item(facts.repository, manifests[digest], tuple(targets), verdict, tags)


def _refuges(facts: RepositoryFacts, pinned: set[str]) -> dict[Digest, Kept]:
    """Keep the manifests that pinned tags moved to: deleting one would take with it the tag that is kept as moved."""
    return {
        resolution.digest: Kept(KeptReason.MOVED, (f"{facts.repository}:{target.reference.tag}@{resolution.digest}",))
        for target, resolution in facts.resolutions
        if isinstance(resolution, Resolved) and isinstance(target.reference, TagRef) and target.reference.tag in pinned
    }


def _tags_by_digest(facts: RepositoryFacts) -> Mapping[Digest, list[str]]:
    found: dict[Digest, list[str]] = defaultdict(list)
    if isinstance(facts.tags, Seen):
        for tag, resolved in facts.tags.tags.items():
            found[resolved.digest].append(tag)
    return found


def _also_removed(candidate: Candidate, facts: RepositoryFacts) -> tuple[str, ...] | None:
    if isinstance(facts.tags, Unseen):
        return None
    return tuple(f"{facts.repository}:{tag}" for tag in candidate.unlisted)


def _count(facts: RepositoryFacts) -> int:
    match facts.tags:
        case Seen(tags):
            return len(tags)
        case Unseen(count):
            return count
        case _:
            return 0


def _hold(plan: Plan, limit: Limit) -> Plan:
    """Delete nothing at all where more would disappear than the limit allows."""
    disappearing = sum(len(item.tags) or 1 for item in plan.doomed)
    allowed = plan.tags_seen * limit.value / 100 if limit.percent else limit.value
    if disappearing <= allowed:
        return plan
    of = f" of {plan.tags_seen} tags" if limit.percent else ""
    kept = Kept(KeptReason.LIMIT, (f"{disappearing}{of} would disappear, --max-delete is {limit}",))
    items = (replace(item, verdict=kept) if isinstance(item.verdict, Doomed) else item for item in plan.items)
    return replace(plan, items=tuple(items))
