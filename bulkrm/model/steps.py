"""The steps of a plan: units of work of the delete phase. `planning.order` makes them, `engine.execute` carries them out."""

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Order
from bulkrm.model.reference import Repository
from bulkrm.model.valueclass import valueclass


@valueclass
class DeleteManifest:
    """DELETE one manifest by digest, after the manifests `after` of its repository: indexes that name it, and its subject."""

    item: Item
    after: tuple[Digest, ...] = ()


@valueclass
class UntagManifest:
    """Remove the item's targets, all of them tags, from a manifest that is kept, by the method of its verdict.

    A tag is read right before it is deleted or overwritten; one that has moved by then is kept.
    """

    item: Item


@valueclass
class RemoveTagsAhead:
    """Remove all tags of manifests of one repository that are deleted afterwards; each tag is read right before.

    A tag that cannot be removed alone is deleted with its manifest. `order` is never `Order.DIGEST`.
    """

    repository: Repository
    items: tuple[Item, ...]
    order: Order


Step = DeleteManifest | UntagManifest | RemoveTagsAhead
