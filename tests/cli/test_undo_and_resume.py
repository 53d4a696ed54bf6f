"""A run that was cut short, taken back and gone on with, in any order: nobody says `deleted` of what is there."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest, index_of, oci_image, put_image
from bulkrm.state.known import KnownRun, known_runs
from tests.cli.command import Command, Result, bulkrm, environment, fill, killed, sent, start, tags
from tests.support.giving_up import SECONDS

APP = "team/app"
OPEN = SandboxSettings(auth=Auth.NONE)
FIRST = 27


def counted(result: Result) -> dict[str, int]:
    """How many images have each status, with the reason if there is one."""
    words = [f"{image['status']} {image['reason'] or ''}".strip() for image in result.images]
    return {word: words.count(word) for word in dict.fromkeys(words)}


async def interrupted(sandbox: Sandbox, number: int, env: dict[str, str], *options: str) -> list[str]:
    """Fill with so many images, delete all and press Ctrl-C after FIRST; return the tags that went."""
    fill(sandbox, *(f"pr-{index:02}" for index in range(number)), "latest")
    release, held = asyncio.Event(), asyncio.Event()

    async def enforce_limit(_: ServerRequest) -> None:
        held.set()
        await release.wait()

    sandbox.faults.add(Call(enforce_limit), method="DELETE", path="sha256:(?!0{64})", skip=FIRST - 1)
    process = await start(f"{sandbox.host}/{APP}:pr-*", "-c", "1", "-o", "json", *options, env=env)
    async with asyncio.timeout(SECONDS):
        await held.wait()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while b"stopping" not in await process.stderr.readline():
        pass
    release.set()
    await process.communicate()
    sandbox.faults.clear()
    assert process.returncode == 130
    return sorted({f"pr-{index:02}" for index in range(number)} - tags(sandbox))


async def test_undone_wholly(tmp_path: Path) -> None:
    """A run that was interrupted and taken back cannot be gone on with, and says why; nothing is sent, `runs` shows it."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        gone = await interrupted(sandbox, 60, env)
        undone = await bulkrm("undo", "-o", "json", env=env)
        before, requests = tags(sandbox), len(sandbox.log)
        name = known_runs(tmp_path / "state")[0].id

        bare = await bulkrm("resume", "-o", "json", env=env)
        named = await bulkrm("resume", name, "-o", "json", env=env)
        listed = await bulkrm("runs", env=env)
        again = await bulkrm("undo", env=env)
        after = len(sandbox.log)
        repeated = await bulkrm("undo", name, "-o", "json", env=env)

    assert len(gone) == FIRST
    assert counted(undone) == {"restored": FIRST}
    assert (bare.code, named.code, again.code) == (2, 2, 2)
    assert "no unfinished run" in bare.err
    assert "was undone" in named.err
    assert "run its list again" in named.err
    assert listed.out.splitlines()[1].split()[:5] == [name, "just", "now", "undone", f"{FIRST}"]
    assert after == requests
    assert tags(sandbox) == before
    assert counted(repeated) == {"unchanged": FIRST}


async def test_undone_partly(tmp_path: Path) -> None:
    """What was put back by name is kept by the resume, as `undone`; the rest goes, and the next undo puts all back."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        gone = await interrupted(sandbox, 60, env)
        wanted = gone[:3]
        undone = await bulkrm("undo", *(f"{sandbox.host}/{APP}:{tag}" for tag in wanted), "-o", "json", env=env)
        listed = await bulkrm("runs", env=env)
        before = len(sent(sandbox))
        resumed = await bulkrm("resume", "-o", "json", env=env)
        deletes = len(sent(sandbox)) - before
        left = tags(sandbox)
        finished = await bulkrm("runs", env=env)
        none = await bulkrm("resume", env=env)
        back = await bulkrm("undo", "-o", "json", env=env)
        at_last = await bulkrm("runs", env=env)

    assert counted(undone) == {"restored": 3}
    assert "interrupted, partly undone" in listed.out
    assert counted(resumed) == {"kept undone": 3, "deleted": 57}
    assert resumed.code == 0
    assert deletes == 60 - FIRST
    assert left == {*wanted, "latest"}
    assert ("interrupted" in finished.out, "partly undone" in finished.out) == (False, True)
    assert none.code == 2
    assert counted(back) == {"unchanged": 3, "restored": 57}
    assert "undone" in at_last.out
    assert len(tags(sandbox)) == 61


async def test_a_bare_undo_takes_no_other_run(tmp_path: Path) -> None:
    """After interrupt, undo of some and resume it is still that run which a bare undo takes, and not the one before."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        put_image(sandbox.store, APP, ["old"], oci_image(900))
        await bulkrm(f"{sandbox.host}/{APP}:old", env=env)
        gone = await interrupted(sandbox, 30, env)
        await bulkrm("undo", *(f"{sandbox.host}/{APP}:{tag}" for tag in gone[1:]), env=env)
        await bulkrm("resume", env=env)

        undone = await bulkrm("undo", "-o", "json", env=env)

    assert f"{APP}:old" not in undone.statuses
    assert "old" not in tags(sandbox)
    assert len(tags(sandbox)) == 31


async def test_image_by_image(tmp_path: Path) -> None:
    """A run whose images were put back one by one was undone wholly."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        gone = await interrupted(sandbox, 30, env)
        for part in (gone[:20], gone[20:]):
            await bulkrm("undo", *(f"{sandbox.host}/{APP}:{tag}" for tag in part), env=env)

        resumed = await bulkrm("resume", env=env)

    assert resumed.code == 2
    assert len(tags(sandbox)) == 31


async def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """`undo -n` and `resume -n` leave every byte of the record as it is, and the run can be gone on with."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        await interrupted(sandbox, 30, env)
        (run,) = known_runs(tmp_path / "state")
        with (run.path / "journal.jsonl").open("ab") as journal:
            journal.write(b'{"event":"out')  # as a crash leaves it
        before = content(run)
        dry = await bulkrm("undo", "-n", "-o", "json", env=env)
        dry_resume = await bulkrm("resume", "-n", "-o", "json", env=env)
        after = content(run)
        resumed = await bulkrm("resume", "-o", "json", env=env)

    assert after == before
    assert counted(dry) == {"would-restore": FIRST}
    assert counted(dry_resume) == {"deleted": FIRST, "would-delete": 3}
    assert counted(resumed) == {"deleted": 30}


def content(run: KnownRun) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


@pytest.mark.parametrize("acted", [True, False])
async def test_a_killed_undo_and_resume(*, acted: bool, tmp_path: Path) -> None:
    """What a killed undo was pushing is looked up: it is kept if it is there, and what it was before if it is not."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        gone = await interrupted(sandbox, 30, env)
        held, never = asyncio.Event(), asyncio.Event()

        async def enforce_limit(_: ServerRequest) -> None:
            if acted:
                put_image(sandbox.store, APP, [gone[5]], oci_image(5, config_seed=0))
            held.set()
            await never.wait()

        sandbox.faults.add(Call(enforce_limit), method="PUT", path=gone[5])
        process = await start("undo", "-c", "1", env=env)
        async with asyncio.timeout(SECONDS):
            await held.wait()
        process.kill()
        await process.communicate()
        sandbox.faults.clear()
        there = tags(sandbox)

        resumed = await bulkrm("resume", "-o", "json", env=env)
        left = tags(sandbox)
        again = await bulkrm("undo", "-o", "json", env=env)
        never.set()

    assert len(there & set(gone)) == (6 if acted else 5)
    kept = {image["image"].rpartition(":")[2] for image in resumed.images if image["reason"] == "undone"}
    assert kept == there & set(gone)
    assert {image["status"] for image in resumed.images if image["reason"] != "undone"} == {"deleted"}
    assert left == kept | {"latest"}
    assert counted(again) == {"unchanged": len(kept), "restored": 30 - len(kept)}
    assert len(tags(sandbox)) == 31


async def test_a_killed_undo_and_undo(tmp_path: Path) -> None:
    """An undo that was killed is finished by the next one, of the same run."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        await interrupted(sandbox, 30, env)
        release = await killed(sandbox, "undo", "-c", "1", method="PUT", path="pr-05", env=env)
        listed = await bulkrm("runs", env=env)
        again = await bulkrm("undo", "-o", "json", env=env)
        none = await bulkrm("undo", env=env)
        release.set()

    assert "partly undone" in listed.out
    assert counted(again) == {"unchanged": 5, "restored": FIRST - 5}
    assert none.code == 2


async def test_an_interrupted_undo(tmp_path: Path) -> None:
    """Ctrl-C ends an undo with its record in order: resume keeps what is back, and the next undo does the rest."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        await interrupted(sandbox, 30, env)
        release, held = asyncio.Event(), asyncio.Event()

        async def enforce_limit(_: ServerRequest) -> None:
            held.set()
            await release.wait()

        sandbox.faults.add(Call(enforce_limit), method="PUT", path="pr-05")
        process = await start("undo", "-c", "1", "-o", "json", env=env)
        async with asyncio.timeout(SECONDS):
            await held.wait()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while b"stopping" not in await process.stderr.readline():
            pass
        release.set()
        await process.communicate()
        sandbox.faults.clear()
        there = len(tags(sandbox)) - 1 - (30 - FIRST)
        listed = await bulkrm("runs", env=env)
        resumed = await bulkrm("resume", "-o", "json", env=env)
        back = await bulkrm("undo", "-o", "json", env=env)

    assert process.returncode == 130
    assert there == 6
    assert "partly undone" in listed.out
    assert counted(resumed) == {"kept undone": there, "deleted": 30 - there}
    assert counted(back) == {"unchanged": there, "restored": 30 - there}


async def test_over_and_over(tmp_path: Path) -> None:
    """Interrupt, undo some, resume until interrupted again, undo some more, resume: each says what is so."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        gone = await interrupted(sandbox, 60, env)
        await bulkrm("undo", f"{sandbox.host}/{APP}:{gone[0]}", env=env)
        release = await killed(sandbox, "resume", "-c", "1", method="DELETE", path="sha256:(?!0{64})", env=env)
        await bulkrm("undo", f"{sandbox.host}/{APP}:{gone[1]}", "--force", env=env)
        resumed = await bulkrm("resume", "-o", "json", env=env)
        left = tags(sandbox)
        back = await bulkrm("undo", "-o", "json", env=env)
        at_last = tags(sandbox)
        release.set()

    assert counted(resumed) == {"kept undone": 2, "deleted": 58}
    assert left == {gone[0], gone[1], "latest"}
    assert counted(back) == {"unchanged": 2, "restored": 58}
    assert len(at_last) == 61


async def test_tags_that_went_first(tmp_path: Path) -> None:
    """With tags first too: what an undo put back stays, although its manifest had not gone yet."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE, tag_deletes=True)) as sandbox:
        names = [f"pr-{index}" for index in range(12)]
        fill(sandbox, *names, "latest")
        arguments = (f"{sandbox.host}/{APP}:pr-*", "-c", "1", "--strategy", "tags-first")
        release = await killed(sandbox, *arguments, method="DELETE", path="sha256:(?!0{64})", env=env)
        assert tags(sandbox) == {"latest"}
        some = names[:4]
        undone = await bulkrm("undo", *(f"{sandbox.host}/{APP}:{tag}" for tag in some), "-o", "json", env=env)

        resumed = await bulkrm("resume", "-o", "json", env=env)
        left = tags(sandbox)
        release.set()

    assert counted(undone) == {"restored": 4}
    assert counted(resumed) == {"kept undone": 4, "deleted": 8}
    assert left == {*some, "latest"}


def test_one_of_two_tags(run: Command, sandbox: Sandbox) -> None:
    """Of an image with two tags, one of which was put back, the other one is gone and the image is not: `untagged`."""
    digest = put_image(sandbox.store, APP, ["pr-a", "pr-b"], oci_image(1))
    put_image(sandbox.store, APP, ["pr-c"], oci_image(2))
    sandbox.faults.add(Reply(500), method="DELETE", path=sandbox.store.digest_of(APP, "pr-c") or "", times=None)
    run(f"{sandbox.host}/{APP}:pr-*", "-c", "1", "--fail-fast")
    sandbox.faults.clear()
    make_unfinished()
    run("undo", f"{sandbox.host}/{APP}:pr-a")

    resumed = run("resume", "-o", "json")

    words = {image["image"][-4:]: (image["status"], image["reason"], image["because"]) for image in resumed.images}
    assert words["pr-a"] == ("kept", "undone", [])
    assert words["pr-b"] == ("untagged", None, [f"{sandbox.host}/{APP}:pr-a"])
    assert words["pr-c"][0] == "deleted"
    assert (tags(sandbox), digest in sandbox.store.digests(APP)) == ({"pr-a"}, True)


def test_a_child_of_what_was_put_back(run: Command, sandbox: Sandbox) -> None:
    """An index that was put back brings its children, which the resume leaves alone; their own tags stay away."""
    child = oci_image(5)
    put_image(sandbox.store, APP, ["pr-index"], index_of([child]))
    put_image(sandbox.store, APP, ["pr-child"], child)
    run(f"{sandbox.host}/{APP}:pr-*")
    assert sandbox.store.digests(APP) == frozenset()
    make_unfinished()
    run("undo", f"{sandbox.host}/{APP}:pr-index")

    resumed = run("resume", "-o", "json")

    words = {image["image"].rpartition(":")[2]: (image["status"], image["reason"]) for image in resumed.images}
    assert words == {"pr-index": ("kept", "undone"), "pr-child": ("untagged", None)}
    assert tags(sandbox) == {"pr-index"}
    assert child.digest in sandbox.store.digests(APP)


def make_unfinished() -> None:
    """Let the only run look as if it had been interrupted right before its end."""
    (found,) = known_runs(Path(os.environ["BULKRM_STATE_DIR"]))
    path = found.path / "journal.jsonl"
    *lines, last = path.read_text().splitlines()
    event = json.loads(last)
    assert event["event"] == "end"
    path.write_text("\n".join([*lines, json.dumps({**event, "code": 130}), ""]))


def test_a_record_of_an_earlier_version(run: Command, sandbox: Sandbox) -> None:
    """A journal that only says `undone`, with more behind it, is read as a whole: that run was undone wholly."""
    fill(sandbox, "pr-1", "pr-2")
    run(f"{sandbox.host}/{APP}:pr-*")
    (found,) = known_runs(Path(os.environ["BULKRM_STATE_DIR"]))
    path = found.path / "journal.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    events[-1] = {"event": "end", "code": 130, "summary": {}, "unfinished": 0, "declined": False}
    path.write_text("".join(json.dumps(event) + "\n" for event in [*events, {"event": "undone"}, {"event": "planned"}]))

    assert run("runs").out.splitlines()[1].split()[3] == "undone"
    assert run("resume").code == 2


async def test_a_full_disk(tmp_path: Path) -> None:
    """An undo that cannot be written down puts all back and says so; a resume then asks the registry what is there."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(OPEN) as sandbox:
        await interrupted(sandbox, 30, env)
        (run,) = known_runs(tmp_path / "state")
        script = (
            "import os, errno, sys\n"
            "def full(*_): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
            "real = os.write\n"
            "os.write = lambda file, content: full() if os.path.realpath(f'/proc/self/fd/{file}').endswith('.jsonl')"
            " else real(file, content)\n"
            "from bulkrm.cli.main import main\n"
            "main(['undo', '-y', '-o', 'json'])\n"
        )
        undone = await python(script, env)
        listed = await bulkrm("runs", env=env)
        resumed = await bulkrm("resume", "-o", "json", env=env)
        back = await bulkrm("undo", "-o", "json", env=env)

    assert undone.code == 1
    assert counted(undone) == {"restored": FIRST}
    assert "No space left" in undone.err
    assert "partly undone" in listed.out
    assert counted(resumed) == {"kept undone": FIRST, "deleted": 3}
    assert counted(back) == {"unchanged": FIRST, "restored": 3}
    assert not (run.path / "undo-not-recorded").exists()


async def python(script: str, env: dict[str, str]) -> Result:
    """Run a script in a process of its own."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(env)
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())
