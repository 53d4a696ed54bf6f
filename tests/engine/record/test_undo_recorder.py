"""An undo writes down that it begins, before anything is pushed, and what it put back."""

from pathlib import Path

from bulkrm.engine.stop import Stop
from bulkrm.state.journal.file import read_journal
from bulkrm.state.known import known_runs
from tests.engine.runs import APP, Runs
from tests.integration.undone import Cut, undo


async def test_it_is_on_the_disk_before_the_first_push(runs: Runs, tmp_path: Path) -> None:
    """Whoever kills an undo in its first push finds in the journal what it was about to put back."""
    runs.fill(2)
    await runs.delete(state=tmp_path)
    (run,) = known_runs(tmp_path)
    before = len(list(read_journal(run.path / "journal.jsonl")))
    written: list[int] = []
    runs.on("PUT", "", lambda: written.append(len(list(read_journal(run.path / "journal.jsonl")))), times=None)

    told = await undo(runs.options(state=tmp_path), Cut(Stop(), None, kill=False, state=tmp_path))

    assert {image["status"] for image in told} == {"restored"}
    assert written[0] > before
    assert len(runs.registry.tags(APP)) == 2
