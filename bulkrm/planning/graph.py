"""Which manifests a kept index needs, through however many indexes in between."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import NO_CHILDREN, Children
from bulkrm.model.outcome import Kept, KeptReason
from bulkrm.model.plan import Doomed, Item
from bulkrm.planning.facts import RepositoryFacts, Seen


def needed_by_kept(items: Iterable[Item], facts: RepositoryFacts) -> dict[Digest, Kept]:
    """Return the manifests of one repository that something kept needs, and which index that is.

    Kept is what a tag leads to that does not go, and what keeping that keeps in turn.
    """
    if not isinstance(facts.tags, Seen):
        return {}
    doomed = {item.digest for item in items if isinstance(item.verdict, Doomed)}
    kept = [resolved.digest for resolved in facts.tags.tags.values() if resolved.digest not in doomed]
    kept += [item.digest for item in items if item.digest not in doomed]
    parents = _needed(kept, facts.tags.indexes)
    return {digest: Kept(KeptReason.NEEDED, (f"{facts.repository}@{parent}",)) for digest, parent in parents.items()}


def with_parents(items: Iterable[Item], facts: RepositoryFacts) -> list[Item]:
    """Note for every doomed item the doomed indexes above it: it goes after them, and only if they went."""
    known = list(items)
    doomed = {item.digest: item for item in known if isinstance(item.verdict, Doomed)}
    indexes = dict(facts.tags.indexes) if isinstance(facts.tags, Seen) else {}
    for item in known:
        indexes.setdefault(item.digest, item.resolved.children or NO_CHILDREN)
    above: dict[Digest, list[Digest]] = defaultdict(list)
    for digest in doomed:
        if indexes[digest].manifests:
            for child in _needed([digest], indexes):
                if child in doomed and child != digest:
                    above[child].append(digest)
    return [replace(item, parents=tuple(above.get(item.digest, ()))) for item in known]


def _needed(kept: Iterable[Digest], indexes: Mapping[Digest, Children]) -> dict[Digest, Digest]:
    """Return every manifest below the kept ones, with one index that names it."""
    parents: dict[Digest, Digest] = {}
    todo = list(dict.fromkeys(kept))
    seen = set(todo)
    while todo:
        parent = todo.pop()
        for child in indexes.get(parent, NO_CHILDREN).manifests:
            parents.setdefault(child, parent)
            if child not in seen:
                seen.add(child)
                todo.append(child)
    return parents
