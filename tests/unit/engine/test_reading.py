"""When something was read, and how old it may be for a deletion."""

import pytest

from bulkrm.engine.reading import STALE, Basis, Reading
from bulkrm.remote.clock import Moment
from tests.support.clock import FakeClock

HOUR = 3600.0


async def test_sleep_while_it_is_read() -> None:
    """A reading in whose middle the machine slept is no longer good for it, but too old at once."""
    clock = FakeClock()
    began = Moment.now(clock)
    clock.skip(2)
    clock.suspend(HOUR)

    assert Reading(began, 2.0).is_stale(Moment.now(clock))


@pytest.mark.parametrize(("took", "good_for"), [(0.0, STALE), (12.0, STALE), (90.0, 450.0)])
async def test_how_long_it_is_good(took: float, good_for: float) -> None:
    """A minute, or five times what the reading took, counted from its beginning."""
    clock = FakeClock()
    reading = Reading(Moment.now(clock), took)
    clock.skip(good_for)
    assert not reading.is_stale(Moment.now(clock))
    clock.skip(1)

    assert reading.is_stale(Moment.now(clock))


async def test_without_a_list() -> None:
    """Where the tags were not listed, as the user asked, they are not listed later."""
    clock = FakeClock()
    basis = Basis(Reading(Moment.now(clock), 90.0), None)
    clock.skip(400)
    assert not basis.is_stale(Moment.now(clock))
    clock.skip(51)

    assert basis.is_stale(Moment.now(clock))


@pytest.mark.parametrize(("after", "stale", "spent"), [(60, False, False), (61, True, False), (441, True, True)])
async def test_what_a_list_can_renew(after: float, *, stale: bool, spent: bool) -> None:
    """An old tag list is read alone, unless all of it would be too old once that is read."""
    clock = FakeClock()
    began = Moment.now(clock)
    basis = Basis(Reading(began, 90.0), Reading(began, 10.0))
    clock.skip(after)

    assert (basis.is_stale(Moment.now(clock)), basis.is_spent(Moment.now(clock))) == (stale, spent)
