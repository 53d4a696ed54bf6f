"""What one listing of a registry's own tells of a repository: its manifests, each with its tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES, Resolved


@dataclass(frozen=True, slots=True)
class ListedManifest:
    """One manifest of a repository. None stands for what the listing does not tell; `size` is in bytes.

    `pushed` is when it came to the registry, `locked` whether the registry refuses to delete it.
    """

    digest: Digest
    tags: tuple[str, ...] = ()
    media_type: str | None = None
    size: int | None = None
    pushed: datetime | None = None
    locked: bool | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All tags of a repository, and the manifests that the listing tells of.

    It is whole: a backend that cannot read a listing to its end raises RequestFailed. A tag of `names` that stands under
    no manifest is read by itself, like every tag of a registry without an inventory.
    """

    names: tuple[str, ...]
    manifests: Sequence[ListedManifest] = field(default_factory=tuple)

    @property
    def resolved(self) -> Mapping[str, Resolved]:
        """What tags lead to, as far as a HEAD of the tag would tell no more.

        A manifest of an unknown type is left out: it may be an index, and is read.
        """
        return {
            tag: Resolved(stored.digest, stored.media_type, stored.size or 0)
            for stored in self.manifests
            if stored.media_type in MEDIA_TYPES
            for tag in stored.tags
        }
