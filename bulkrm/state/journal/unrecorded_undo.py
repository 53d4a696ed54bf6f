"""An empty file in the folder of a run that says: an undo restored images, and could not write that into the journal.

It is empty because a disk that is too full for a line of the journal still has room for a file name.
"""

import os
from pathlib import Path

from bulkrm.state.files import failed

_NAME = "undo-not-recorded"


def has_unrecorded_undo(folder: Path) -> bool:
    """Tell whether the folder of a run has the file."""
    return os.path.lexists(folder / _NAME)


def mark_unrecorded_undo(folder: Path) -> None:
    """Create the file, and wait until it is on disk. Raises StateError."""
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


def unmark_unrecorded_undo(folder: Path) -> None:
    """Remove the file, once the journal is complete again. Raises StateError."""
    path = folder / _NAME
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise failed(path, error) from error
