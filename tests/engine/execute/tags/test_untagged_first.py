"""A registry that deletes a manifest only without tags: its tags go first, found out by one refusal."""

from dataclasses import replace

import pytest

from bulkrm.model.settings import Strategy
from bulkrm.sandbox import Reply
from tests.engine.runs import APP, Runs, words
from tests.support.fake_registry import OPEN

GOOGLE = replace(OPEN, tag_deletes=True, untagged_first=True)


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_one_refusal_is_enough(strategy: Strategy) -> None:
    """After the first manifest was refused for its tags, every later one goes after them."""
    runs = Runs(GOOGLE)
    digests = runs.fill(4, "too")
    kept = runs.keep()

    done = await runs.delete(strategy=strategy)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}
    sent = [name for name in runs.registry.deleted(APP) if name in digests]
    assert len(sent) <= len(digests) + 1


async def test_a_tag_that_stays_keeps_its_manifest() -> None:
    """Where a tag cannot be deleted the manifest is not asked for again, and no tag is lost for nothing."""
    runs = Runs(GOOGLE)
    digests = runs.fill(2)
    runs.registry.faults.add(Reply(412), method="DELETE", path="manifests/pr-1$", times=None)

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert words(done)["pr-0"] == "deleted"
    assert words(done)["pr-1"].startswith("failed")
    assert runs.registry.tags(APP) == {"pr-1": digests[1]}
