"""What the conditions of a list say of one repository: data between whoever evaluates them and whoever judges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Reference
from bulkrm.model.result.outcome import Kept


@dataclass(frozen=True, slots=True)
class Holds:
    """Who stays, and why.

    `digests`: what stays whoever names it, the whole run long: `unreadable`, `newest` and such, in the order of their
    precedence. `targets`: images that every entry that names them keeps by its age. `dangling`: tags without a manifest
    that stay. `in_use`: what runs somewhere, or belongs to it; `tags_in_use`: the tags by which it is named.
    `created`: when tagged manifests were built, for a choice among them; None: not known.
    """

    digests: Mapping[Digest, tuple[Kept, ...]] = field(default_factory=dict)
    targets: Mapping[Reference, tuple[Kept, ...]] = field(default_factory=dict)
    dangling: Mapping[str, Kept] = field(default_factory=dict)
    in_use: Mapping[Digest, Kept] = field(default_factory=dict)
    tags_in_use: Mapping[str, Kept] = field(default_factory=dict)
    created: Mapping[Digest, datetime | None] = field(default_factory=dict)


NOTHING = Holds()
