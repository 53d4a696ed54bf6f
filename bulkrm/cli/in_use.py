"""Files that name images in use: given by --in-use, or by a list file. The images of all of them are kept."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bulkrm.model.errors import InputError, Problem
from bulkrm.selection.in_use.reading import MAX_SIZE, read_in_use
from bulkrm.selection.listfile.document import InUseFile


class InUseFiles:
    """Reads files of images in use; mistakes in them are added to `problems`."""

    def __init__(self, default_port: int, problems: list[Problem]) -> None:
        """`default_port`: of hosts without a port. `problems`: the mistakes of all inputs of the command."""
        self._default_port = default_port
        self._problems = problems
        self._found: dict[str, None] = {}
        self.paths: list[Path] = []  # of the files that were read

    @property
    def references(self) -> tuple[str, ...]:
        """The images in use, in normal form, sorted."""
        return tuple(sorted(self._found))

    def read_all(self, names: Iterable[str]) -> None:
        """Read the files that --in-use names."""
        for name in names:
            self._read(Path(name), name, "--in-use")

    def read_of_list(self, file: InUseFile, list_name: str) -> None:
        """Read a file that a list names, relative to the list, or to the working folder if the list is standard input."""
        folder = Path() if list_name == "-" else Path(list_name).parent
        self._read(folder / file.name, file.name, file.where)

    def _read(self, path: Path, name: str, where: str) -> None:
        self.paths.append(path)
        try:
            with path.open("rb") as opened:
                content = opened.read(MAX_SIZE + 1)
            self._found.update(dict.fromkeys(read_in_use(content, name, self._default_port)))
        except (OSError, ValueError) as error:
            what = f"{name!r} cannot be read: {getattr(error, 'strerror', None) or error}"
            remedy = "give what `kubectl get pods -A -o json` and the like print, or lines of references"
            self._problems.append(Problem(where, what, remedy))
        except InputError as error:
            self._problems += (
                Problem(f"{where}: {problem.where}", problem.what, problem.remedy) for problem in error.problems
            )


def read_in_use_option(names: Sequence[str], default_port: int) -> InUseFiles:
    """Read the files of --in-use, without a list. Raises InputError with all mistakes."""
    problems: list[Problem] = []
    files = InUseFiles(default_port, problems)
    files.read_all(names)
    if problems:
        raise InputError(*problems)
    return files
