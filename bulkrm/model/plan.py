"""The plan: what is known of every target, and the verdict on every manifest, before anything is deleted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Resolved
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.outcome import Failed, Gone, Kept
from bulkrm.model.target import Target


class UntagMethod(StrEnum):
    """How a registry can be brought to give up one tag of a manifest.

    `TAG`: it deletes tags. `DECOY`: it deletes manifests only, so a manifest of our own is pushed over the tag and
    deleted.
    """

    TAG = "tag"
    DECOY = "decoy"


class Order(StrEnum):
    """In which order the requests of one repository go.

    `DIGEST`: every manifest is deleted by its digest, and its tags with it. `TAGS_FIRST`: tags are deleted, then the
    manifests. `DECOY`: one decoy is pushed over all these tags and deleted, then the manifests.
    """

    DIGEST = "digest"
    TAGS_FIRST = "tags-first"
    DECOY = "decoy"


@dataclass(frozen=True, slots=True)
class Delete:
    """The manifest goes. `also_removed`: tags outside the list that go with it, in full form; None: not read."""

    also_removed: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Untag:
    """The targets, all of them tags, go; the manifest lives on under the tags that it `stays` with, in full form."""

    remaining_tags: tuple[str, ...]
    untag_method: UntagMethod = UntagMethod.TAG


Verdict = Delete | Untag | Kept | Failed


@dataclass(frozen=True, slots=True)
class Item:
    """One manifest of one repository and the targets that lead to it: one verdict, and one outcome for each of them."""

    repository: Repository
    resolved: Resolved
    targets: tuple[Target, ...]
    verdict: Verdict
    tags: tuple[str, ...] = ()  # all tags seen on it, listed or not
    parents: tuple[Digest, ...] = ()  # doomed manifests that go first: indexes above it, what it is attached to
    orphaned: tuple[str, ...] = ()  # what nothing needs once this is gone and yet stays, in full form

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
        """The tags that go: with the manifest all of them, off it those that are named."""
        match self.verdict:
            case Delete():
                return self.tags
            case Untag():
                return self.named_tags
            case _:
                return ()

    def naming(self, tag: str) -> tuple[Target, ...]:
        """Return the targets that name a tag: the list may name it twice, with a digest and without."""
        return tuple(
            target for target in self.targets if isinstance(target.reference, TagRef) and target.reference.tag == tag
        )

    def concerned(self, tag: str) -> tuple[Target, ...]:
        """Return the targets that hear of what became of a tag: those that name it, else all."""
        return self.naming(tag) or self.targets

    @property
    def is_attached(self) -> bool:
        """Tell whether the list does not name it at all: it goes with what it belongs to, or not."""
        return all(target.parent is not None for target in self.targets)


@dataclass(frozen=True, slots=True)
class Settled:
    """A target that leads to no manifest that could be deleted."""

    target: Target
    outcome: Gone | Failed | Kept


@dataclass(frozen=True, slots=True)
class Dangling:
    """A tag of the list that the registry lists as well, and that leads to no manifest: the tag goes, in its `way`."""

    target: Target
    untag_method: UntagMethod = UntagMethod.TAG

    @property
    def repository(self) -> Repository:
        """Where it is."""
        return self.target.reference.repository


@dataclass(frozen=True, slots=True)
class Plan:
    """Every target is in exactly one item, or dangling, or settled.

    Items have distinct (repository, digest), but for one thing: beside an item to untag (or that would be, but for a
    limit) may stand one that is kept, with the targets that are no tags or are protected. `tags`: how many tags each
    touched repository has, as far as that is known; `orders`: in which order things go in those where it is not by
    digest; `ignored`: damaged tags that hold nothing back, in full form. Of the hosts: `untagged_first` are those that
    delete a manifest only when no tag is on it any more, `no_undo` those where nothing can be put back.
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
        """How many tags the touched repositories have, for a limit in percent."""
        return sum(self.tags.values())

    @property
    def without_manifest(self) -> Iterator[Settled | Dangling]:
        """What stands for targets that lead to no manifest which could be deleted."""
        yield from self.dangling
        yield from self.settled

    @property
    def touched(self) -> set[Repository]:
        """The repositories in which something goes."""
        return {item.repository for item in self.acts} | {entry.repository for entry in self.dangling}

    @property
    def acts(self) -> Iterator[Item]:
        """What something is to be done about: manifests to delete, tags to take off manifests."""
        return (item for item in self.items if isinstance(item.verdict, Delete | Untag))

    @property
    def deletions(self) -> Iterator[Item]:
        """What is to be deleted, manifest and all."""
        return (item for item in self.items if isinstance(item.verdict, Delete))
