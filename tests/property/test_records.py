"""Whatever a record says, it is read as one that bulkrm could have written, or refused with a StateError that names it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkrm.codec.journal_events import DecoyIntent, Event, ImageOutcome, Intent, Undone, UndoOutcome
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES
from bulkrm.model.reference import is_path, is_tag
from bulkrm.state.errors import StateError
from bulkrm.state.evidence import archived
from bulkrm.state.journal.file import read_events
from bulkrm.state.journal.history import read_history
from bulkrm.state.journal.losses import restorations, still_lost
from bulkrm.state.journal.removals import Removals
from bulkrm.state.journal.run_status import status_of
from tests.property import strategies

APP = "reg.example:5000/team/app"
_digests = strategies.digests | st.sampled_from(["sha256:../../x", "", "sha256:" + "A" * 64])
_tags = strategies.tags | st.sampled_from(["v1/../../../other/manifests/evil", "", ".", "a b", "\x1b[2J"])
_repositories = st.just(APP) | strategies.repositories.map(str) | st.sampled_from(["a", "x/../y", "REG/app", f"{APP}/"])
_words = st.sampled_from(
    [
        "delete",
        "clear",
        "untag",
        "restore",
        "decoy",
        "outcome",
        "undo-outcome",
        "end",
        "undone",
        "undo-end",
        "undoing",
        "resumed",
        "planned",
        "explode",
    ]
)
_statuses = st.sampled_from(
    ["deleted", "untagged", "absent", "kept", "failed", "not-attempted", "no-match", "restored", "unchanged", "x"]
)
_odd: Any = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({}) | st.just([[]])
_fields: Any = {
    "repository": _repositories,
    "digest": _digests | st.none(),
    "tags": st.lists(_tags, max_size=3),
    "image": st.builds("{}:{}".format, _repositories, _tags) | st.builds("{}@{}".format, _repositories, _digests),
    "status": _statuses,
    "reason": st.none() | st.sampled_from(["shared", "undone", "interrupted", "x"]),
    "error": st.none() | st.just({"code": "refused", "message": "m"}) | st.just({"code": "x"}),
    "because": st.lists(st.text(max_size=3), max_size=2),
    "also_removed": st.none() | st.lists(st.builds("{}:{}".format, _repositories, _tags), max_size=2),
    "media_type": st.none() | st.sampled_from([*MEDIA_TYPES, "x", "a/b\r\nc: d"]),
    "parent": st.none() | st.builds("{}@{}".format, _repositories, _digests),
    "code": st.integers(0, 143),
    "summary": st.dictionaries(st.sampled_from(["deleted", "not_attempted", "x"]), st.integers(-1, 3), max_size=2),
    "unfinished": st.integers(-1, 2),
    "declined": st.booleans(),
    "standing": st.sampled_from([*Undone, "x"]),
    "ended": st.none() | st.just({"code": 0}),
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event that may be good, or have something odd in one or two fields."""
    event = {"event": draw(_words), **{name: draw(values) for name, values in _fields.items()}}
    for name in draw(st.lists(st.sampled_from(sorted(event)), max_size=2)):
        if draw(st.booleans()):
            event[name] = draw(_odd)
        else:
            event.pop(name, None)
    return event


@given(st.lists(events(), max_size=6))
def test_a_journal(tmp_path_factory: pytest.TempPathFactory, written: list[dict[str, Any]]) -> None:
    """What comes out of it can go into a URL: tags, digests and repositories have their grammar."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in written))
    try:
        found = list(read_events(folder / "journal.jsonl"))
    except StateError as refused:
        said = refused.what
    else:
        said = ""
        enforce_limit(folder, found)

    assert not said or "journal.jsonl:" in said


def enforce_limit(folder: Path, found: list[Event]) -> None:
    """Hold all fields to their grammar, and what is made of them together to what can be."""
    for event in found:
        match event:
            case Intent(_, repository, digest, tags) | DecoyIntent(repository, digest, tags):
                assert is_path(repository.path)
                assert Digest(digest) == digest
                assert all(is_tag(tag) for tag in tags)
            case UndoOutcome(repository, _, tag):
                assert is_path(repository.path)
                assert tag is None or is_tag(tag)
            case ImageOutcome(result=result) if result is not None:
                assert result.image == event.image
            case _:
                pass
    removals = Removals(found)
    restored = restorations(folder, removals)
    assert not restored.sure & restored.maybe
    assert not restored.sure & still_lost(removals)
    read_history(folder)
    status_of(folder)


@given(
    st.fixed_dictionaries(
        {
            "digest": _digests | _odd,
            "media_type": st.sampled_from([*MEDIA_TYPES, "a/b\r\nc: d"]) | _odd,
            "content": st.text(max_size=20)
            | st.just('{"schemaVersion": 1, "signatures": [5, {"protected": "e30"}]}')
            | _odd,
        }
    )
)
def test_an_archive(fields: dict[str, Any]) -> None:
    """Nothing comes out of it but bytes that their digest proves, whatever the media type is."""
    try:
        manifest = archived(fields)
    except ValueError:
        return

    assert Digest.of(manifest.content, manifest.digest.algorithm) == manifest.digest


@given(st.binary(max_size=40), st.sampled_from(MEDIA_TYPES))
def test_an_archive_that_is_good(content: bytes, media_type: str) -> None:
    """What was written is read."""
    text = content.decode("utf-8", "surrogateescape")

    manifest = archived({"digest": str(Digest.of(content)), "media_type": media_type, "content": text})

    assert manifest.content == content


def test_one_file(tmp_path: Path) -> None:
    """A run's journal in the place of another one's is read by the same rules."""
    (tmp_path / "journal.jsonl").write_text("")

    assert status_of(tmp_path).end is None
