"""The file of `bulkrm plan --out`, replaced atomically: a reader finds the old plan or the new one."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bulkrm.cli.terminal.outputs import open_output, refuse_shared, refuse_to_overwrite
from bulkrm.model.errors import InputError, Problem

_OPTION = "--out"


class PlanFile:
    """A file in which a plan will be stored. Nothing is written or created before `store`."""

    def __init__(self, path: Path, read: Sequence[Path]) -> None:
        """Raise InputError where the file cannot be written, or is one that the command reads (`read`)."""
        if str(path) == "-":
            raise InputError(Problem(_OPTION, "- is no file", "-o json shows what would go on standard output"))
        refuse_to_overwrite(_OPTION, path, read)
        refuse_shared(_OPTION, path, ())
        self.path = path
        self._pipe = open_output(_OPTION, path) if _is_stream(path) else None
        if self._pipe is None:
            _refuse_unwritable(path)

    @property
    def is_file(self) -> bool:
        """Tell whether the plan stays on disk: not in a pipe or another device."""
        return self._pipe is None

    def store(self, text: str) -> str | None:
        """Write the text of a plan; return what went wrong."""
        try:
            if self._pipe is not None:
                with os.fdopen(self._pipe, "w", encoding="utf-8") as stream:
                    stream.write(text)
            else:
                _replace(Path(os.path.realpath(self.path)), text)
        except OSError as error:
            return f"{self.path} cannot be written: {error.strerror}"
        return None


def _is_stream(path: Path) -> bool:
    """Tell whether the path is a pipe, a terminal or another device, which is written to and not replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _refuse_unwritable(path: Path) -> None:
    """Raise InputError where the file could not be replaced."""
    target = Path(os.path.realpath(path))
    why = None
    if target.is_dir():
        why = "it is a folder"
    elif not target.parent.is_dir():
        why = "there is no such folder"
    elif not os.access(target.parent, os.W_OK | os.X_OK) or (target.exists() and not os.access(target, os.W_OK)):
        why = "permission denied"
    if why is not None:
        raise InputError(Problem(_OPTION, f"{path} cannot be written: {why}", "give another file"))


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
