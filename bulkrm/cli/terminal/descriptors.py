"""How many connections a run may open: the limit of open files holds for all of them together, and for the record.

What is opened for a moment (names that are looked up, the plan that is written) and what is opened once the run begins
(record, reports, event loop) is left aside. The rest is shared by the registries, and by the token server that each of
them may have. A connection that waits to be used again counts like one that is used, and a host never has more of both
than requests were in flight to it at once.
"""

import os
import resource
from dataclasses import dataclass

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.limits import RAISE
from bulkrm.model.settings import Pacing

_ASIDE = 24
_UNLIMITED = 65536
_TOKENS = 4  # of so many connections one is to the token server
_FEWEST = 2  # one to a registry and one to its token server


@dataclass(frozen=True, slots=True)
class Share:
    """Connections to one registry, and to one token server."""

    registry: int
    token_server: int


def free_descriptors() -> int:
    """Return how many files this process may still open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _UNLIMITED if soft == resource.RLIM_INFINITY else soft
    return limit - _open()


def share_of(free: int, hosts: int) -> Share:
    """Share them among so many registries. Raises InputError where there are too few for the run."""
    each = (free - _ASIDE) // max(1, hosts)
    if each < _FEWEST:
        needed = _ASIDE + _FEWEST * max(1, hosts)
        what = f"only {max(0, free)} more files may be opened, and a run with {hosts} registries needs {needed}"
        raise InputError(Problem("limit of open files", what, RAISE))
    most = Pacing()
    tokens = min(most.token_connections, max(1, each // _TOKENS))
    return Share(min(most.connections, each - tokens), tokens)


def _open() -> int:
    """Return how many are open now; a guess where the system does not tell."""
    try:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 (names are all that is wanted)
    except OSError:
        return _ASIDE
