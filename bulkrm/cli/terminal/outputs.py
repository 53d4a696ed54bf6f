"""Opens the files that a command writes. None is a file that it reads, and none is emptied before the run begins."""

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bulkrm.cli.terminal.streams import STDERR, STDIN, STDOUT
from bulkrm.model.errors import InputError, Problem


def refuse_to_overwrite(option: str, path: Path, read: Iterable[Path]) -> None:
    """Raise InputError where the command reads the file: it is one of `read`, in a folder of `read`, or standard input.

    Files are compared by device and inode, so that a link to a file counts as the file.
    """
    for other in read:
        if is_same(path, other) or (other.is_dir() and path.resolve().is_relative_to(other.resolve())):
            raise InputError(Problem(option, f"{path} is what this command reads ({other})", "give another file"))
    if _is_file_at(path, STDIN):
        raise InputError(Problem(option, f"{path} is what standard input reads", "give another file"))


def refuse_shared(option: str, path: Path, others: Iterable[Path]) -> None:
    """Raise InputError where the command writes the file otherwise, too: as one of `others`, or as a standard stream."""
    if any(is_same(path, other) for other in others):
        raise InputError(Problem(option, f"{path} is named twice", "give each report a file of its own"))
    for descriptor, name in ((STDOUT, "standard output"), (STDERR, "standard error")):
        if _is_file_at(path, descriptor):
            raise InputError(Problem(option, f"{path} is where {name} goes", "give another file"))


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths are one file, which need not exist yet. A device may be written twice: False."""
    try:
        first, second = one.stat(), other.stat()
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
    return os.path.samestat(first, second) and not stat.S_ISCHR(first.st_mode)


def open_output(option: str, path: Path) -> int:
    """Open a file for writing without emptying it; return its descriptor. Raises InputError.

    A FIFO without a reader is refused, because opening it could block for ever.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO and path.is_fifo():
            problem = Problem(option, f"{path} is a pipe that nobody reads", "start its reader first")
        else:
            problem = Problem(option, f"{path} cannot be written: {error.strerror}", "give another file")
        raise InputError(problem) from error
    os.set_blocking(descriptor, True)
    return descriptor


def empty(descriptor: int) -> None:
    """Empty a regular file; other kinds of files stay as they are. Raises OSError."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.ftruncate(descriptor, 0)


def _is_file_at(path: Path, descriptor: int) -> bool:
    """Tell whether a standard stream is the regular file at a path."""
    try:
        found = os.fstat(descriptor)
        return stat.S_ISREG(found.st_mode) and os.path.samestat(found, path.stat())
    except OSError:
        return False
