"""Reads the images to delete, and those that are in use, from arguments and files, before anything else happens."""

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from bulkrm.api.known_facts import unmet_conditions
from bulkrm.cli.command_names import COMMANDS, nearest_command
from bulkrm.cli.options.declared import ImageOptions, SafetyOptions, SignInOptions
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import mask_credentials, parse_host
from bulkrm.model.target import ARGUMENT, Source
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.entry import Entry, parse_entry
from bulkrm.selection.image_list import ImageList, valid_patterns
from bulkrm.selection.in_use.reading import MAX_SIZE, read_in_use
from bulkrm.selection.listfile.document import LIMITS, InUseFile, ListFile, read_list

_STANDARD_INPUT = "-"


def read_images(
    named: ImageOptions, safety: SafetyOptions, sign_in: SignInOptions
) -> tuple[ImageList, tuple[Path, ...]]:
    """Read the images to delete, with their rules, from arguments and list files.

    Returns them, and the files that were read. Raises InputError with all mistakes of all arguments and files.
    """
    problems: list[Problem] = []
    port = sign_in.connection.default_port
    entries = list(_read_arguments(named, port, problems, hidden=sign_in.ask_password))
    protect = list(valid_patterns("--protect", safety.protect or (), port, problems))
    ignore = tuple(valid_patterns("--ignore-unreadable", safety.ignore_unreadable or (), port, problems))
    in_use = InUseFiles(port, problems)
    in_use.read_all(safety.in_use or ())
    min_keep = 0
    names = tuple(_expanded(named.files or (), problems))
    for name in names:
        list_file = _read_file(name, port, problems)
        entries += list_file.entries
        protect += list_file.protect
        min_keep = max(min_keep, list_file.min_keep)
        for file in list_file.in_use:
            in_use.read_of_list(file, name)
    _refuse_mistakes(entries, problems)
    files = (*(Path(name) for name in names if name != _STANDARD_INPUT), *in_use.paths)
    return ImageList(tuple(entries), tuple(protect), ignore, in_use.references, min_keep, port), files


def _refuse_mistakes(entries: Sequence[Entry], problems: list[Problem]) -> None:
    """Raise InputError with all mistakes: those found while reading, conditions that cannot be met, nothing to delete."""
    if not problems and not entries:
        remedy = "name images (host/repository:tag), or give a list with -f FILE; `bulkrm -h` shows more"
        problems.append(Problem("", "nothing to delete was named", remedy))
    if any(isinstance(entry, ConditionalEntry) for entry in entries):
        problems += unmet_conditions(entries)
    if problems:
        raise InputError(*problems)


def _read_file(name: str, port: int, problems: list[Problem]) -> ListFile:
    try:
        with nullcontext(sys.stdin.buffer) if name == _STANDARD_INPUT else Path(name).open("rb") as file:
            content = file.read(LIMITS.size + 1)  # a device such as /dev/zero has no end
        return read_list(content, name, default_port=port)
    except OSError as error:
        problems.append(Problem(name, f"cannot be read: {error.strerror}", "give a YAML list file, or - for stdin"))
    except InputError as error:
        problems += error.problems
    return ListFile((), ())


def _read_arguments(named: ImageOptions, port: int, problems: list[Problem], *, hidden: bool) -> Iterator[Entry]:
    if named.registry == "":
        problems.append(Problem("--registry", "the host is empty", "perhaps a variable is not set"))
        return
    try:
        default_host = parse_host(named.registry, port) if named.registry else None
    except InputError as error:
        problems += (Problem("--registry", problem.what, problem.remedy) for problem in error.problems)
        return
    yield from Arguments(named.images or (), default_host, port, hidden).read(problems, _explained)


@valueclass
class Arguments:
    """Images on the command line. `hidden`: one may be a password (docker's `-p secret`), so messages do not quote them."""

    images: Sequence[str]
    default_host: str | None
    default_port: int
    hidden: bool

    def read(self, problems: list[Problem], explain: Callable[[str, str, Problem], Problem]) -> Iterator[Entry]:
        """Yield the entry of each argument. Mistakes are added to `problems`.

        `explain` makes the message of a mistake from the argument, its place, and the problem that the parser found.
        """
        for position, text in enumerate(self.images, 1):
            source = Source(ARGUMENT, position)
            try:
                yield from parse_entry(
                    text, source=source, default_host=self.default_host, default_port=self.default_port
                )
            except InputError as error:
                if self.hidden:
                    remedy = "-p takes no value, it asks; if this is a password, change it: others may have seen it"
                    problems.append(Problem(str(source), "is no image reference", remedy))
                else:
                    problems += (explain(text, str(source), problem) for problem in error.problems)


def _explained(text: str, where: str, problem: Problem) -> Problem:
    """Return the message for an argument that is no image: it may be a list without its -f, or a misspelt command."""
    if text == _STANDARD_INPUT:
        return Problem(where, "'-' is no image", "a list from standard input is given with -f -")
    name = text.removeprefix("@").removeprefix("file://")  # as curl and editors write the name of a file
    if mask_credentials(name) == name and (name.endswith((".yaml", ".yml")) or os.path.isfile(name)):  # noqa: PTH113 (of what could never be a name, too)
        return Problem(where, f"{text!r} is no image", f"a list file is given with -f {name}")
    if text.isalpha():
        return no_command(text, where, problem.remedy)
    return Problem(where, problem.what, problem.remedy)


def no_command(word: str, where: str, remedy: str = "") -> Problem:
    """Return the message for a word that is neither an image nor a command, with the command that may be meant."""
    command = nearest_command(word)
    remedy = f"perhaps `bulkrm {command}` is meant" if command else remedy
    return Problem(
        where, f"{word!r} is neither an image nor a command", f"{remedy}; the commands are {', '.join(COMMANDS)}"
    )


def _expanded(names: Sequence[str], problems: list[Problem]) -> Iterator[str]:
    """Yield the names of list files, and of the files that match where a name is a glob, sorted."""
    for name in dict.fromkeys(names):
        if not name:
            problems.append(Problem("--from-file", "the name is empty", "perhaps a variable is not set"))
            continue
        if name == _STANDARD_INPUT or not glob.has_magic(name) or os.path.lexists(name):
            yield name
            continue
        found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 (patterns may be absolute)
        if not found:
            problems.append(Problem(name, "matches no file", "correct the pattern of --from-file"))
        yield from found


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
