"""A marker file: an undo restores images that the journal does not mention, because the journal cannot be written.

The file is empty, since a disk that is too full for a line of the journal still has room for a file name.
"""

import os
from pathlib import Path

from bulkrm.state.files import failed

_NAME = "undo-not-recorded"


def has_marker(folder: Path) -> bool:
    """Tell whether the folder of a run has the marker."""
    return os.path.lexists(folder / _NAME)


def set_marker(folder: Path) -> None:
    """Create the marker durably. Raises StateError."""
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
    """Remove the marker, once the journal is complete again. Raises StateError."""
    path = folder / _NAME
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise failed(path, error) from error
