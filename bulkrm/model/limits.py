"""The limit of open files, which each connection, each file and each helper process counts against."""

import errno

RAISE = "raise the limit of open files, for example with `ulimit -n 4096`"
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})


def is_exhausted(error: OSError) -> bool:
    """Tell whether a file or a connection could not be opened because too many are open: no other remedy helps then."""
    return error.errno in _EXHAUSTED
