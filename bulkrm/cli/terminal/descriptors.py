"""How many connections a run may open: the limit of open files is for all of them together, and for the record.

Some open files are reserved: for a moment (name look-ups, the plan that is written), or for the whole run (record, reports,
event loop). The rest is shared by the registries, each of which may have a token server, too. An idle connection counts as
one in use. A host never has more connections than requests were in flight to it at once.
"""

import os
import resource

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.limits import RAISE_LIMIT
from bulkrm.model.settings import Pacing
from bulkrm.model.text.layout import counted
from bulkrm.model.valueclass import valueclass

_ASIDE = 24
_UNLIMITED = 65536
_TOKENS = 4  # one of every four connections is to the token server
_FEWEST = 2  # one to a registry and one to its token server


@valueclass
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
    """Divide open files among a number of registries. Raises InputError where there are too few for the run."""
    each = (free - _ASIDE) // max(1, hosts)
    if each < _FEWEST:
        needed = _ASIDE + _FEWEST * max(1, hosts)
        registries = counted(hosts, "registry", "registries")
        what = f"only {max(0, free)} more files may be opened, and a run with {registries} needs {needed}"
        raise InputError(Problem("limit of open files", what, RAISE_LIMIT))
    most = Pacing()
    tokens = min(most.token_connections, max(1, each // _TOKENS))
    return Share(min(most.connections, each - tokens), tokens)


def _open() -> int:
    """Return how many files are open now; a guess where the system does not tell."""
    try:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 (only the number of names matters)
    except OSError:
        return _ASIDE
