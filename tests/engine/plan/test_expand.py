"""Globs become tags: one listing for each repository, and never more than the registry shows."""

from dataclasses import replace

from bulkrm.sandbox import Reply, oci_image
from tests.engine.runs import APP, Runs, words
from tests.support.fake_registry import OPEN


async def test_pages_are_read_to_the_end() -> None:
    """A glob sees the tags of every page of a listing."""
    runs = Runs(replace(OPEN, page_size=4))
    runs.fill(10)

    done = await runs.plan()

    assert set(words(done)) == {f"pr-{number}" for number in range(10)}
    assert sum("tags/list" in line for line in runs.registry.sent) == 3


async def test_repositories_are_globbed_through_the_catalog(runs: Runs) -> None:
    """A pattern of repositories reads the catalog once, and lists only what matches."""
    for name in ("team/a", "team/b", "other/c"):
        runs.registry.push(name, oci_image(1), "pr-1")

    done = await runs.plan("- team/*:pr-*")

    assert set(done.statuses) == {"team/a:pr-1", "team/b:pr-1"}
    assert [line for line in runs.registry.sent if "_catalog" in line] == ["GET /v2/_catalog?n=1000"]
    assert not any("other/c" in line for line in runs.registry.sent)


async def test_a_listing_that_breaks_off_matches_nothing(runs: Runs) -> None:
    """Where the second page cannot be read no tag of the first goes: a part of a listing is none."""
    runs = Runs(replace(OPEN, page_size=4))
    runs.fill(10)
    runs.registry.faults.add(Reply(500), path="tags/list.*last=", times=None)

    done = await runs.delete()

    assert done.statuses == {f"{APP}:pr-*": "failed server-error"}
    assert len(runs.registry.tags(APP)) == 10


async def test_an_exact_tag_needs_no_glob(runs: Runs) -> None:
    """A tag that is named is read at once; its repository is listed for the guard, after it was found."""
    runs.fill(1)

    await runs.plan(f"- {APP}:pr-0")

    assert [line.rpartition("/")[2].partition("?")[0] for line in runs.registry.asked("GET")][:3] == [
        "",
        "pr-0",
        "list",
    ]
