"""Records that somebody edited: every command says what was changed and where, and sends nothing."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Reply, Sandbox
from bulkrm.state.known import known_runs
from tests.cli.command import Command, fill, tags

APP = "team/app"
EVIL = "v1/../../../other/manifests/evil"
DEEP = "[" * 100_000
JOURNAL, ARCHIVE, RUN, PLAN = "journal.jsonl", "manifests.jsonl.gz", "run.json", "plan.json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
Change = Callable[[Path], object]


@pytest.fixture
def record(run: Command, sandbox: Sandbox) -> Path:
    """The folder of a run that deleted three images, and left one because the registry did not want it to go."""
    digests = fill(sandbox, "pr-1", "pr-2", "pr-3", "pr-4")
    sandbox.faults.add(Reply(409), method="DELETE", path=digests["pr-4"], times=None)
    run(f"{sandbox.host}/{APP}:pr-*", "-c", "1")
    (found,) = known_runs(Path(os.environ["BULKRM_STATE_DIR"]))
    events = read(found.path)
    write(found.path, [*events[:-1], {**events[-1], "code": 130}])  # as if it had been interrupted
    sandbox.faults.clear()
    sandbox.log.clear()
    return found.path


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]


def write(folder: Path, events: list[dict[str, Any]]) -> None:
    (folder / JOURNAL).write_text("".join(json.dumps(event) + "\n" for event in events))


def event(kind: str, **changes: Any) -> Change:
    """Change the first event of a kind."""

    def change(folder: Path) -> None:
        events = read(folder)
        number = next(number for number, found in enumerate(events) if found["event"] == kind)
        events[number] |= changes
        write(folder, events)

    return change


def line(text: str) -> Change:
    """Put a line into the middle of the journal."""

    def change(folder: Path) -> None:
        lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
        (folder / JOURNAL).write_text("\n".join([*lines[:2], text, *lines[2:], ""]))

    return change


def archive(edit: Callable[[dict[str, Any]], object]) -> Change:
    """Change each manifest of the archive."""

    def change(folder: Path) -> None:
        text = gzip.decompress((folder / ARCHIVE).read_bytes())
        lines = [json.loads(line) for line in text.splitlines()]
        for fields in lines:
            edit(fields)
        (folder / ARCHIVE).write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))

    return change


def document(name: str, edit: Callable[[dict[str, Any]], object]) -> Change:
    """Change a JSON file."""

    def change(folder: Path) -> None:
        fields = json.loads((folder / name).read_text())
        edit(fields)
        (folder / name).write_text(json.dumps(fields))

    return change


def instead(name: str, make: Callable[[Path], object]) -> Change:
    """Put something else in the place of a file."""

    def change(folder: Path) -> None:
        path = folder / name
        path.rename(path.with_suffix(".moved"))
        make(path)

    return change


def link(path: Path) -> None:
    path.symlink_to(path.with_suffix(".moved"))


def bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0" * (200 * 2**20)))


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


def first(fields: dict[str, Any]) -> dict[str, Any]:
    """The first manifest of a plan."""
    found: dict[str, Any] = fields["repositories"][0]["manifests"][0]
    return found


OF_JOURNAL: dict[str, tuple[Change, str]] = {
    "tag": (
        event("delete", tags=[EVIL]),
        f"{JOURNAL}:2: this record was changed: 'tags' has '{EVIL}', which is not a tag",
    ),
    "tags": (event("delete", tags="pr-1"), f"{JOURNAL}:2"),
    "repository": (event("delete", repository="127.0.0.1:5000/../other"), f"{JOURNAL}:2"),
    "repository of another form": (event("delete", repository="team/app"), f"{JOURNAL}:2"),
    "digest": (event("delete", digest="sha256:../../x"), f"{JOURNAL}:2"),
    "digest as number": (event("delete", digest=5), f"{JOURNAL}:2"),
    "image": (event("outcome", image=f"127.0.0.1:5000/a/b:{EVIL}"), f"{JOURNAL}:"),
    "status": (event("outcome", status="gone"), f"{JOURNAL}:"),
    "reason": (event("outcome", status="kept", reason="whim"), f"{JOURNAL}:"),
    "error": (event("outcome", status="failed", error=5), f"{JOURNAL}:"),
    "media type": (event("outcome", media_type="text/plain\r\nX: y"), f"{JOURNAL}:"),
    "also removed": (event("outcome", also_removed=[5]), f"{JOURNAL}:"),
    "code": (event("end", code="130"), f"{JOURNAL}:"),
    "summary": (event("end", summary={"\x1b[2J": 1}), f"{JOURNAL}:"),
    "kind": (line('{"event":"explode"}'), f"{JOURNAL}:3: this record was changed: there is no event 'explode'"),
    "no kind": (line("{}"), f"{JOURNAL}:3"),
    "no object": (line("[]"), f"{JOURNAL}:3"),
    "deep": (line(DEEP), f"{JOURNAL}:3: this record was changed: it is not JSON (it is nested too deeply)"),
    "key twice": (line('{"event":"planned","event":"resumed"}'), f"{JOURNAL}:3"),
    "half a pair": (line('{"event":"planned","note":"\\ud800"}'), f"{JOURNAL}:3"),
    "zeros": (line("\0\0\0"), f"{JOURNAL}:3"),
    "folder": (instead(JOURNAL, Path.mkdir), JOURNAL),
    "link": (instead(JOURNAL, link), f"{JOURNAL}: this record was changed: it is a symbolic link"),
    "pipe": (instead(JOURNAL, os.mkfifo), f"{JOURNAL}: this record was changed: it is not a plain file"),
}
OF_ARCHIVE: dict[str, tuple[Change, str]] = {
    "bytes": (archive(lambda fields: fields.update(content="{}")), f"{ARCHIVE}:1: this record was changed"),
    "bytes and media type": (
        archive(lambda fields: fields.update(content='{"schemaVersion": 1}', media_type=SCHEMA1)),
        f"{ARCHIVE}:1: this record was changed",
    ),
    "digest": (archive(lambda fields: fields.update(digest="sha256:x")), f"{ARCHIVE}:1: this record was changed"),
    "media type": (archive(lambda fields: fields.update(media_type="a/b\r\nX: y")), f"{ARCHIVE}:1"),
    "types": (archive(lambda fields: fields.update(content=5)), f"{ARCHIVE}:1"),
    "more": (archive(lambda fields: fields.update(more=5)), f"{ARCHIVE}:1"),
    "deep": (instead(ARCHIVE, lambda path: path.write_bytes(gzip.compress(DEEP.encode()))), f"{ARCHIVE}:1"),
    "no archive": (instead(ARCHIVE, text("no gzip")), f"{ARCHIVE}: this record was changed: it is damaged"),
    "bomb": (instead(ARCHIVE, bomb), f"{ARCHIVE}: this record was changed: after byte 0 it unpacks to more than"),
    "link": (instead(ARCHIVE, link), f"{ARCHIVE}: this record was changed: it is a symbolic link"),
    "folder": (instead(ARCHIVE, Path.mkdir), ARCHIVE),
}
CONDITION = {"image": "registry.example.com/team/app:*", "source": "images.yaml:2"}
OF_REQUEST: dict[str, tuple[Change, str]] = {
    "deep": (instead(RUN, text(DEEP)), f"{RUN}: this record was changed"),
    "list": (instead(RUN, text("[]")), f"{RUN}: this record was changed"),
    "no JSON": (instead(RUN, text("")), f"{RUN}: this record was changed"),
    "no UTF-8": (instead(RUN, lambda path: path.write_bytes(b"\xff")), f"{RUN}: this record was changed"),
    "folder": (instead(RUN, Path.mkdir), RUN),
    "version": (document(RUN, lambda fields: fields.update(version=2)), "it has version '2', and this bulkrm reads"),
    "no version": (document(RUN, lambda fields: fields.pop("version")), "it has version 'None'"),
    "protect": (document(RUN, lambda fields: fields.update(protect=5)), f"{RUN}: this record was changed"),
    "pattern": (document(RUN, lambda fields: fields.update(protect=["nothing"])), f"{RUN}: this record was changed"),
    "options": (document(RUN, lambda fields: fields.update(options=[])), f"{RUN}: this record was changed"),
    "shared": (document(RUN, lambda fields: fields["options"].update(shared="all")), f"{RUN}: this record was"),
    "flag": (document(RUN, lambda fields: fields["options"].update(recursive="false")), f"{RUN}: this record was"),
    "limit": (document(RUN, lambda fields: fields["options"].update(max_delete="nan%")), f"{RUN}: this record was"),
    "limit as number": (document(RUN, lambda fields: fields["options"].update(max_delete=5)), f"{RUN}: this record"),
    "min-keep": (document(RUN, lambda fields: fields.update(min_keep="3")), f"{RUN}: this record was changed"),
    "in use": (document(RUN, lambda fields: fields.update(in_use=5)), f"{RUN}: this record was changed"),
    "short name in use": (document(RUN, lambda fields: fields.update(in_use=["nginx"])), f"{RUN}: this record was"),
    "conditions": (document(RUN, lambda fields: fields.update(conditions={"0": 1})), f"{RUN}: this record was changed"),
    "condition": (document(RUN, lambda fields: fields.update(conditions=[CONDITION | {"older-then": "1d"}])), RUN),
    "no condition": (document(RUN, lambda fields: fields.update(conditions=[CONDITION])), f"{RUN}: this record was"),
    "image of a condition": (
        document(RUN, lambda fields: fields.update(conditions=[CONDITION | {"image": 5, "older-than": "1d"}])),
        f"{RUN}: this record was changed",
    ),
    "other conditions than the plan's": (
        document(RUN, lambda fields: fields.update(min_keep=3)),
        f"{PLAN}: this record was changed: its conditions are not those",
    ),
}
OF_PLAN: dict[str, tuple[Change, str]] = {
    "folder": (instead(PLAN, Path.mkdir), PLAN),
    "link": (instead(PLAN, link), f"{PLAN}: this record was changed: it is a symbolic link"),
    "deep": (instead(PLAN, text(DEEP)), f"{PLAN}: this record was changed"),
    "tag": (
        document(PLAN, lambda fields: first(fields)["tags"].append(EVIL)),
        f"{PLAN}: repositories[0].manifests[0].tags",
    ),
    "digest": (document(PLAN, lambda fields: first(fields).update(digest="sha256:x")), PLAN),
    "line end": (document(PLAN, lambda fields: first(fields).update(digest=first(fields)["digest"] + "\n")), PLAN),
    "also removed": (document(PLAN, lambda fields: first(fields).update(also_removed=["x"])), PLAN),
    "leaves": (document(PLAN, lambda fields: first(fields).update(orphaned=["x"])), PLAN),
    "version": (document(PLAN, lambda fields: fields.update(version=2)), "it has version 2"),
}


def check(run: Command, sandbox: Sandbox, command: tuple[str, ...], expected: str) -> None:
    """Run it: it says so, it says that nothing was attempted, and that is true."""
    before = tags(sandbox)

    result = run(*command)

    assert result.code == 2, (result.out, result.err)
    assert expected in result.err
    assert "Traceback" not in result.err
    assert sandbox.log == []
    assert tags(sandbox) == before


@pytest.mark.parametrize("command", ["resume", "undo", "resume -n", "undo -n"])
@pytest.mark.parametrize("kind", OF_JOURNAL)
def test_a_journal(kind: str, command: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """A journal of which a line says what bulkrm never wrote."""
    change, expected = OF_JOURNAL[kind]
    change(record)

    check(run, sandbox, (*command.split()[:1], record.name, *command.split()[1:]), expected)


@pytest.mark.parametrize("kind", OF_JOURNAL)
def test_the_list_of_runs(kind: str, record: Path, run: Command) -> None:
    """`runs` goes on with the next run, and `runs show` says what is wrong with this one."""
    OF_JOURNAL[kind][0](record)

    listed, shown = run("runs"), run("runs", "show", record.name)

    assert listed.code == 0
    assert listed.out.splitlines()[1].startswith(record.name)
    assert "\x1b" not in listed.out
    assert shown.code == 2
    assert JOURNAL in shown.err


@pytest.mark.parametrize("command", ["resume", "undo"])
@pytest.mark.parametrize("kind", OF_ARCHIVE)
def test_an_archive(kind: str, command: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """An archive in which something else stands than what the registry sent."""
    change, expected = OF_ARCHIVE[kind]
    change(record)

    check(run, sandbox, (command, record.name), expected)


@pytest.mark.parametrize("kind", OF_REQUEST)
def test_what_was_asked(kind: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """What a run was asked is held to what a run can be asked."""
    change, expected = OF_REQUEST[kind]
    change(record)

    check(run, sandbox, ("resume", record.name), expected)


@pytest.mark.parametrize("command", ["resume", "undo", "undo -n"])
@pytest.mark.parametrize("make", [link, os.mkfifo, Path.mkdir])
def test_a_lock(make: Callable[[Path], object], command: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """The lock is a plain file of the record too, and never one that a link leads to."""
    instead("lock", make)(record)

    check(run, sandbox, (command.split(maxsplit=1)[0], record.name, *command.split()[1:]), "lock")


@pytest.mark.parametrize("kind", ["deep", "list", "folder", "version", "no version"])
def test_whose_record_it_is(kind: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """Undo needs nothing of it but the version: a record of a newer bulkrm may mean something else by the same words."""
    change, expected = OF_REQUEST[kind]
    change(record)

    check(run, sandbox, ("undo", record.name), expected)


@pytest.mark.parametrize("kind", OF_PLAN)
def test_a_plan(kind: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """The plan of a record is held to more than a saved one: nobody takes items out of it by hand."""
    change, expected = OF_PLAN[kind]
    change(record)

    check(run, sandbox, ("resume", record.name), expected)


@pytest.mark.parametrize("kind", [kind for kind in OF_PLAN if kind != "link"])
def test_a_saved_plan(kind: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """`apply` holds a saved plan to the same: all of it, or nothing is sent."""
    change, _ = OF_PLAN[kind]
    change(record)

    check(run, sandbox, ("apply", str(record / PLAN)), PLAN)


@pytest.mark.parametrize("command", ["resume", "undo"])
def test_a_bare_command(command: str, record: Path, run: Command, sandbox: Sandbox) -> None:
    """Without a name too: that the latest run cannot be read is said, and no other one is taken for it."""
    event("delete", tags=[EVIL])(record)
    # So that its end does not tell how it stands.
    write(record, [*read(record), {"event": "planned"}])

    check(run, sandbox, (command,), f"{JOURNAL}:2: this record was changed")


def test_the_record_is_good(record: Path, run: Command, sandbox: Sandbox) -> None:
    """What all these cases change can be used as it is."""
    resumed = run("resume", record.name, "-o", "json")
    undone = run("undo", record.name, "-o", "json")

    assert resumed.statuses == {f"{APP}:pr-{number}": "deleted" for number in (1, 2, 3, 4)}
    assert set(undone.statuses.values()) == {"restored"}
    assert len(tags(sandbox)) == 4
