"""The plan: the verdict on every manifest and the outcome of every other target, before anything is deleted."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Resolved
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.outcome import Failed, Gone, Kept
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass


class UntagMethod(StrEnum):
    """How one tag is removed from a manifest that is kept.

    `TAG`: by DELETE of the tag. `DECOY`: on a registry that deletes manifests only, an empty index is pushed over the tag
    and deleted.
    """

    TAG = "tag"
    DECOY = "decoy"


class Order(StrEnum):
    """The order of the requests in one repository.

    `DIGEST`: every manifest is deleted by its digest, and its tags with it. `TAGS_FIRST`: tags are deleted, then the
    manifests. `DECOY`: one decoy is pushed over all these tags and deleted, then the manifests.
    """

    DIGEST = "digest"
    TAGS_FIRST = "tags-first"
    DECOY = "decoy"


@valueclass
class Delete:
    """Delete the manifest. `also_removed`: tags outside the list that go with it, in full form; None: not read."""

    also_removed: tuple[str, ...] | None = ()


@valueclass
class Untag:
    """Remove the targets, all of them tags; the manifest keeps its `remaining_tags`, in full form."""

    remaining_tags: tuple[str, ...]
    untag_method: UntagMethod = UntagMethod.TAG


Verdict = Delete | Untag | Kept | Failed


@valueclass
class Item:
    """One manifest of one repository, with the targets that lead to it. It has one verdict, each target one outcome."""

    repository: Repository
    resolved: Resolved
    targets: tuple[Target, ...]
    verdict: Verdict
    tags: tuple[str, ...] = ()  # all tags seen on it, listed or not
    parents: tuple[Digest, ...] = ()  # manifests that are deleted before it: indexes that name it, and its subject
    # Manifests and tags, in full form, that stay although only this item referred to them.
    orphaned: tuple[str, ...] = ()

    @property
    def digest(self) -> Digest:
        """The manifest's digest."""
        return self.resolved.digest

    @property
    def named_tags(self) -> tuple[str, ...]:
        """The tags among its targets, each once."""
        named = (target.reference.tag for target in self.targets if isinstance(target.reference, TagRef))
        return tuple(dict.fromkeys(named))

    @property
    def removed_tags(self) -> tuple[str, ...]:
        """The tags that are removed: all of a deleted manifest, of a kept one those that the list names."""
        match self.verdict:
            case Delete():
                return self.tags
            case Untag():
                return self.named_tags
            case _:
                return ()

    def targets_naming(self, tag: str) -> tuple[Target, ...]:
        """Return the targets that name a tag: the list may name it twice, with a digest and without."""
        return tuple(
            target for target in self.targets if isinstance(target.reference, TagRef) and target.reference.tag == tag
        )

    def targets_for(self, tag: str) -> tuple[Target, ...]:
        """Return the targets that report the fate of a tag: those that name it, else all targets of the item."""
        return self.targets_naming(tag) or self.targets

    @property
    def is_attached(self) -> bool:
        """Tell whether the list does not name it: it is only deleted together with its parent."""
        return all(target.parent is not None for target in self.targets)


@valueclass
class Settled:
    """A target that leads to no manifest which could be deleted, so its outcome is known beforehand."""

    target: Target
    outcome: Gone | Failed | Kept

    @property
    def repository(self) -> Repository:
        """The repository of the target."""
        return self.target.reference.repository


@valueclass
class Dangling:
    """A tag of the list that the registry lists although it leads to no manifest; it is removed by `untag_method`."""

    target: Target
    untag_method: UntagMethod = UntagMethod.TAG

    @property
    def repository(self) -> Repository:
        """The repository of the tag."""
        return self.target.reference.repository


@valueclass
class Plan:
    """A run's plan. Each target is in exactly one item, or dangling, or settled.

    Items have distinct (repository, digest), with one exception: beside an item to untag (or one that only a limit keeps
    from that) there may be a kept item, with those targets that are not tags or are protected. `tags`: the number of tags
    of each touched repository, where it is known; `orders`: of the repositories where the order is not `Order.DIGEST`;
    `ignored`: damaged tags, in full form, that do not make their repository unreadable (`--ignore-unreadable`);
    `untagged_first`: hosts that delete a manifest only once it has no tag; `no_undo`: hosts where a deleted manifest
    cannot be restored.
    """

    items: tuple[Item, ...]
    settled: tuple[Settled, ...] = ()
    tags: Mapping[Repository, int] = field(default_factory=dict)
    orders: Mapping[Repository, Order] = field(default_factory=dict)
    dangling: tuple[Dangling, ...] = ()
    ignored: tuple[str, ...] = ()
    untagged_first: frozenset[str] = frozenset()
    no_undo: frozenset[str] = frozenset()

    def order(self, repository: Repository) -> Order:
        """Return the order of requests in a repository."""
        return self.orders.get(repository, Order.DIGEST)

    @property
    def tags_seen(self) -> int:
        """The number of tags in the touched repositories, to which a limit in percent refers."""
        return sum(self.tags.values())

    @property
    def without_manifest(self) -> Iterator[Settled | Dangling]:
        """The entries of targets that lead to no manifest which could be deleted."""
        yield from self.dangling
        yield from self.settled

    @property
    def disappearing(self) -> int:
        """The number of tags that are removed, unlisted ones included, plus that of deleted manifests without a tag."""
        return sum(len(item.removed_tags) or 1 for item in self.changed_items) + len(self.dangling)

    @property
    def touched(self) -> set[Repository]:
        """The repositories in which a manifest or a tag is removed."""
        return {item.repository for item in self.changed_items} | {entry.repository for entry in self.dangling}

    @property
    def changed_items(self) -> Iterator[Item]:
        """The items that change the registry: their manifests are deleted, or tags are removed from them."""
        return (item for item in self.items if isinstance(item.verdict, Delete | Untag))

    @property
    def deletions(self) -> Iterator[Item]:
        """The items whose manifest is deleted."""
        return (item for item in self.items if isinstance(item.verdict, Delete))
