"""The process that a command runs in: its streams and clock, its garbage collection, its limit of open files."""

import atexit
import gc
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkrm.cli.terminal.console import escape_unencodable
from bulkrm.cli.terminal.streams import Streams
from bulkrm.model.valueclass import valueclass

if TYPE_CHECKING:
    from bulkrm.remote.clock import Clock

# The default of Python 3.11 is 700 objects: a dozen requests make as many, and nearly none of them is in a cycle. Collections
# took a tenth of the processor's time (docs.python.org, `gc.set_threshold`; python -m tests.bench tools).
_THRESHOLD = 50_000
_OPEN_FILES = 4096


@valueclass
class ProcessContext:
    """What a command gets from its process, and from no option: the standard streams, and the time (None: the system's)."""

    streams: Streams = field(default_factory=Streams.of_process)
    clock: "Clock | None" = None


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect garbage less often, and not once more when the process ends: most objects of a run live to its end."""
    atexit.register(gc.freeze)
    before = gc.get_threshold()
    gc.set_threshold(_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def allow_connections() -> None:
    """Raise the limit of open files, as Go programs do: it is 256 on some systems, and each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # then there are fewer connections
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def replace_closed_streams() -> None:
    """Replace standard streams that were closed (`>&-`) by the null device, and have all of them escape odd characters."""
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 (as long as the process lives)
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    escape_unencodable()
