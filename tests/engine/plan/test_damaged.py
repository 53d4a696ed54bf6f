"""Damaged tags hold a whole repository, unless the user says which may be ignored, and the registry answered about them."""

import pytest

from bulkrm.sandbox import Drop, Reply
from tests.engine.runs import APP, Runs, words


@pytest.mark.parametrize(
    ("fault", "fate"),
    [
        (Reply(500), "deleted"),
        (Reply(403), "kept unreadable"),
        (Reply(429), "kept unreadable"),
        (Drop(), "kept unreadable"),
    ],
)
async def test_only_what_the_registry_answered_is_ignored(runs: Runs, fault: Reply | Drop, fate: str) -> None:
    """A tag that answers 500 twice may be ignored; one that is forbidden, limited or unreachable may hold anything."""
    runs.fill(2)
    runs.keep("broken")
    runs.keep("latest", seed=5)
    runs.registry.faults.add(fault, method="GET|HEAD", path="manifests/broken", times=None)

    done = await runs.delete(ignore=["*:broken"])

    assert set(words(done).values()) == {fate}
    assert "broken" in runs.registry.tags(APP)


async def test_what_nobody_ignores_holds_everything(runs: Runs) -> None:
    """Another tag than the pattern names still keeps the repository."""
    runs.fill(2)
    runs.keep("broken")
    runs.registry.faults.add(Reply(500), method="GET|HEAD", path="manifests/broken", times=None)

    done = await runs.delete(ignore=["*:other"])

    assert set(words(done).values()) == {"kept unreadable"}
