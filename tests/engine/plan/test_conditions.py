"""Conditions of an entry: what they ask a registry for, and that they can only keep."""

from datetime import UTC, datetime, timedelta

import pytest

from bulkrm.sandbox import Image, Reply, built_image
from tests.engine.runs import APP, Runs, words


def dated(runs: Runs, days: int, seed: int) -> Image:
    """An image that is so many days old by the clock of the test."""
    made = datetime.fromtimestamp(runs.clock.wall(), UTC) - timedelta(days=days)
    config = {
        "os": "linux",
        "architecture": "amd64",
        "created": made.isoformat(),
        "config": {"Labels": {"n": str(seed)}},
    }
    return built_image(config, {"seed": str(seed)})


async def test_the_newest_stay(runs: Runs) -> None:
    """keep-newest keeps so many digests by date, whatever their names, and the rest goes."""
    for number, days in enumerate((1, 9, 3, 7)):
        runs.registry.push(APP, dated(runs, days, number), f"pr-{number}")

    done = await runs.delete(f"- image: {APP}:pr-*\n  keep-newest: 2")

    assert words(done) == {"pr-0": "kept newest", "pr-2": "kept newest", "pr-1": "deleted", "pr-3": "deleted"}
    assert set(runs.registry.tags(APP)) == {"pr-0", "pr-2"}


async def test_what_is_too_young_stays(runs: Runs) -> None:
    """older-than keeps what is not older, and what has no date."""
    for number, days in enumerate((1, 9)):
        runs.registry.push(APP, dated(runs, days, number), f"pr-{number}")
    runs.registry.push(APP, built_image({"os": "linux", "architecture": "amd64"}), "pr-2")

    done = await runs.delete(f"- image: {APP}:pr-*\n  older-than: 7d")

    assert words(done) == {"pr-0": "kept too-young", "pr-1": "deleted", "pr-2": "kept no-date"}


async def test_a_configuration_is_read_once_for_each_digest_and_only_where_needed(runs: Runs) -> None:
    """An entry without conditions reads none; one with a date reads that of each digest that it chose."""
    image = dated(runs, 9, 1)
    runs.registry.push(APP, image, "pr-1", "pr-2", "pr-3")
    runs.registry.push(APP, dated(runs, 9, 2), "other")

    await runs.plan(f"- {APP}:other")
    assert not any("/blobs/" in line for line in runs.registry.sent)
    await runs.plan(f"- image: {APP}:pr-*\n  older-than: 7d")

    assert sum("/blobs/" in line for line in runs.registry.sent) == 1


@pytest.mark.parametrize("status", [403, 500])
async def test_a_configuration_that_cannot_be_read_keeps_its_image(runs: Runs, status: int) -> None:
    """Unknown is not old."""
    runs.registry.push(APP, dated(runs, 9, 1), "pr-1")
    runs.registry.faults.add(Reply(status), path="/blobs/", times=None)

    done = await runs.delete(f"- image: {APP}:pr-*\n  older-than: 7d")

    assert words(done) == {"pr-1": "kept unreadable"}
    assert runs.registry.deleted(APP) == []
