"""Token scopes: the actions that a token permits on one resource (distribution docs/spec/auth/scope.md)."""

from typing import Self

from bulkrm.model.errors import ProtocolError
from bulkrm.model.valueclass import valueclass


@valueclass
class Scope:
    """One resource and a set of actions, for example `repository:team/app:delete,pull`.

    Servers list actions in random order (distribution 2.8), so they are a set here and sorted in text.
    """

    type: str
    name: str
    actions: frozenset[str]

    @classmethod
    def repository(cls, path: str, *actions: str) -> Self:
        """Return the scope of a repository; `path` is without the host."""
        return cls("repository", path, frozenset(actions))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `type:name:actions`, split at the first and the last colon: a name may have one. Raises ProtocolError."""
        kind, first, rest = text.partition(":")
        name, last, actions = rest.rpartition(":")
        if not (first and last and kind and name):
            raise ProtocolError(f"not a token scope: {text[:200]!r}")
        return cls(kind, name, frozenset(filter(None, actions.split(","))))

    def __str__(self) -> str:
        """`type:name:actions`, the actions sorted."""
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"

    def covers(self, other: "Scope") -> bool:
        """Tell whether a token for this scope permits all of the other; `*` is every action (distribution 2.8)."""
        same = (self.type, self.name) == (other.type, other.name)
        return same and ("*" in self.actions or other.actions <= self.actions)

    def merge(self, other: "Scope") -> "Scope":
        """Return the union of the actions on one resource; a scope of another resource changes nothing."""
        if (self.type, self.name) != (other.type, other.name):
            return self
        return Scope(self.type, self.name, self.actions | other.actions)


CATALOG = Scope("registry", "catalog", frozenset({"*"}))
