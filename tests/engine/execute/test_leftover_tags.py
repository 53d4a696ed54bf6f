"""A registry that stops half-way leaves tags without their manifest; they are mended where that can be done, or told."""

import pytest

from bulkrm.model.settings import Strategy
from bulkrm.sandbox import Drop, SandboxSettings
from tests.engine.runs import APP, TAGS, Runs, words
from tests.support.fake_registry import OPEN


def stops_half_way(runs: Runs, digest: str, tags: int) -> None:
    """Let the DELETE of a digest unlink the manifest and so many of its tags, and then nothing more."""
    runs.on("DELETE", digest, lambda: runs.registry.store.delete_manifest(APP, digest, only=tags))
    runs.registry.faults.add(Drop(), method="DELETE", path=digest)


@pytest.mark.parametrize(
    ("settings", "decoy", "rest"),
    [(TAGS, False, "deleted"), (OPEN, True, "deleted"), (OPEN, False, "failed unfinished")],
    ids=["tags", "decoy", "no way"],
)
async def test_tags_that_are_left_over(settings: SandboxSettings, *, decoy: bool, rest: str) -> None:
    """They are deleted by name, or by a decoy where that is allowed; else the image says that it is unfinished."""
    runs = Runs(settings)
    digests = runs.fill(3, "b", "c")
    kept = runs.keep()
    stops_half_way(runs, digests[1], 1)

    done = await runs.delete(strategy=Strategy.DIGEST, allow_decoy=decoy)

    left = {"pr-1-b", "pr-1-c"}
    assert {words(done)[tag] for tag in left} == {rest}
    assert {word for tag, word in words(done).items() if tag not in left} == {"deleted"}
    assert set(runs.registry.tags(APP)) == ({"latest"} if rest == "deleted" else {"latest", *left})
    assert kept in runs.registry.store.digests(APP)


async def test_lists_do_not_grow_with_doubts() -> None:
    """However many DELETEs were cut short, a few listings tell what is left of all, and that it is mended."""
    lists = []
    for number in (4, 16):
        runs = Runs(TAGS)
        digests = runs.fill(number, "b")
        runs.keep()
        for digest in digests[2:]:
            stops_half_way(runs, digest, 1)

        done = await runs.delete(strategy=Strategy.DIGEST)

        assert set(words(done).values()) == {"deleted"}
        assert list(runs.registry.tags(APP)) == ["latest"]
        lists.append(sum("tags/list" in line for line in runs.registry.sent))
    assert lists[0] == lists[1] <= 5
