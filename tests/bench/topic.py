"""What every topic of the benchmark gets, and gives."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """`folder` is empty and, where there is one, on a tmpfs: the disk is not what is measured. `output` is for results.

    `short`: so small that it takes seconds, to see that everything works.
    """

    folder: Path
    output: Path
    repetitions: int
    short: bool
    say: Say


# Measures, writes CSV and plots, and returns tables for people.
Topic = Callable[[Setting], Coroutine[None, None, str]]
