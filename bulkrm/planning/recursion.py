"""The targets that `--recursive` adds: the children of indexes to delete, and the referrers of manifests to delete."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import INDEX_TYPES, Children
from bulkrm.model.plan import Delete, Item, Plan
from bulkrm.model.reference import DigestRef, Reference, TagRef
from bulkrm.model.result.outcome import Failed, Kept
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.facts import RepositoryFacts, TagsRead
from bulkrm.planning.guards.graph import artifact_tags, fallback_tag


@valueclass
class AttachedTarget:
    """A child or referrer of a manifest to delete, which is resolved and judged like the images of the list.

    `subject`: it is only deleted if its own `subject` is this manifest; None: in any case.
    """

    target: Target
    subject: Digest | None = None


def attached_to(
    items: Sequence[Item], facts: RepositoryFacts, referrers: Mapping[Digest, Iterable[Digest]]
) -> list[AttachedTarget]:
    """Return the children and referrers of the items to delete in one repository that are not targets yet, each once.

    `referrers`: what the registry's referrers API lists for a manifest. Only the next level is returned: the caller
    judges again with it, and asks for more.
    """
    named = {item.digest for item in items if not item.is_attached}
    known: set[Reference] = {target.reference for item in items for target in item.targets}
    known.update(target.reference for target, _ in facts.resolutions)
    found: list[AttachedTarget] = []
    for item in items:
        if isinstance(item.verdict, Delete):
            for wanted in _attachments(item, facts, referrers.get(item.digest, ())):
                reference = wanted.target.reference
                if reference in known or (isinstance(reference, DigestRef) and reference.digest in named):
                    continue
                known.add(reference)
                found.append(wanted)
    return found


def is_attached_to(wanted: AttachedTarget, subject: Digest | None) -> bool:
    """Tell whether a manifest with this subject is the referrer it was listed as: lists of referrers may be wrong."""
    return wanted.subject is None or wanted.subject == subject


def without_kept_attachments(plan: Plan) -> Plan:
    """Return the plan without the attached targets that are kept: neither the list nor the report names them."""
    items = []
    for item in plan.items:
        listed = tuple(target for target in item.targets if target.parent is None)
        if not isinstance(item.verdict, Kept):
            items.append(item)
        elif listed:
            items.append(replace(item, targets=listed))
    settled = (entry for entry in plan.settled if entry.target.parent is None or isinstance(entry.outcome, Failed))
    return replace(plan, items=tuple(items), settled=tuple(settled))


def _attachments(item: Item, facts: RepositoryFacts, referrers: Iterable[Digest]) -> Iterator[AttachedTarget]:
    itself = DigestRef(item.repository, item.digest)
    # Facts from the survey come first: it has read which of the named digests are manifests.
    children = _known_children(item.digest, facts) or item.resolved.children
    subject = _subject_of_fallback(item)
    for child in children.manifests if children else ():
        reference = DigestRef(item.repository, child)
        if subject is None:
            yield AttachedTarget(Target(reference, None, parent=itself))
        else:
            # The manifests in an index of referrers are attached to its subject; they are no parts of the index.
            yield AttachedTarget(Target(reference, None, parent=subject), subject.digest)
    tags = facts.tags.tags if isinstance(facts.tags, TagsRead) else {}
    for tag in artifact_tags(item.digest):
        # Anything but an index under the fallback tag means that there are no referrers (distribution-spec 1.1).
        if tag in tags and (tag != fallback_tag(item.digest) or tags[tag].media_type in INDEX_TYPES):
            yield AttachedTarget(Target(TagRef(item.repository, tag), None, parent=itself))
    for digest in referrers:
        yield AttachedTarget(Target(DigestRef(item.repository, digest), None, parent=itself), item.digest)


def _known_children(digest: Digest, facts: RepositoryFacts) -> Children | None:
    return facts.tags.indexes.get(digest) if isinstance(facts.tags, TagsRead) else None


def _subject_of_fallback(item: Item) -> DigestRef | None:
    """Return the subject of an index of referrers, None for any other manifest."""
    for target in item.targets:
        match target:
            case Target(TagRef(tag=tag), parent=DigestRef(digest=subject)) if tag == fallback_tag(subject):
                return target.parent
    return None
