"""What a run has left over is judged again when it is resumed: once, by what is there now, and within the limit of the whole."""

from pathlib import Path
from typing import Any

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Limit
from bulkrm.sandbox import Reply, oci_image
from tests.engine.runs import APP, LIST, Runs, words

OTHER = "team/other"
BOTH = f"{LIST}\n- {OTHER}:pr-*"


async def interrupted(runs: Runs, state: Path, **chosen: Any) -> dict[str, str]:
    """Run while one repository cannot be read, and stop for good after a deletion in the other; return what was told."""
    digests = runs.fill(3)
    runs.registry.push(OTHER, oci_image(50), "pr-9")
    runs.registry.faults.add(Reply(500), method="GET|HEAD", path=f"{OTHER}/manifests", times=None)
    stop = Stop()
    runs.on("DELETE", digests[1], lambda: stop.interrupt(Signal.INTERRUPT))
    done = await runs.delete(BOTH, state=state, stop=stop, concurrency=1, **chosen)
    runs.registry.faults.clear()
    runs.registry.sent.clear()
    return dict(done.statuses)


async def test_what_could_not_be_read_is_planned_anew(runs: Runs, tmp_path: Path) -> None:
    """An image that failed in the plan itself is read again by `resume`, and deleted."""
    first = await interrupted(runs, tmp_path)

    done = await runs.resume(tmp_path)

    assert first[f"{OTHER}:pr-9"] == "failed server-error"
    assert set(done.statuses.values()) == {"deleted"}
    assert (runs.registry.tags(APP), runs.registry.tags(OTHER)) == ({}, {})


async def test_the_limit_holds_for_all_parts(runs: Runs, tmp_path: Path) -> None:
    """What earlier parts deleted counts: with the image that can be read now the run would delete too many, so it goes no further."""
    first = await interrupted(runs, tmp_path, max_delete=Limit(3))

    done = await runs.resume(tmp_path)

    assert [first[f"{APP}:pr-{number}"] for number in range(3)] == ["deleted", "deleted", "not-attempted interrupted"]
    assert [done.statuses[f"{APP}:pr-{number}"] for number in range(3)] == ["deleted", "deleted", "kept limit"]
    assert done.statuses[f"{OTHER}:pr-9"] == "kept limit"
    assert runs.registry.asked("DELETE") == []


async def test_a_stop_while_judging_again(runs: Runs, tmp_path: Path) -> None:
    """Nothing is deleted by a judgement that is not complete, and what was deleted before is told again."""
    await interrupted(runs, tmp_path)
    stop = Stop()
    runs.on("GET", f"{APP}/manifests", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.resume(tmp_path, stop=stop)

    assert words(done)["pr-0"] == "deleted"
    assert words(done)["pr-2"] == "not-attempted interrupted"
    assert runs.registry.asked("DELETE") == []
    assert done.code == 130
