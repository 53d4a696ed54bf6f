"""What a file of this package holds, and how the right ones are found for a host."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache

from bulkrm.model.discovery import discover
from bulkrm.protocol.manners import STANDARD, Manners


@dataclass(frozen=True, slots=True)
class Quirk:
    """One registry family.

    `hosts` are patterns of the public services' names; without any, the refusals count on every host, because their
    error codes are the family's own and people run it under any name.
    """

    name: str
    manners: Manners
    hosts: tuple[str, ...] = ()


@cache
def quirks() -> tuple[Quirk, ...]:
    """All of them, loaded on first use."""
    return discover(__package__ or "bulkrm.quirks", "QUIRK", Quirk)


@cache
def manners_of(host: str) -> Manners:
    """Put together how a host is to be treated: its own family's first, then what holds on every host."""
    own = [quirk for quirk in quirks() if any(fnmatchcase(host.partition(":")[0], name) for name in quirk.hosts)]
    anywhere = [quirk for quirk in quirks() if not quirk.hosts]
    base = own[0].manners if own else STANDARD
    refusals = tuple(refusal for quirk in (*own, *anywhere) for refusal in quirk.manners.refusals)
    return replace(base, refusals=refusals)
