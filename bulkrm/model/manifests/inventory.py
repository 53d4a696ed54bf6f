"""The inventory of a repository, which some registries offer over an API of their own: manifests with their tags."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES, Resolved
from bulkrm.model.valueclass import valueclass


@valueclass
class ListedManifest:
    """One manifest of a repository. A field is None where the listing does not have it; `size` is in bytes.

    `pushed` is when it was pushed (with a time zone), `locked` whether the registry refuses to delete it.
    """

    digest: Digest
    tags: tuple[str, ...] = ()
    media_type: str | None = None
    size: int | None = None
    pushed: datetime | None = None
    locked: bool | None = None


@valueclass
class Inventory:
    """All tags of a repository (`names`), and its manifests as far as the listing has them.

    An inventory is complete: a backend that cannot read a listing to its end raises RequestFailed. A tag of `names` that
    belongs to none of the `manifests` is read by itself, like every tag of a registry without an inventory.
    """

    names: tuple[str, ...]
    manifests: Sequence[ListedManifest] = field(default_factory=tuple)

    @property
    def pushed(self) -> Mapping[Digest, datetime]:
        """When manifests were last pushed, as far as the listing has it."""
        times: dict[Digest, datetime] = {}
        for stored in self.manifests:
            if stored.pushed is not None:
                times[stored.digest] = max(stored.pushed, times.get(stored.digest, stored.pushed))
        return times

    @property
    def resolved(self) -> Mapping[str, Resolved]:
        """The manifests that tags lead to, as HEAD of each tag would return them.

        Manifests whose type is missing or unknown are left out: they may be indexes, so they have to be read.
        """
        return {
            tag: Resolved(stored.digest, stored.media_type, stored.size or 0)
            for stored in self.manifests
            if stored.media_type in MEDIA_TYPES
            for tag in stored.tags
        }
