"""References between manifests: an index needs its children, and a referrer is deleted after its subject or not at all.

Signatures, attestations and SBOMs are referrers too where a registry has no referrers API, or had none: an artifact tag,
whose name is made of the digest, leads to each.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import NO_CHILDREN, Children
from bulkrm.model.plan import Delete, Item, Verdict
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.planning.facts import RepositoryFacts, TagsRead

# cosign pkg/oci/remote/options.go; each tag leads to a manifest of its own.
_SUFFIXES = (".sig", ".att", ".sbom")
_ALGORITHM, _ENCODED = 32, 64
_PREFIXES = ("sha256-", "sha512-")  # one for each registered digest algorithm


def fallback_tag(digest: Digest) -> str:
    """Return the tag of the index of a manifest's referrers, which clients maintain (distribution-spec 1.1)."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:_ALGORITHM]}-{encoded[:_ENCODED]}"


def named_after_digests(tags: Iterable[str]) -> frozenset[str]:
    """Return the tags whose names begin like a digest: they may be artifact tags. Most repositories have none."""
    return frozenset(tag for tag in tags if tag.startswith(_PREFIXES))


def artifact_tags(digest: Digest, among: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the artifact tags of a manifest, that of the index of referrers first. `among`: return only tags in it."""
    if among is not None and not among:
        return ()
    base = fallback_tag(digest)
    tags = base, *(base + suffix for suffix in _SUFFIXES)
    return tags if among is None else tuple(tag for tag in tags if tag in among)


_AFTER_NEEDED = frozenset(PRECEDENCE[PRECEDENCE.index(KeptReason.NEEDED) + 1 :])


def keep_needed(judged: list[Item], facts: RepositoryFacts) -> list[Item]:
    """Keep the manifests of one repository that a kept manifest needs, and those that are attached to a kept one.

    A kept manifest is one whose tag remains, or one that this rule keeps in turn.
    """
    indexes = facts.tags.indexes if isinstance(facts.tags, TagsRead) else {}
    if not indexes and not any(item.is_attached for item in judged):
        return judged
    while True:
        staying = _staying(judged, facts)
        needed = needed_by(sorted(staying), indexes)  # sorted, so that the report always names the same index
        weighed = [replace(item, verdict=_with_needed(item, needed, staying)) for item in judged]
        if weighed == judged:
            return judged
        judged = weighed


def with_parents(items: Iterable[Item], facts: RepositoryFacts) -> list[Item]:
    """Set `parents` of every item to delete: the indexes that name it, and the manifest that it is attached to.

    Such an item is deleted after its parents, and only if they are gone.
    """
    known = list(items)
    if _each_by_itself(known, facts):
        return known
    deletions = {item.digest: item for item in known if isinstance(item.verdict, Delete)}
    parents = _parents(deletions, _indexes(known, facts))
    return [replace(item, parents=tuple(parents[item.digest])) if item.digest in parents else item for item in known]


def _parents(
    deletions: Mapping[Digest, Item], indexes: Mapping[Digest, Children]
) -> Mapping[Digest, Mapping[Digest, None]]:
    """Return for each manifest to delete its parents, which are deleted before it; a dict, to keep their order."""
    parents: dict[Digest, dict[Digest, None]] = defaultdict(dict)
    for digest in deletions:
        if indexes[digest].needed:
            for child in needed_by([digest], indexes):
                if child in deletions and child != digest:
                    parents[child][digest] = None
    for item in deletions.values():
        for target in item.targets if item.is_attached else ():
            if target.parent is not None and target.parent.digest in deletions and target.parent.digest != item.digest:
                parents[item.digest][target.parent.digest] = None
    return parents


def with_orphans(items: Iterable[Item], facts: RepositoryFacts) -> list[Item]:
    """Set `orphaned` of every item to delete: children and artifact tags that stay although only it refers to them."""
    known = list(items)
    if not isinstance(facts.tags, TagsRead):
        return known
    attached = named_after_digests(facts.tags.tags)
    if not attached and _each_by_itself(known, facts):
        return known
    attached -= removed_tags(known)
    indexes = _indexes(known, facts)
    deletions = {item.digest for item in known if isinstance(item.verdict, Delete)}
    staying = _staying(known, facts)
    alive = {*staying, *needed_by(staying, indexes), *facts.absent}
    for number, item in enumerate(known):
        if item.digest in deletions:
            below = manifests_below([item.digest], indexes) if indexes[item.digest].manifests else ()
            left = [f"{facts.repository}@{child}" for child in below if child not in alive and child not in deletions]
            left += [f"{facts.repository}:{tag}" for tag in artifact_tags(item.digest, attached)]
            known[number] = replace(item, orphaned=tuple(left)) if left else item
    return known


def cyclic_attachments(items: Iterable[Item]) -> list[Item]:
    """Return the attached items of one repository that are among their own ancestors.

    No tool builds such manifests, but a registry may store them: an index may name its own subject as a child.
    """
    waiting = {item.digest: item for item in items if isinstance(item.verdict, Delete) and item.parents}
    while ready := [digest for digest, item in waiting.items() if not waiting.keys() & item.parents]:
        for digest in ready:
            del waiting[digest]
    return [item for item in waiting.values() if item.is_attached]


def _with_needed(item: Item, needed: Mapping[Digest, Digest], staying: Mapping[Digest, None]) -> Verdict:
    """Return the verdict with the reason `needed` at its precedence: after `protected`, before `shared`."""
    later = isinstance(item.verdict, Kept) and item.verdict.reason in _AFTER_NEEDED
    if not later and not isinstance(item.verdict, Delete):
        return item.verdict
    holder = needed.get(item.digest)
    if holder is None and item.is_attached:
        # A signature is kept with the manifest that it signs, whatever index named it.
        held = [*(target.parent.digest for target in item.targets if target.parent), item.resolved.subject]
        holder = next((digest for digest in held if digest in staying or digest in needed), None)
    return item.verdict if holder is None else Kept(KeptReason.NEEDED, (f"{item.repository}@{holder}",))


def _staying(items: Iterable[Item], facts: RepositoryFacts) -> dict[Digest, None]:
    """Return the manifests that are not deleted: those that only tags outside the list lead to, and the kept items."""
    known = list(items)
    deletions = {item.digest for item in known if isinstance(item.verdict, Delete)}
    tagged = facts.tags.tags.values() if isinstance(facts.tags, TagsRead) else ()
    digests = [*(resolved.digest for resolved in tagged), *(item.digest for item in known)]
    return dict.fromkeys(digest for digest in digests if digest not in deletions)


def removed_tags(items: Iterable[Item]) -> set[str]:
    """Return the tags of one repository that are removed."""
    return {tag for item in items for tag in item.removed_tags}


def _each_by_itself(items: Iterable[Item], facts: RepositoryFacts) -> bool:
    """Tell whether no manifest of a repository needs, or is attached to, another one; most repositories are like that."""
    if isinstance(facts.tags, TagsRead) and facts.tags.indexes:
        return False
    return not any((item.resolved.children or NO_CHILDREN).needed or item.is_attached for item in items)


def _indexes(items: Iterable[Item], facts: RepositoryFacts) -> dict[Digest, Children]:
    """Return the children of every known index and of every item; `NO_CHILDREN` for plain images."""
    indexes = dict(facts.tags.indexes) if isinstance(facts.tags, TagsRead) else {}
    for item in items:
        indexes.setdefault(item.digest, item.resolved.children or NO_CHILDREN)
    return indexes


def needed_by(kept: Iterable[Digest], indexes: Mapping[Digest, Children]) -> dict[Digest, Digest]:
    """Return every digest that the kept manifests need, directly or through indexes, each with a manifest that names it."""
    return _below(kept, indexes, parts=True)


def manifests_below(kept: Iterable[Digest], indexes: Mapping[Digest, Children]) -> Iterable[Digest]:
    """Return every manifest that the kept ones name, directly or through indexes."""
    return _below(kept, indexes, parts=False)


def _below(kept: Iterable[Digest], indexes: Mapping[Digest, Children], *, parts: bool) -> dict[Digest, Digest]:
    parents: dict[Digest, Digest] = {}
    todo = list(dict.fromkeys(kept))
    seen = set(todo)
    while todo:
        parent = todo.pop()
        named = indexes.get(parent, NO_CHILDREN)
        for child in named.needed if parts else named.manifests:
            parents.setdefault(child, parent)
            if child not in seen:
                seen.add(child)
                todo.append(child)
    return parents


def orphans(deletions: Iterable[Item], is_deleted: Callable[[Item], bool]) -> int:
    """Count the orphans of the deleted items, except those that also belong to an item which was not deleted after all.

    `deletions`: the items that the plan deletes; `is_deleted`: tells whether an item was deleted.
    """
    left: set[str] = set()
    held: set[str] = set()
    for item in deletions:
        if item.orphaned:
            (left if is_deleted(item) else held).update(item.orphaned)
    return len(left - held)
