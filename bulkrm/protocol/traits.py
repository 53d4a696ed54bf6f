"""What one registry family does differently from the specification, as a value. `families` holds one for each family."""

from collections.abc import Collection
from dataclasses import dataclass

from bulkrm.model.result.failure import FailureCode, Reach, TagsOnly


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a refused request is understood: by status and, if given, the code in the body's `errors` list."""

    status: int
    error: str | None
    code: FailureCode
    hint: str
    reach: Reach = Reach.IMAGE
    methods: frozenset[str] = frozenset({"DELETE"})
    tagged: bool = False  # it means that a tag is still on the manifest, and that those go first here

    def means(self, method: str, status: int, errors: Collection[str]) -> bool:
        """Tell whether it is this refusal that a request met."""
        return method in self.methods and status == self.status and (self.error is None or self.error in errors)


@dataclass(frozen=True, slots=True)
class Traits:
    """How to treat one registry host.

    `actions`: what the first token of a repository is asked for; None: exactly what the challenge wants.
    `refusals`: looked through before the standard's. The others are traits, things that the specification leaves open.
    `untagged_first`: a manifest is deleted only when no tag is on it any more. `tags_only`: why no manifest is deleted
    at all, where tags are. `restorable`: what was deleted can be put back as long as no garbage was collected.
    `collected_by_command`: its operator collects the garbage by distribution's command. `deletes_manifests`: it does
    wherever it deletes anything, so that a refusal means that deletion is off, even where tags can be deleted.
    """

    actions: frozenset[str] | None = frozenset({"pull", "delete"})
    refusals: tuple[Refusal, ...] = ()
    untagged_first: bool = False
    tags_only: TagsOnly | None = None
    restorable: bool = True
    collected_by_command: bool = False
    deletes_manifests: bool = False


STANDARD = Traits()
