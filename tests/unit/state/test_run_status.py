"""How a run stands follows from the whole of its journal, and from its last event only where that says so itself."""

from pathlib import Path
from typing import Any

import pytest

from bulkrm.codec.journal_events import UndoEnded, Undone, event_fields
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Manifest
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.file import read_events
from bulkrm.state.journal.losses import Restorations, losses, restorations
from bulkrm.state.journal.removals import Removals
from bulkrm.state.journal.run_status import RunStatus, status_of
from bulkrm.state.journal.unrecorded_undo import mark_unrecorded_undo, unmark_unrecorded_undo

APP = "reg.example.com:5000/team/app"
ONE, TWO = (Manifest(Digest.of(text), OCI_MANIFEST, text) for text in (b"one", b"two"))
END: dict[str, Any] = {"event": "end", "code": 130, "summary": {"deleted": 2}}
RESUMED, UNDOING, UNDONE, UNDO_END = ({"event": name} for name in ("resumed", "undoing", "undone", "undo-end"))


def intent(manifest: Manifest, *tags: str, kind: str = "delete") -> dict[str, Any]:
    return {"event": kind, "repository": APP, "digest": manifest.digest, "tags": list(tags)}


def outcome(tag: str, manifest: Manifest, status: str, kind: str = "outcome", **more: Any) -> dict[str, Any]:
    return {"event": kind, "image": f"{APP}:{tag}", "digest": manifest.digest, "status": status, **more}


def back(tag: str, manifest: Manifest, status: str = "restored") -> dict[str, Any]:
    more = {"error": {"code": "unconfirmed", "message": "x"}} if status == "failed" else {}
    return outcome(tag, manifest, status, "undo-outcome", **more)


GONE = [intent(ONE, "a"), intent(TWO, "b"), outcome("a", ONE, "deleted"), outcome("b", TWO, "deleted"), END]
KEPT = outcome("a", ONE, "kept", reason="undone")
RESTORE = [UNDOING, intent(ONE, "a", kind="restore")]


def made(folder: Path, *events: dict[str, Any]) -> Path:
    run = RunFolder.create(folder, "20260131T120000Z-abcdef", {})
    for manifest in (ONE, TWO):
        run.archive.add(manifest)
    for event in events:
        run.journal.append(event)
    run.close()
    return run.path


@pytest.mark.parametrize(
    ("events", "undone", "over"),
    [
        (GONE, "no", False),
        ([*GONE, UNDONE], "wholly", True),
        ([*GONE, UNDOING], "no", False),
        ([*GONE, *RESTORE], "partly", False),
        ([*GONE, *RESTORE, back("a", ONE)], "partly", False),
        ([*GONE, *RESTORE, back("a", ONE, "failed"), UNDO_END], "partly", False),
        ([*GONE, *RESTORE, back("a", ONE, "kept"), UNDO_END], "no", False),
        ([*GONE, UNDOING, back("a", ONE, "unchanged"), back("b", TWO)], "wholly", True),
        ([*GONE, UNDOING, back("a", ONE), UNDO_END, UNDOING, back("b", TWO), UNDO_END], "wholly", True),
        # Undone wholly, and gone on with by a version that did not know of it.
        ([*GONE[:1], GONE[2], END, UNDONE, RESUMED, GONE[1], GONE[3], {**END, "code": 0}], "partly", True),
        ([*GONE, *RESTORE, back("a", ONE), RESUMED, KEPT], "partly", False),
        ([*GONE, *RESTORE, back("a", ONE), RESUMED, KEPT, {**END, "code": 0}], "partly", True),
        ([*GONE, *RESTORE, back("a", ONE), RESUMED, KEPT, END, UNDOING, back("b", TWO)], "wholly", True),
        # Taken away again after it was put back.
        ([*GONE, UNDOING, back("a", ONE), back("b", TWO), RESUMED, *GONE], "no", False),
        ([END], "no", False),
        ([], "no", False),
    ],
)
def test_of_the_whole_journal(tmp_path: Path, events: list[dict[str, Any]], undone: str, *, over: bool) -> None:
    """What is behind an undo counts, however much stands behind it."""
    path = made(tmp_path, *events)

    standing = status_of(path)

    assert (standing.undone.value, standing.is_over) == (undone, over)


def test_the_last_event_says_it(tmp_path: Path) -> None:
    """What the end of a part says of the whole is taken from there, so that nobody reads the rest; only as the last one."""
    broken = {"event": "nobody knows this"}
    said = event_fields(UndoEnded(everything=False, standing=Undone.PARTLY))
    path = made(tmp_path, broken, said)

    assert status_of(path) == RunStatus(None, Undone.PARTLY)
    with (path / "journal.jsonl").open("a") as journal:
        journal.write('{"event":"resumed"}\n')
    with pytest.raises(StateError, match=r"journal.jsonl:1: this record was changed"):
        status_of(path)


@pytest.mark.parametrize("wrong", [{"standing": "perhaps"}, {"standing": 5}, {"standing": "no", "code": "x"}])
def test_a_last_event_that_says_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Where that is not what it should be, the whole journal is read, and speaks for itself."""
    path = made(tmp_path, *GONE, UNDONE, {"event": "end", "code": 130, **wrong})

    if "code" in wrong:
        with pytest.raises(StateError):
            status_of(path)
    else:
        assert status_of(path).undone is Undone.WHOLLY


def test_a_killed_run(tmp_path: Path) -> None:
    """A run that was killed before it had a journal is unfinished."""
    path = made(tmp_path)
    (path / "journal.jsonl").unlink()

    assert status_of(path) == RunStatus(None)


def place(manifest: Manifest, tag: str | None) -> tuple[str, str, str | None]:
    return APP, str(manifest.digest), tag


def found(folder: Path) -> tuple[set[tuple[str, str, str | None]], set[tuple[str, str, str | None]]]:
    """What is back for sure, and perhaps."""
    what: Restorations = restorations(folder, Removals(read_events(folder / "journal.jsonl")))
    sure, maybe = ({(str(where), str(digest), tag) for where, digest, tag in some} for some in (what.sure, what.maybe))
    return sure, maybe


def test_what_is_back(tmp_path: Path) -> None:
    """Where an outcome says so, for sure; where only an intent does, perhaps; a child without its tag by its digest."""
    child = {**back("x", TWO), "image": f"{APP}@{TWO.digest}"}
    path = made(tmp_path, *GONE, *RESTORE, child, UNDO_END)

    assert found(path) == ({place(TWO, None)}, {place(ONE, "a")})
    assert [(lost.manifest, lost.restored) for lost in losses(path)] == [(ONE, set()), (TWO, set())]


def test_an_undo_that_was_not_recorded(tmp_path: Path) -> None:
    """With the marker of one, everything that went may be back, until the marker is gone."""
    path = made(tmp_path, *GONE, UNDOING, back("a", ONE), UNDO_END)
    mark_unrecorded_undo(path)
    mark_unrecorded_undo(path)

    assert found(path) == ({place(ONE, "a")}, {place(TWO, "b")})
    assert status_of(path).undone is Undone.PARTLY
    unmark_unrecorded_undo(path)
    unmark_unrecorded_undo(path)
    assert found(path) == ({place(ONE, "a")}, set())


def test_a_marker_that_cannot_be_set(tmp_path: Path) -> None:
    """Where not even that can be written, it is an error."""
    with pytest.raises(StateError, match="undo-not-recorded"):
        mark_unrecorded_undo(tmp_path / "gone")
