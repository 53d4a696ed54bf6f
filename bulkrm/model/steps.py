"""What is done to a registry, one step after the other."""

from dataclasses import dataclass

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Order
from bulkrm.model.reference import Repository


@dataclass(frozen=True, slots=True)
class DeleteManifest:
    """DELETE one manifest by digest. `after`: what goes first, in the same repository: indexes that name it and such."""

    item: Item
    after: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class UntagManifest:
    """Take the item's targets, all of them tags, off a manifest that stays: in the way that its verdict says.

    A tag is read right before it is deleted or overwritten; one that holds something else by then stays.
    """

    item: Item


@dataclass(frozen=True, slots=True)
class RemoveTagsAhead:
    """Take all tags off manifests of one repository that are deleted afterwards, each of them read right before.

    What cannot be taken off goes with its manifest. `order` says how: it is not by digest.
    """

    repository: Repository
    items: tuple[Item, ...]
    order: Order


Step = DeleteManifest | UntagManifest | RemoveTagsAhead
