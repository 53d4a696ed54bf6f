"""What an undo put back of a run stays when that run is gone on with."""

from pathlib import Path

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from tests.engine.runs import APP, Runs, words
from tests.integration.undone import Cut, undo


async def test_what_was_put_back_is_kept(runs: Runs, tmp_path: Path) -> None:
    """Of a run that was interrupted two images went and one of them was put back: resume keeps it, and does the rest."""
    digests = runs.fill(4)
    stop = Stop()
    runs.on("DELETE", digests[1], lambda: stop.interrupt(Signal.INTERRUPT))
    options = runs.options(state=tmp_path, concurrency=1)
    await runs.delete(state=tmp_path, stop=stop, concurrency=1)
    assert set(runs.registry.tags(APP)) == {"pr-2", "pr-3"}
    await undo(options, Cut(Stop(), None, kill=False, state=tmp_path), ["pr-0"])
    assert set(runs.registry.tags(APP)) == {"pr-0", "pr-2", "pr-3"}

    done = await runs.resume(tmp_path)

    assert words(done) == {"pr-0": "kept undone", "pr-1": "deleted", "pr-2": "deleted", "pr-3": "deleted"}
    assert runs.registry.tags(APP) == {"pr-0": digests[0]}
