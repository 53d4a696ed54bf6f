"""What is done to a registry, one request after the other."""

from dataclasses import dataclass

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item


@dataclass(frozen=True, slots=True)
class DeleteManifest:
    """DELETE one manifest by digest. `after`: the indexes of the same repository that name it and go first."""

    item: Item
    after: tuple[Digest, ...] = ()
