"""The verdicts of a list's conditions in one repository: `selection` computes them, the guards of `planning` use them."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Reference
from bulkrm.model.result.outcome import Kept
from bulkrm.model.valueclass import valueclass


@valueclass
class ConditionVerdicts:
    """The images of one repository that conditions keep, with the reasons.

    `digests`: manifests that are kept whichever entry names them (`unreadable`, `newest`), their reasons in order of
    precedence. `targets`: images that are too young, or have no date, for every entry that names them.
    `dangling`: tags without a manifest that are kept. `in_use`: manifests that run somewhere, with their children and
    indexes; `tags_in_use`: the tags under which they run. `created`: when the manifests with tags were built, by which
    `min-keep` chooses; None: not known.
    """

    digests: Mapping[Digest, tuple[Kept, ...]] = field(default_factory=dict)
    targets: Mapping[Reference, tuple[Kept, ...]] = field(default_factory=dict)
    dangling: Mapping[str, Kept] = field(default_factory=dict)
    in_use: Mapping[Digest, Kept] = field(default_factory=dict)
    tags_in_use: Mapping[str, Kept] = field(default_factory=dict)
    created: Mapping[Digest, datetime | None] = field(default_factory=dict)


NO_VERDICTS = ConditionVerdicts()
