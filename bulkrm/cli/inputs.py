"""What to delete: arguments and list files, read whole before anything else happens."""

import glob
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bulkrm.cli.command_names import COMMANDS, meant
from bulkrm.cli.in_use import InUseFiles
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import mask_credentials, parse_host
from bulkrm.model.target import Source
from bulkrm.selection.conditional import ConditionalEntry, unsupported_conditions
from bulkrm.selection.entry import Entry, parse_entry
from bulkrm.selection.image_list import ImageList, sound_patterns
from bulkrm.selection.listfile.document import ListFile, read_list

_STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Images, list files and protection as the user wrote them. `hide_arguments`: an argument may be a password, behind docker's habit `-p secret`."""

    images: Sequence[str]
    files: Sequence[str]
    registry: str | None
    protect: Sequence[str]
    default_port: int
    hide_arguments: bool
    ignore: Sequence[str] = ()
    in_use: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Selected:
    """The images and rules of a `Wanted`, and the files from which they were read."""

    images: ImageList
    files: tuple[Path, ...] = ()


def read_inputs(wanted: Wanted) -> Selected:
    """Read all arguments and files. Raises InputError with all mistakes of all of them."""
    problems: list[Problem] = []
    entries = list(_arguments(wanted, problems))
    protect = list(sound_patterns("--protect", wanted.protect, wanted.default_port, problems))
    ignore = tuple(sound_patterns("--ignore-unreadable", wanted.ignore, wanted.default_port, problems))
    in_use = InUseFiles(wanted.default_port, problems)
    in_use.read_all(wanted.in_use)
    least = 0
    names = tuple(_files(wanted.files, problems))
    for name in names:
        listed = _read_file(name, wanted, problems)
        entries += listed.entries
        protect += listed.protect
        least = max(least, listed.min_keep)
        for file in listed.in_use:
            in_use.read_of_list(file, name)
    if not problems and not entries:
        remedy = "name images (host/repository:tag), or give a list with -f FILE; `bulkrm -h` shows more"
        problems.append(Problem("", "nothing to delete was named", remedy))
    conditional = tuple(entry for entry in entries if isinstance(entry, ConditionalEntry))
    problems += unsupported_conditions(conditional)
    if problems:
        raise InputError(*problems)
    files = (*(Path(name) for name in names if name != _STANDARD_INPUT), *in_use.paths)
    images = ImageList(tuple(entries), tuple(protect), ignore, in_use.references, least, wanted.default_port)
    return Selected(images, files)


def _read_file(name: str, wanted: Wanted, problems: list[Problem]) -> ListFile:
    try:
        content = sys.stdin.buffer.read() if name == _STANDARD_INPUT else Path(name).read_bytes()
        return read_list(content, name, default_port=wanted.default_port)
    except OSError as error:
        problems.append(Problem(name, f"cannot be read: {error.strerror}", "give a YAML list file, or - for stdin"))
    except InputError as error:
        problems += error.problems
    return ListFile((), ())


def _arguments(wanted: Wanted, problems: list[Problem]) -> Iterator[Entry]:
    if wanted.registry == "":
        problems.append(Problem("--registry", "the host is empty", "perhaps a variable is not set"))
        return
    try:
        default_host = parse_host(wanted.registry, wanted.default_port) if wanted.registry else None
    except InputError as error:
        problems += (Problem("--registry", problem.what, problem.remedy) for problem in error.problems)
        return
    arguments = Arguments(wanted.images, default_host, wanted.default_port, wanted.hide_arguments)
    yield from arguments.read(problems, _explained)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Images on the command line. `hidden`: one may be a password, behind docker's habit `-p secret`."""

    images: Sequence[str]
    default_host: str | None
    default_port: int
    hidden: bool

    def read(self, problems: list[Problem], explain: Callable[[str, str, Problem], Problem]) -> Iterator[Entry]:
        """Yield what they mean. `problems` gets all mistakes, as `explain` puts them: text, place, what is wrong with it."""
        for position, text in enumerate(self.images, 1):
            source = Source("argument", position)
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
    """Say what an argument seems to be that is no image: a list without its -f, or a word that is no command."""
    if text == _STANDARD_INPUT:
        return Problem(where, "'-' is no image", "a list from standard input is given with -f -")
    name = text.removeprefix("@").removeprefix("file://")  # as curl and editors write the name of a file
    if mask_credentials(name) == name and (name.endswith((".yaml", ".yml")) or os.path.isfile(name)):  # noqa: PTH113 (of what could never be a name, too)
        return Problem(where, f"{text!r} is no image", f"a list file is given with -f {name}")
    if text.isalpha():
        return no_command(text, where, problem.remedy)
    return Problem(where, problem.what, problem.remedy)


def no_command(word: str, where: str, remedy: str = "") -> Problem:
    """Say of a word that it is neither an image nor a command, and which command may be meant."""
    command = meant(word)
    remedy = f"perhaps `bulkrm {command}` is meant" if command else remedy
    return Problem(
        where, f"{word!r} is neither an image nor a command", f"{remedy}; the commands are {', '.join(COMMANDS)}"
    )


def _files(names: Sequence[str], problems: list[Problem]) -> Iterator[str]:
    """Yield the names of the files, patterns expanded in order."""
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
