"""`min-keep`: so many tagged manifests of a repository stay, whatever is named."""

from collections.abc import Iterable
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.planning.facts import RepositoryFacts, Seen
from bulkrm.planning.guards.artifacts import named_after_digests
from bulkrm.planning.guards.graph import keep_needed
from bulkrm.planning.guards.rules import GuardRules


def with_floor(items: Iterable[Item], facts: RepositoryFacts, rules: GuardRules) -> list[Item]:
    """Keep the newest of what is to go where too few others stay, and what those need."""
    judged = list(items)
    if not rules.min_keep or not isinstance(facts.tags, Seen):
        return judged
    tagged = tagged_digests(facts.tags)
    deletions = {item.digest for item in judged if isinstance(item.verdict, Delete)}
    going = {digest: facts.conditions.created.get(digest) for digest in sorted(tagged & deletions)}
    spared = set(rules.floor(rules.min_keep - len(tagged - deletions), going)) if going else set()
    if not spared:
        return judged
    kept = Kept(KeptReason.FLOOR, (f"min-keep: {rules.min_keep}",))
    spare = (
        replace(item, verdict=kept) if item.digest in spared and isinstance(item.verdict, Delete) else item
        for item in judged
    )
    return keep_needed(spare, facts)


def tagged_digests(seen: Seen) -> set[Digest]:
    """Return the manifests that count: what only the tag of a signature and the like leads to does not."""
    artifacts = named_after_digests(seen.tags)
    return {resolved.digest for tag, resolved in seen.tags.items() if tag not in artifacts}


def floor_may_hold(named: Iterable[Digest], seen: Seen, least: int) -> bool:
    """Tell whether the floor can make a difference where everything that is named goes."""
    tagged = tagged_digests(seen)
    deletions = tagged.intersection(named)
    return bool(deletions) and len(tagged - deletions) < least
