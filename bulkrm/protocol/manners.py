"""What one registry family does differently from the specification, as a value. `quirks` holds one for each family."""

from collections.abc import Collection
from dataclasses import dataclass

from bulkrm.model.failure import FailureCode, Reach


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a refused request is understood: by status and, if given, the code in the body's `errors` list."""

    status: int
    error: str | None
    code: FailureCode
    hint: str
    reach: Reach = Reach.IMAGE
    methods: frozenset[str] = frozenset({"DELETE"})

    def means(self, method: str, status: int, errors: Collection[str]) -> bool:
        """Tell whether it is this refusal that a request met."""
        return method in self.methods and status == self.status and (self.error is None or self.error in errors)


@dataclass(frozen=True, slots=True)
class Manners:
    """How to treat one registry host.

    `actions`: what the first token of a repository is asked for; None: exactly what the challenge wants.
    `refusals`: looked through before the standard's.
    """

    actions: frozenset[str] | None = frozenset({"pull", "delete"})
    refusals: tuple[Refusal, ...] = ()


STANDARD = Manners()
