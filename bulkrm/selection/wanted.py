"""The conditions of a whole run, beside its images."""

from dataclasses import dataclass

from bulkrm.selection.conditional import Conditional


@dataclass(frozen=True, slots=True)
class RunConditions:
    """`entries`: those with conditions, in the order of the list: targets know them by their number.

    `in_use`: references of what runs, in normal form; `min_keep`: how many tagged images of each repository stay.
    """

    entries: tuple[Conditional, ...] = ()
    in_use: tuple[str, ...] = ()
    min_keep: int = 0

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.entries or self.in_use or self.min_keep)


UNCONDITIONAL = RunConditions()
