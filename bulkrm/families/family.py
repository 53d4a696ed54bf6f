"""What a file of this package holds, and how the right ones are found for a host."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache

from bulkrm.model.discovery import discover
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import STANDARD, Traits


@dataclass(frozen=True, slots=True)
class Family:
    """One registry family.

    `hosts` are patterns of the public services' names. The traits of its manners hold there, and on a host that its
    `sign` recognises by the answer to `GET /v2/`. The refusals hold there too; `everywhere`, and where there are no
    hosts, they count on every registry, because their error codes are the family's own and people run it under any name. `address` is where its registry is connected to,
    if that is not the name that references have.
    """

    name: str
    traits: Traits
    hosts: tuple[str, ...] = ()
    everywhere: bool = False
    sign: Callable[[Answer], bool] | None = None
    address: str | None = None

    def serves(self, host: str) -> bool:
        """Tell whether a host is one of the family's public services."""
        return any(fnmatchcase(host.partition(":")[0], name) for name in self.hosts)

    @property
    def is_standard_elsewhere(self) -> bool:
        """Tell whether its refusals mean something on its own hosts only."""
        return bool(self.hosts) and not self.everywhere


@cache
def families() -> tuple[Family, ...]:
    """All of them, loaded on first use."""
    return discover(__package__ or "bulkrm.families", "FAMILY", Family)


@cache
def address_of(host: str) -> str:
    """Return where a host (a normal form) is connected to."""
    return next((family.address for family in families() if family.address and family.serves(host)), host)


@cache
def traits_of(host: str) -> Traits:
    """Put together how a host is to be treated: its own family's first, then what holds on every host."""
    own = [family for family in families() if family.serves(host)]
    anywhere = [family for family in families() if family not in own and not family.is_standard_elsewhere]
    base = own[0].traits if own else STANDARD
    refusals = tuple(refusal for family in (*own, *anywhere) for refusal in family.traits.refusals)
    return replace(base, refusals=refusals)


def recognised(host: str, known: Traits, answer: Answer) -> Traits:
    """Add the traits of the family whose sign is in the answer to `GET /v2/`; a public service is known by its name."""
    if any(family.serves(host) for family in families()):
        return known
    for family in families():
        if family.sign is not None and family.sign(answer):
            found = family.traits
            return replace(
                known,
                untagged_first=found.untagged_first,
                restorable=found.restorable,
                collected_by_command=found.collected_by_command,
                deletes_manifests=found.deletes_manifests,
            )
    return known
