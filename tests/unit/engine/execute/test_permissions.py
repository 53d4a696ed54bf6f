"""Whether a change may be sent, in the last moment before it is."""

from typing import Any, cast

import pytest

from bulkrm.engine.execute.staleness import WhileFresh
from bulkrm.engine.stop import Stop, UntilStopped
from bulkrm.model.reference import Repository
from bulkrm.remote.sending import ALWAYS

APP, OTHER = Repository("registry.example", "team/app"), Repository("registry.example", "team/other")


class Old:
    """Stands for `Staleness`: what was read of one repository has grown too old."""

    def is_stale(self, repository: Repository) -> bool:
        return repository == OTHER


@pytest.mark.parametrize("stopped", [True, False])
def test_a_stop(*, stopped: bool) -> None:
    """A stopped run sends nothing but what mends something half-done."""
    stop = Stop()
    fresh, running = WhileFresh(stop, cast("Any", Old()), APP), UntilStopped(stop)
    if stopped:
        stop.fail_fast()

    assert (fresh.holds(), running.holds(), ALWAYS.holds()) == (not stopped, not stopped, True)


def test_an_old_reading() -> None:
    """What rests on a reading is not sent once that is too old."""
    assert not WhileFresh(Stop(), cast("Any", Old()), OTHER).holds()
