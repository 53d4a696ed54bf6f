"""What is known of one repository when conditions are evaluated, and which of its manifests an entry names."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from bulkrm.model.digest import Digest
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.manifests.details import Details
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry

UNKNOWN = Details()


@valueclass
class RepositoryView:
    """The facts about one repository that conditions use.

    `tags`: every known tag with its digest; `targets`: the targets with their digests, None for a tag without a
    manifest. `details`: the facts of manifests; `new`: manifests that were unknown at the first judgement of the run.
    """

    repository: Repository
    tags: Mapping[str, Digest]
    targets: Sequence[tuple[Target, Digest | None]]
    details: Mapping[Digest, Details] = field(default_factory=dict)
    new: frozenset[Digest] = frozenset()

    def of(self, digest: Digest) -> Details:
        """Return the facts of a manifest; empty ones where none were read."""
        return self.details.get(digest, UNKNOWN)


def known_digests(view: RepositoryView) -> frozenset[Digest]:
    """Return the digests of all manifests that a view knows, by tag or as a target."""
    named = (target.reference.digest for target, _ in view.targets if isinstance(target.reference, DigestRef))
    held = (digest for _, digest in view.targets if digest is not None)
    return frozenset([*view.tags.values(), *named, *held])


def named_images(entry: ConditionalEntry, view: RepositoryView) -> dict[Digest, list[str]]:
    """Return the manifests that an entry names, with the tags by which it names them."""
    found: dict[Digest, list[str]] = defaultdict(list)
    for tag in sorted(view.tags):
        if entry.chooses(view.repository, tag):
            found[view.tags[tag]].append(tag)
    for digest in entry.digests(view.repository):
        found.setdefault(digest, [])
    return found


def named_at_most(entry: ConditionalEntry, view: RepositoryView) -> Iterable[Digest]:
    """Return the manifests that an entry names; all of the repository where a plugin cannot tell which those are."""
    try:
        return named_images(entry, view)
    except PluginError:
        return known_digests(view)


def can_name(entry: ConditionalEntry, view: RepositoryView) -> bool:
    """Tell whether it is known which manifests an entry names; False where a plugin fails to tell."""
    try:
        named_images(entry, view)
    except PluginError:
        return False
    return True
