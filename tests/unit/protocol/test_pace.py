"""Waiting: `Retry-After`, back-off, the rate window, the concurrency."""

import pytest
from multidict import CIMultiDict

from bulkrm.model.settings import Rate
from bulkrm.protocol.pacing.pace import (
    ConcurrencyLimit,
    RateWindow,
    backoff,
    http_date,
    limited_backoff,
    quota,
    retry_after,
)

NOW = 1_800_000_000.0
SOON = http_date(NOW + 90)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999999999999999", 999999999999.0),
        ("-5", None),
        ("1.5", None),
        ("\u0661\u0662", None),
        ("soon", None),
        ("", None),
        (SOON, 90.0),
        (http_date(NOW - 90), 0.0),
        ("Fri, 15 Jan 2027 08:01:30 -0000", 90.0),
        ("Fri, 15 Jan 2027 09:01:30 +0100", 90.0),
        ("Friday, 15-Jan-27 08:01:30 GMT", 90.0),
        ("Fri, 99 Jan 2027 08:01:30 GMT", None),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    """`Retry-After` is seconds or a date, never less than nothing, and junk is as if it was not there."""
    assert retry_after(value, NOW) == expected


@pytest.mark.parametrize(
    ("date", "expected"), [(None, 90.0), ("", 90.0), ("junk", 90.0), (http_date(NOW + 60), 30.0), (SOON, 0.0)]
)
def test_retry_after_by_the_servers_clock(date: str | None, expected: float) -> None:
    """A date is compared with the answer's own Date, where that can be read."""
    assert retry_after(SOON, NOW, date) == expected


def test_seconds_need_no_clock() -> None:
    """Seconds are seconds, whatever the answer's Date says."""
    assert retry_after("5", NOW, http_date(0)) == 5.0


def test_http_date() -> None:
    """A date is written as RFC 9110 5.6.7 prefers it."""
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_backoff() -> None:
    """Back-off doubles from half a second to thirty."""
    assert [backoff(sends) for sends in (1, 2, 3, 6, 7, 100_000)] == [0.5, 1.0, 2.0, 16.0, 30.0, 30.0]


def test_rate_window() -> None:
    """Two grants in ten seconds: the third has to wait until the first one is ten seconds old."""
    window = RateWindow(Rate(2, 10.0))
    window.grant(0.0)
    assert window.delay(3.0) == 0.0

    window.grant(3.0)

    assert window.delay(3.0) == 7.0
    assert window.delay(10.0) == 0.0
    window.grant(10.0)
    assert window.delay(10.0) == 3.0


def test_a_refusal_lessens_the_concurrency() -> None:
    """A refusal leaves seven tenths of what may be in flight, down to one."""
    concurrency = ConcurrencyLimit(16)
    seen = [concurrency.allowed]
    for now in range(8):
        concurrency.refused(float(now))
        seen.append(concurrency.allowed)

    assert seen == [16, 11, 7, 4, 2, 1, 1, 1, 1]


def test_concurrency_grows_by_rounds() -> None:
    """After a refusal, a round of answers adds one, and the refused number is kept away from for some seconds."""
    concurrency = ConcurrencyLimit(8)
    concurrency.refused(0.0)
    for _ in range(5):
        concurrency.answered(1.0)
    grown = concurrency.allowed
    for _ in range(100):
        concurrency.answered(4.9)
    near = concurrency.allowed
    for _ in range(100):
        concurrency.answered(5.0)

    assert (grown, near, concurrency.allowed) == (6, 7, 8)


def test_a_number_that_was_good_is_gone_back_to() -> None:
    """Refused above what was answered for a whole round, that is taken up again; refused there too, it is less."""
    concurrency = ConcurrencyLimit(8)
    concurrency.refused(0.0)
    for _ in range(11):
        concurrency.answered(1.0)
    for _ in range(8):
        concurrency.answered(6.0)
    tried = concurrency.allowed
    concurrency.refused(6.0)
    back = concurrency.allowed
    concurrency.refused(7.0)

    assert (tried, back, concurrency.allowed) == (8, 7, 4)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"RateLimit-Remaining": "7"}, None),
        ({"RateLimit-Remaining": "7", "RateLimit-Reset": "30"}, (7, 30.0)),
        ({"ratelimit-remaining": "20;w=21600", "ratelimit-reset": "60"}, (20, 60.0)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000090"}, (0, 90.0)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1799999990"}, (0, 0.0)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
        ({"RateLimit-Remaining": "-1", "RateLimit-Reset": "30"}, None),
    ],
)
def test_quota(headers: dict[str, str], expected: tuple[int, float] | None) -> None:
    """What is left and for how long, in the forms of the drafts, Docker Hub and GitHub."""
    assert quota(CIMultiDict(headers), 1_800_000_000.0) == expected


def test_a_refusal_without_a_time_is_a_short_one_at_first() -> None:
    """0.1 s, doubling to 30."""
    assert [limited_backoff(number) for number in (1, 2, 3, 9, 10, 40)] == [0.1, 0.2, 0.4, 25.6, 30.0, 30.0]
