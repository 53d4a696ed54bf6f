"""A file that says that an undo puts back what its journal does not tell, because the journal cannot be written.

It is empty: a disk that is full for a line of a journal still takes a name.
"""

import os
from pathlib import Path

from bulkrm.state.files import failed

_NAME = "undo-not-recorded"


def has_marker(folder: Path) -> bool:
    """Tell whether it is there."""
    return os.path.lexists(folder / _NAME)


def set_marker(folder: Path) -> None:
    """Make it. Raises StateError."""
    path = folder / _NAME
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(there)
        finally:
            os.close(there)
    except OSError as error:
        raise failed(path, error) from error


def clear_marker(folder: Path) -> None:
    """Remove it: the journal tells all again. Raises StateError."""
    path = folder / _NAME
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise failed(path, error) from error
