"""What `--recursive` adds: the children of doomed indexes, and what is attached to doomed manifests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import INDEX_TYPES, Children
from bulkrm.model.plan import Delete, Item, Plan
from bulkrm.model.reference import DigestRef, Reference, TagRef
from bulkrm.model.result.outcome import Failed, Kept
from bulkrm.model.target import Target
from bulkrm.planning.facts import RepositoryFacts, Seen
from bulkrm.planning.guards.artifacts import artifact_tags, fallback_tag


@dataclass(frozen=True, slots=True)
class AttachedTarget:
    """Something that belongs to a doomed manifest, to be resolved and judged like the list's own images.

    `subject`: only if it says itself that it is attached to this manifest.
    """

    target: Target
    subject: Digest | None = None


def attached_to(
    items: Sequence[Item], facts: RepositoryFacts, referrers: Mapping[Digest, Iterable[Digest]]
) -> list[AttachedTarget]:
    """Return what belongs to the doomed items of one repository and is no target yet, each once, the nearest only.

    `referrers`: what the registry's referrers API names for a manifest. Judge again with what was found, and ask again.
    """
    named = {item.digest for item in items if not item.is_attached}
    known: set[Reference] = {target.reference for item in items for target in item.targets}
    known.update(target.reference for target, _ in facts.resolutions)
    found: list[AttachedTarget] = []
    for item in items:
        if isinstance(item.verdict, Delete):
            for wanted in _belonging(item, facts, referrers.get(item.digest, ())):
                reference = wanted.target.reference
                if reference in known or (isinstance(reference, DigestRef) and reference.digest in named):
                    continue
                known.add(reference)
                found.append(wanted)
    return found


def is_attached_to(wanted: AttachedTarget, subject: Digest | None) -> bool:
    """Tell whether a manifest with this subject is what was wanted: lists of referrers are not taken at their word."""
    return wanted.subject is None or wanted.subject == subject


def trimmed(plan: Plan) -> Plan:
    """Leave out what only belongs to something and is not going anyway: the list did not name it, nor does the report."""
    items = []
    for item in plan.items:
        listed = tuple(target for target in item.targets if target.parent is None)
        if not isinstance(item.verdict, Kept):
            items.append(item)
        elif listed:
            items.append(replace(item, targets=listed))
    settled = (entry for entry in plan.settled if entry.target.parent is None or isinstance(entry.outcome, Failed))
    return replace(plan, items=tuple(items), settled=tuple(settled))


def _belonging(item: Item, facts: RepositoryFacts, referrers: Iterable[Digest]) -> Iterator[AttachedTarget]:
    itself = DigestRef(item.repository, item.digest)
    # What was read of the repository tells more: which of those that may be manifests are none.
    children = _known_children(item.digest, facts) or item.resolved.children
    subject = _subject_of_fallback(item)
    for child in children.manifests if children else ():
        reference = DigestRef(item.repository, child)
        if subject is None:
            yield AttachedTarget(Target(reference, None, parent=itself))
        else:
            # What the index of referrers names is attached to the subject, not a part of the index.
            yield AttachedTarget(Target(reference, None, parent=subject), subject.digest)
    tags = facts.tags.tags if isinstance(facts.tags, Seen) else {}
    for tag in artifact_tags(item.digest):
        # Anything but an index under the fallback tag means that there are no referrers (distribution-spec 1.1).
        if tag in tags and (tag != fallback_tag(item.digest) or tags[tag].media_type in INDEX_TYPES):
            yield AttachedTarget(Target(TagRef(item.repository, tag), None, parent=itself))
    for digest in referrers:
        yield AttachedTarget(Target(DigestRef(item.repository, digest), None, parent=itself), item.digest)


def _known_children(digest: Digest, facts: RepositoryFacts) -> Children | None:
    return facts.tags.indexes.get(digest) if isinstance(facts.tags, Seen) else None


def _subject_of_fallback(item: Item) -> DigestRef | None:
    """Return what an index of referrers is about, None for any other manifest."""
    for target in item.targets:
        match target:
            case Target(TagRef(tag=tag), parent=DigestRef(digest=subject)) if tag == fallback_tag(subject):
                return target.parent
    return None
