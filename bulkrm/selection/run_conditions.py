"""All conditions of a run: those of entries, and those that apply to every repository."""

from dataclasses import dataclass

from bulkrm.selection.conditional import ConditionalEntry


@dataclass(frozen=True, slots=True)
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
