"""A registry family, as each file of this package declares one, and the traits of a host put together from them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache

from bulkrm.model.extensions.discovery import ExtensionPoint
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import STANDARD, Traits


@dataclass(frozen=True, slots=True)
class Family:
    """One registry family.

    `hosts`: patterns of the names of its public services. Its traits apply there, and on every host whose answer to
    `GET /v2/` satisfies `detect`. Its refusals apply to those hosts too; with `everywhere`, or without `hosts`, they
    apply to every registry, because their error codes are unique to the family, which people run under any host name.
    `address`: where its registry is connected to, if that is not the host of its references.
    """

    name: str
    traits: Traits
    hosts: tuple[str, ...] = ()
    everywhere: bool = False
    detect: Callable[[Answer], bool] | None = None
    address: str | None = None

    def serves(self, host: str) -> bool:
        """Tell whether a host is one of the family's public services."""
        return any(fnmatchcase(host.partition(":")[0], name) for name in self.hosts)

    @property
    def is_standard_elsewhere(self) -> bool:
        """Tell whether its refusals apply to its own hosts only."""
        return bool(self.hosts) and not self.everywhere


FAMILIES = ExtensionPoint("bulkrm.families", "FAMILY", Family, "bulkrm.families", lambda family: (family.name,))


def families() -> tuple[Family, ...]:
    """All families, loaded on first use, ours first. Raises InputError where a plugin cannot be used."""
    return FAMILIES.values()


@cache
def address_of(host: str) -> str:
    """Return where a host (a normal form) is connected to."""
    return next((family.address for family in families() if family.address and family.serves(host)), host)


@cache
def traits_of(host: str) -> Traits:
    """Return the traits of a host by its name: those of its family, and the refusals that apply to every host."""
    own = [family for family in families() if family.serves(host)]
    anywhere = [family for family in families() if family not in own and not family.is_standard_elsewhere]
    base = own[0].traits if own else STANDARD
    refusals = tuple(refusal for family in (*own, *anywhere) for refusal in family.traits.refusals)
    return replace(base, refusals=refusals)


def with_detected_traits(host: str, known: Traits, answer: Answer) -> Traits:
    """Add the traits of the family that detects itself in the answer to `GET /v2/`, unless the name already told."""
    if any(family.serves(host) for family in families()):
        return known
    for family in families():
        if family.detect is not None and family.detect(answer):
            found = family.traits
            return replace(
                known,
                untagged_first=found.untagged_first,
                restorable=found.restorable,
                collected_by_command=found.collected_by_command,
                deletes_manifests=found.deletes_manifests,
            )
    return known
