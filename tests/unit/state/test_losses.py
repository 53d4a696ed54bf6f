"""What a run took away, and how far it had come, as its journal tells."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bulkrm.codec.journal_events import Intent, IntentKind
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Manifest
from bulkrm.model.reference import Repository
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.history import read_history
from bulkrm.state.journal.losses import losses

HERE = Repository("reg.example.com:5000", "team/app")
APP = str(HERE)
ONE, TWO = (Manifest(Digest.of(text), OCI_MANIFEST, text) for text in (b"one", b"two"))
END = {"event": "end", "code": 0, "summary": {}}
RESUMED = {"event": "resumed"}
DECOY = {"event": "decoy", "repository": APP, "digest": TWO.digest, "tags": ["a"]}


def intent(manifest: Manifest, *tags: str, kind: str = "delete") -> dict[str, Any]:
    """What is written before something is sent."""
    return {"event": kind, "repository": APP, "digest": manifest.digest, "tags": list(tags)}


def outcome(image: str, manifest: Manifest, status: str, code: str | None = None) -> dict[str, Any]:
    """What is written when it is known what became of it."""
    error = {"code": code} if code else None
    reason = "shared" if status == "kept" else None
    return {
        "event": "outcome", "image": f"{APP}{image}", "digest": manifest.digest, "status": status, "reason": reason,
        "error": error,
    }  # fmt: skip


def lost(folder: Path, *events: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a journal of these events says was lost: the tags by the content of the manifest."""
    run = RunFolder.create(folder, "20260131T120000Z-abcdef", {})
    for manifest in (ONE, TWO):
        run.archive.add(manifest)
    for event in events:
        run.journal.append(event)
    run.close()
    return {entry.manifest.content.decode(): list(entry.tags) for entry in losses(run.path)}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([intent(ONE, "a", "b"), outcome(":a", ONE, "deleted"), END], {"one": ["a", "b"]}),
        ([intent(ONE, "a"), outcome(":a", ONE, "failed", "refused"), END], {}),
        ([intent(ONE, "a"), outcome(":a", ONE, "failed", "unconfirmed"), END], {"one": ["a"]}),
        ([intent(ONE, "a"), outcome(":a", ONE, "absent"), END], {}),
        ([intent(ONE, "a")], {"one": ["a"]}),
        ([intent(ONE, "a"), outcome(":a", ONE, "kept"), outcome(":b", ONE, "deleted"), END], {"one": ["a"]}),
        ([intent(ONE), outcome(f"@{ONE.digest}", ONE, "deleted"), END], {"one": []}),
        (
            [intent(ONE, "a", "b", kind="untag"), outcome(":a", ONE, "untagged"), outcome(":b", ONE, "kept"), END],
            {"one": ["a"]},
        ),
        ([intent(ONE, "a", kind="untag"), outcome(":a", ONE, "failed", "siblings-removed"), END], {"one": ["a"]}),
        ([intent(ONE, "a", kind="untag"), outcome(":a", ONE, "failed", "refused"), END], {}),
        ([outcome(":a", ONE, "kept"), END], {}),
        # Killed while it was under way, and the resume interrupted before anybody looked.
        ([intent(ONE, "a"), RESUMED, outcome(":a", ONE, "not-attempted"), END], {"one": ["a"]}),
        ([intent(ONE, "a", kind="clear"), RESUMED, outcome(":a", ONE, "not-attempted"), END], {"one": ["a"]}),
        ([intent(ONE, "a", kind="untag"), RESUMED, outcome(":a", ONE, "not-attempted"), END], {"one": ["a"]}),
        # Written ahead and never sent.
        ([intent(ONE, "a"), outcome(":a", ONE, "not-attempted"), END], {}),
        ([intent(ONE, "a", kind="clear"), outcome(":a", ONE, "not-attempted"), END], {}),
        ([intent(ONE, "a", kind="untag"), outcome(":a", ONE, "not-attempted"), END], {}),
        # Sent by the resume, which was killed: what the first part said is about nothing that came after it.
        ([outcome(":a", ONE, "not-attempted"), END, RESUMED, intent(ONE, "a")], {"one": ["a"]}),
        ([outcome(":a", ONE, "not-attempted"), END, RESUMED, intent(ONE, "a", kind="clear")], {"one": ["a"]}),
        ([outcome(":a", ONE, "not-attempted"), END, RESUMED, intent(ONE, "a", kind="untag")], {"one": ["a"]}),
        ([outcome(":a", ONE, "failed", "server-error"), END, RESUMED, intent(ONE, "a")], {"one": ["a"]}),
        # Killed, and seen to be there by the resume, which could not delete it.
        ([intent(ONE, "a"), RESUMED, intent(ONE, "a"), outcome(":a", ONE, "failed", "refused"), END], {}),
        ([intent(ONE, "a"), RESUMED, outcome(":a", ONE, "kept"), END], {}),
        # What the resume said of a killed part's tag is true, whether it came to its end or not.
        ([intent(ONE, "a"), RESUMED, outcome(":a", ONE, "deleted")], {"one": ["a"]}),
        ([DECOY, intent(ONE, "a", kind="untag"), outcome(":a", ONE, "failed", "read-only"), END], {"one": ["a"]}),
        ([DECOY, intent(ONE, "a", kind="untag"), outcome(":a", ONE, "kept"), END], {}),
        ([intent(ONE, "a", kind="untag"), outcome(":a", ONE, "failed", "unfinished"), END], {"one": ["a"]}),
    ],
)
def test_losses(tmp_path: Path, events: list[dict[str, Any]], expected: dict[str, list[str]]) -> None:
    """Only what was taken away, or may have been, with the tags that went."""
    assert lost(tmp_path, *events) == expected


def test_decoys(tmp_path: Path) -> None:
    """A run's own decoys are known by what it wrote before it pushed them."""
    lost(tmp_path, DECOY, intent(ONE, "a", kind="untag"))

    (entry,) = losses(tmp_path / "runs" / "20260131T120000Z-abcdef")

    assert entry.decoys == {TWO.digest}


@pytest.mark.parametrize(
    "event", [{"event": "delete"}, {"event": "outcome", "status": "deleted", "image": "x", "error": 5}]
)
def test_a_journal_of_something_else(tmp_path: Path, event: dict[str, Any]) -> None:
    """Lines that are JSON and no events of a run are damage, and are called so."""
    with pytest.raises(StateError, match=r"journal.jsonl:1: this record was changed"):
        lost(tmp_path, event)


def test_a_manifest_that_is_missing(tmp_path: Path) -> None:
    """What the journal speaks of and the archive does not have is damage."""
    other = Manifest(Digest.of(b"three"), OCI_MANIFEST, b"three")

    with pytest.raises(StateError, match="is not in the archive"):
        lost(tmp_path, intent(other, "a"))


def test_history(tmp_path: Path) -> None:
    """Final outcomes, the last one of each image; what failed or was not attempted is as if it had never been."""
    lost(
        tmp_path,
        intent(ONE, "a"), outcome(":a", ONE, "not-attempted"), outcome(":a", ONE, "deleted"),
        intent(TWO, "b", kind="untag"), outcome(":b", TWO, "failed", "timeout"),
        {"event": "decoy", "repository": APP, "digest": TWO.digest, "tags": ["b"]}, {"event": "planned"},
    )  # fmt: skip

    history = read_history(tmp_path / "runs" / "20260131T120000Z-abcdef")

    assert list(history.outcomes) == [f"{APP}:a"]
    assert history.intents == [
        Intent(IntentKind.DELETE, HERE, ONE.digest, ("a",)), Intent(IntentKind.UNTAG, HERE, TWO.digest, ("b",)),
    ]  # fmt: skip
    assert history.decoys == {HERE: {TWO.digest}}
