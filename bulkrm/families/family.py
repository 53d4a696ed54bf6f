"""`Family`, which each file of this package declares, and the traits of a host, combined from the families."""

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache

from bulkrm.model.extensions.discovery import Extension, ExtensionPoint
from bulkrm.model.extensions.plugin_call import call_plugin
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import STANDARD, Traits


@valueclass
class Family:
    """One registry family.

    `hosts`: patterns (fnmatch) of the host names of its public services. Its traits apply there, and on every host whose
    answer to `GET /v2/` satisfies `detect`. Its refusals apply to `hosts` only; with `everywhere`, or without `hosts`,
    they apply to every registry, because the family runs under any host name and its error codes are unique. `address`:
    the host to connect to, if that is not the host of its references.
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
    """Return all families, those of bulkrm first; loaded on the first call. Raises InputError for an unusable plugin."""
    return FAMILIES.values()


@cache
def address_of(host: str) -> str:
    """Return the host to connect to for a host of references, which is in normal form."""
    return next((family.address for family in families() if family.address and family.serves(host)), host)


@cache
def traits_of(host: str) -> Traits:
    """Return the traits of a host by its name (a normal form): its family's, with the refusals that apply to every host."""
    own = [family for family in families() if family.serves(host)]
    anywhere = [family for family in families() if family not in own and not family.is_standard_elsewhere]
    base = own[0].traits if own else STANDARD
    refusals = tuple(refusal for family in (*own, *anywhere) for refusal in family.traits.refusals)
    return replace(base, refusals=refusals)


def with_detected_traits(host: str, known: Traits, answer: Answer) -> Traits:
    """Return the `known` traits with those of the family that detects itself in the answer to `GET /v2/`.

    They are returned unchanged where the name of the host already tells its family, or no family detects itself. Raises
    PluginError where the `detect` of a plugin fails: the host may be one that is not safe to treat like others.
    """
    if any(family.serves(host) for family in families()):
        return known
    for extension in FAMILIES.extensions():
        if _detects_itself(extension, answer):
            found = extension.value.traits
            return replace(
                known,
                untagged_first=found.untagged_first,
                restorable=found.restorable,
                collected_by_command=found.collected_by_command,
                deletes_manifests=found.deletes_manifests,
            )
    return known


def _detects_itself(extension: Extension[Family], answer: Answer) -> bool:
    detect, plugin = extension.value.detect, extension.plugin
    if detect is None:
        return False
    if plugin is None:
        return detect(answer)
    return bool(call_plugin(plugin, "True or False", lambda found: isinstance(found, bool), lambda: detect(answer)))
