"""A repository is listed once for a plan, whoever needs the list, and a broken list is a failure of its repository."""

from dataclasses import replace

import pytest

from bulkrm.sandbox import LieAboutBody, Reply
from tests.engine.runs import APP, Runs, words
from tests.support.fake_registry import OPEN


async def test_globs_and_guard_share_a_list(runs: Runs) -> None:
    """Three patterns and the guard of one repository are one listing."""
    runs.fill(3)
    runs.keep()

    await runs.plan(f"- {APP}:pr-0*\n- {APP}:pr-1*\n- {APP}:pr-2*")

    assert sum("tags/list" in line for line in runs.registry.sent) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b'{"tags": 1}', b'{"name": "x", "tags": ["a/b"]}', b"<html>"])
async def test_what_is_no_list_matches_nothing(runs: Runs, body: bytes) -> None:
    """An answer that is not a tag list fails the pattern, and nothing goes."""
    runs.fill(2)
    runs.registry.faults.add(LieAboutBody(body), path="tags/list", times=None)

    done = await runs.delete()

    assert [word.partition(" ")[0] for word in done.statuses.values()] == ["failed"]
    assert len(runs.registry.tags(APP)) == 2


async def test_one_page_that_fails_for_a_moment_is_read_again() -> None:
    """A page that answers 503 once is asked for again, and the list is whole."""
    runs = Runs(replace(OPEN, page_size=2))
    runs.fill(6)
    runs.registry.faults.add(Reply(503), path="tags/list.*last=")

    done = await runs.delete()

    assert len(words(done)) == 6
    assert set(words(done).values()) == {"deleted"}


async def test_pages_that_go_in_circles_end(runs: Runs) -> None:
    """A Link that leads back to a page that was read is no list."""
    runs.fill(2)
    link = {"Link": f'</v2/{APP}/tags/list?n=1000&last=a>; rel="next"', "Content-Type": "application/json"}
    runs.registry.faults.add(Reply(200, link, b'{"name": "x", "tags": ["pr-0"]}'), path="tags/list", times=None)

    done = await runs.delete()

    assert [word.partition(" ")[0] for word in done.statuses.values()] == ["failed"]
    assert sum("tags/list" in line for line in runs.registry.sent) <= 4
