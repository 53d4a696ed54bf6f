"""Nothing goes that was not written down before: the plan, each manifest, and each tag that goes ahead of it."""

from pathlib import Path

import pytest

from bulkrm.model.settings import Strategy
from bulkrm.state.journal.file import read_journal
from bulkrm.state.known import known_runs
from tests.engine.runs import APP, TAGS, Runs
from tests.support.disk import Disk


def journal(state: Path) -> list[str]:
    """What has happened so far, by name."""
    (run,) = known_runs(state)
    return [str(event["event"]) for event in read_journal(run.path / "journal.jsonl")]


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
async def test_an_intent_stands_before_its_request(tmp_path: Path, strategy: Strategy) -> None:
    """At the first DELETE that can take effect the journal has it already."""
    runs = Runs(TAGS)
    runs.fill(2)
    seen: list[list[str]] = []
    runs.on("DELETE", "manifests/(pr-|sha256:(?!0{64}))", lambda: seen.append(journal(tmp_path)), times=None)

    await runs.delete(state=tmp_path, strategy=strategy)

    assert seen
    assert all(events for events in seen)
    assert journal(tmp_path).count("outcome") == 2


async def test_a_disk_that_is_full_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the plan cannot be kept every image fails with that, and no DELETE is sent."""
    runs = Runs()
    digests = runs.fill(3)
    disk = Disk(tmp_path, monkeypatch)

    async def fill(_: object) -> None:
        disk.fill()

    done = await runs.delete(state=tmp_path, before_delete=fill)

    assert {image["error"]["code"] for image in done.images} == {"not-recorded"}
    assert runs.registry.deleted(APP) == []
    assert set(runs.registry.tags(APP).values()) == set(digests)
