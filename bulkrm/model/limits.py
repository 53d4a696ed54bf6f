"""The operating system's limit of open files. Connections, files and helper processes all count towards it."""

import errno

RAISE_LIMIT = "raise the limit of open files, for example with `ulimit -n 4096`"
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})


def is_exhausted(error: OSError) -> bool:
    """Tell whether a file or connection could not be opened because too many are open (EMFILE, ENFILE)."""
    return error.errno in _EXHAUSTED
