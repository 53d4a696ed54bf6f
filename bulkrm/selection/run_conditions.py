"""All conditions of a run: those of entries, and those that apply to every repository."""

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Policy, Shared
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry


@valueclass
class RunConditions:
    """The conditions of a run. `entries`: the entries with conditions; `Target.bound` holds indexes into them.

    `in_use`: references of running images, in normal form; `min_keep`: how many tagged images of each repository are
    kept at least, 0 for no such limit.
    """

    entries: tuple[ConditionalEntry, ...] = ()
    in_use: tuple[str, ...] = ()
    min_keep: int = 0

    def __bool__(self) -> bool:
        """Tell whether the run has any condition."""
        return bool(self.entries or self.in_use or self.min_keep)


UNCONDITIONAL = RunConditions()


def refuse_unread_tags(policy: Policy, conditions: RunConditions, *, protected: bool) -> None:
    """Raise InputError if the policy does not read the unlisted tags of a repository, but another option needs them."""
    if policy.shared is not Shared.DELETE_UNSEEN:
        return
    options = (
        (protected, "protection"),
        (policy.recursive, "--recursive"),
        (policy.verify, "--verify"),
        (bool(conditions.in_use), "in-use"),
        (bool(conditions.min_keep), "min-keep"),
        (any(entry.ranks for entry in conditions.entries), "keep-newest"),
    )
    for given, what in options:
        if given:
            message = f"delete-unseen does not read the tags that {what} needs"
            raise InputError(Problem("--shared", message, f"use --shared delete, or remove {what}"))
