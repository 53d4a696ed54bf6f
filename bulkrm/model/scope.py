"""Token scopes: what a token may do with one resource (distribution docs, spec/auth/scope.md)."""

from dataclasses import dataclass
from typing import Self

from bulkrm.model.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource and a set of actions, for example `repository:team/app:delete,pull`.

    Servers list actions in random order (distribution 2.8), so they are a set here and sorted in text.
    """

    type: str
    name: str
    actions: frozenset[str]

    @classmethod
    def repository(cls, path: str, *actions: str) -> Self:
        """Scope of a repository, the path without its host."""
        return cls("repository", path, frozenset(actions))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `type:name:actions`: the name may hold a colon, so the first and the last one cut. Raises ProtocolError."""
        kind, first, rest = text.partition(":")
        name, last, actions = rest.rpartition(":")
        if not (first and last and kind and name):
            raise ProtocolError(f"not a token scope: {text[:200]!r}")
        return cls(kind, name, frozenset(filter(None, actions.split(","))))

    def __str__(self) -> str:
        """Canonical text: actions sorted."""
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"

    def covers(self, other: "Scope") -> bool:
        """Tell whether a token for this scope does for the other; `*` stands for every action (distribution 2.8)."""
        same = (self.type, self.name) == (other.type, other.name)
        return same and ("*" in self.actions or other.actions <= self.actions)

    def merge(self, other: "Scope") -> "Scope":
        """Return the union of the actions on one resource; a scope of another resource changes nothing."""
        if (self.type, self.name) != (other.type, other.name):
            return self
        return Scope(self.type, self.name, self.actions | other.actions)


CATALOG = Scope("registry", "catalog", frozenset({"*"}))
