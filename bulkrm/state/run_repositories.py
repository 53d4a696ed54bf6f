"""The repositories of a recorded run: those of its plan, or of its list if it ended before it had a plan.

A plan may have hundreds of megabytes, and a list of runs shows many of them. So the plan is not parsed: each repository
has a line of its own (`bulkrm.codec.plan_writer`), and only those lines are read.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bulkrm.codec.run_record import named_entries
from bulkrm.model.text.image_name import repository_part
from bulkrm.model.valueclass import valueclass
from bulkrm.state.errors import changed
from bulkrm.state.files import read_lines
from bulkrm.state.journal.file import LONGEST

_LINE = b'   "repository": '


@valueclass
class RunRepositories:
    """The repositories of a run, `host/path` in normal form, each once.

    `is_planned`: they are those of the plan; otherwise those of the list, which may be globs.
    """

    repositories: tuple[str, ...] = ()
    is_planned: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registry hosts, each once."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.repositories))


def planned_repositories(plan: Path) -> RunRepositories:
    """Return the repositories of a plan's file. Raises StateError where it cannot be read, or one of them is not a string."""
    return RunRepositories(tuple(dict.fromkeys(_planned(plan))), is_planned=True)


def _planned(plan: Path) -> Iterator[str]:
    for number, line, _ in read_lines(plan, LONGEST):
        if line.startswith(_LINE):
            try:
                name = json.loads(line.removeprefix(_LINE).removesuffix(b","))
            except ValueError as error:
                raise changed(f"{plan}:{number}", "it is not JSON") from error
            if not isinstance(name, str):
                raise changed(f"{plan}:{number}", "'repository' is not a string")
            yield name


def listed_repositories(asked: Mapping[str, Any]) -> RunRepositories:
    """Return the repositories that the list in run.json names. `asked`: its fields; malformed entries are left out."""
    return RunRepositories(tuple(dict.fromkeys(repository_part(image) for image, _ in named_entries(asked))))
