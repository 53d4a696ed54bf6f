"""`min-keep`: this many tagged manifests of a repository are kept, whatever the list names."""

from collections.abc import Iterable
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.planning.facts import RepositoryFacts, TagsRead
from bulkrm.planning.guards.artifacts import named_after_digests
from bulkrm.planning.guards.graph import keep_needed
from bulkrm.planning.guards.rules import GuardRules


def with_min_keep(items: Iterable[Item], facts: RepositoryFacts, rules: GuardRules) -> list[Item]:
    """Keep the newest of the manifests to delete if too few others remain, and the manifests that those need."""
    judged = list(items)
    if not rules.min_keep or not isinstance(facts.tags, TagsRead):
        return judged
    tagged = tagged_digests(facts.tags)
    deletions = {item.digest for item in judged if isinstance(item.verdict, Delete)}
    going = {digest: facts.conditions.created.get(digest) for digest in sorted(tagged & deletions)}
    chosen = set(rules.choose_kept(rules.min_keep - len(tagged - deletions), going)) if going else set()
    if not chosen:
        return judged
    kept = Kept(KeptReason.FLOOR, (f"min-keep: {rules.min_keep}",))
    items = (
        replace(item, verdict=kept) if item.digest in chosen and isinstance(item.verdict, Delete) else item
        for item in judged
    )
    return keep_needed(items, facts)


def tagged_digests(seen: TagsRead) -> set[Digest]:
    """Return the manifests that count for `min-keep`: those with a tag that is not an artifact tag."""
    artifacts = named_after_digests(seen.tags)
    return {resolved.digest for tag, resolved in seen.tags.items() if tag not in artifacts}


def min_keep_may_apply(named: Iterable[Digest], seen: TagsRead, least: int) -> bool:
    """Tell whether fewer than `least` tagged manifests would remain if all that the list names were deleted."""
    tagged = tagged_digests(seen)
    deletions = tagged.intersection(named)
    return bool(deletions) and len(tagged - deletions) < least
