"""Runs on disk: who may read them, one process at a time."""

from pathlib import Path

import pytest

from bulkrm.model.errors import InputError
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.known import known_runs

RUN = "20260131T120000Z-abcdef"


def test_create_and_find(tmp_path: Path) -> None:
    """A run is made, is known by what was asked, and is finished when it says so."""
    folder = RunFolder.create(tmp_path, RUN, {"command": "delete"})
    (known,) = known_runs(tmp_path)
    seen = [known.is_locked]
    assert (known.id, known.asked["command"], known.is_finished, folder.id) == (RUN, "delete", False, RUN)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.journal.append({"event": "end", "code": 0, "summary": {"not_attempted": 0}})
    folder.close()
    seen.append(known.is_locked)
    assert seen == [True, False]
    (known,) = known_runs(tmp_path)
    assert known.is_finished
    assert not known.is_undone
    folder = RunFolder.open(tmp_path, RUN)
    folder.journal.append({"event": "undone"})
    folder.close()
    (known,) = known_runs(tmp_path)
    assert known.is_undone
    known.remove()
    assert known_runs(tmp_path) == []


@pytest.mark.parametrize(
    ("end", "finished"),
    [
        ({"code": 130, "summary": {}}, False),
        ({"code": 143, "summary": {}}, False),
        ({"code": 1, "summary": {"not_attempted": 3}}, False),
        ({"code": 1, "summary": {"not_attempted": 0, "failed": 1}}, True),
        ({"code": 0}, True),
    ],
)
def test_what_is_finished(tmp_path: Path, end: dict[str, object], *, finished: bool) -> None:
    """An interrupted run, and one that left something, can be gone on with."""
    folder = RunFolder.create(tmp_path, RUN, {})
    folder.journal.append({"event": "end", **end})
    folder.close()

    assert known_runs(tmp_path)[0].is_finished is finished


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A second opening is refused as long as the first lasts."""
    folder = RunFolder.create(tmp_path, RUN, {})

    with pytest.raises(InputError, match="another bulkrm works on the run"):
        RunFolder.open(tmp_path, RUN)
    folder.close()
    RunFolder.open(tmp_path, RUN).close()


def test_the_plan(tmp_path: Path) -> None:
    """The plan is written whole, or not at all."""
    folder = RunFolder.create(tmp_path, RUN, {})
    seen = [folder.has_plan]
    folder.write_plan("{}\n")
    seen.append(folder.has_plan)
    (folder.path / "plan.json").unlink()
    (folder.path / "plan.part").mkdir()
    with pytest.raises(StateError, match=r"plan.json"):
        folder.write_plan("{}\n")
    assert [*seen, folder.has_plan] == [False, True, False]
    folder.close()


def test_no_place(tmp_path: Path) -> None:
    """A folder that cannot be made, is not there or is damaged is refused with the remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--state-dir"):
        RunFolder.create(tmp_path / "file", RUN, {})
    with pytest.raises(InputError, match="cannot be opened"):
        RunFolder.open(tmp_path, RUN)
    folder = RunFolder.create(tmp_path, RUN, {})
    folder.close()
    (folder.path / "manifests.jsonl.gz").write_bytes(b"damage")
    with pytest.raises(InputError, match="damaged"):
        RunFolder.open(tmp_path, RUN)


def test_what_is_no_run(tmp_path: Path) -> None:
    """Other folders, and those of runs that were killed before they had written anything down, are left out."""
    for name in ("other", "20260131T120000Z-ffffff"):
        (tmp_path / "runs" / name).mkdir(parents=True)

    assert known_runs(tmp_path) == []
    assert known_runs(tmp_path / "gone") == []
