"""Faults to order."""

import pytest

from bulkrm.sandbox import Delay, Drop, Faults, LieAboutDigest, Reply, ServerRequest, redirect

DELETE = ServerRequest("DELETE", "/v2/team/app/manifests/sha256:1")
GET = ServerRequest("GET", "/v2/team/app/tags/list", "n=100")


def test_once() -> None:
    """By default a fault hits the first request that matches, and no other."""
    faults = Faults()
    rule = faults.add(Drop(), method="DELETE", path="/manifests/")

    assert [faults.due(asked) for asked in (GET, DELETE, DELETE)] == [[], [Drop()], []]
    assert rule.fired == 1


@pytest.mark.parametrize(
    ("knobs", "hits"),
    [
        ({"times": 2}, "xx----"),
        ({"times": None}, "xxxxxx"),
        ({"times": None, "every": 2}, "-x-x-x"),
        ({"times": 2, "every": 2}, "-x-x--"),
        ({"skip": 3}, "---x--"),
        ({"times": None, "skip": 1, "every": 3}, "---x--"),
    ],
)
def test_counting(knobs: dict[str, int | None], hits: str) -> None:
    """`skip`, `every` and `times` choose which of the matching requests are hit."""
    faults = Faults()
    faults.add(Drop(), **knobs)  # type: ignore[arg-type]

    assert "".join("x" if faults.due(DELETE) else "-" for _ in hits) == hits


def test_query_counts() -> None:
    """The path pattern sees the query."""
    faults = Faults()
    faults.add(Drop(), path=r"\?n=100$")

    assert faults.due(GET) == [Drop()]


def test_order() -> None:
    """Rules apply in their order: delays and lies add up, the first reply ends it."""
    faults = Faults()
    for action in (Delay(1), LieAboutDigest(None), Reply(429), Drop()):
        faults.add(action)

    assert faults.due(DELETE) == [Delay(1), LieAboutDigest(None), Reply(429)]
    assert faults.due(DELETE) == [Drop()]


def test_clear() -> None:
    """Orders can be cancelled."""
    faults = Faults()
    faults.add(Drop(), times=None)
    faults.clear()

    assert faults.due(DELETE) == []


def test_redirect() -> None:
    """A redirect is a reply with a Location."""
    assert redirect(303, "/elsewhere") == Reply(303, {"Location": "/elsewhere"})
