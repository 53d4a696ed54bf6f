"""Who is asked before anything is deleted: decided by the file descriptors, whatever draws on the terminal."""

import os
import pty
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bulkrm.cli.terminal.streams import Stream, Streams, kind_of_stream
from bulkrm.model.errors import InputError
from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest, User
from tests.cli.command import bulkrm, fill, sent, tags, terminal

OPEN = SandboxSettings(auth=Auth.NONE)


@dataclass
class Prepared:
    """A registry with the images `a` and `b`, and what it takes to run each command that asks."""

    sandbox: Sandbox
    folder: Path

    @property
    def env(self) -> Mapping[str, str]:
        return {"BULKRM_STATE_DIR": str(self.folder / "state")}

    async def words(self, command: str) -> list[str]:
        """Make what the command needs: a plan to apply, a run to resume, a run to undo. Return what is to be typed."""
        image = f"{self.sandbox.host}/team/app:a"
        plan = str(self.folder / "plan.json")
        if command == "apply":
            await bulkrm("plan", image, "--out", plan, env=self.env)
        elif command == "resume":
            self.sandbox.faults.add(Reply(400), method="DELETE", times=None)
            await bulkrm(image, f"{self.sandbox.host}/team/app:b", "--fail-fast", "-c", "1", env=self.env)
        elif command == "undo":
            fill(self.sandbox, "undone", seed=7)
            await bulkrm(f"{self.sandbox.host}/team/app:undone", env=self.env)
        self.sandbox.faults.clear()
        self.sandbox.log.clear()
        return {"delete": ["delete", image], "apply": ["apply", plan]}.get(command, [command])


@pytest.fixture
async def prepared(tmp_path: Path) -> AsyncIterator[Prepared]:
    """Nothing done yet."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b")
        yield Prepared(sandbox, tmp_path)


COMMANDS = ["delete", "apply", "resume", "undo"]


@pytest.mark.parametrize(
    ("command", "redirected"),
    [(command, "2>log") for command in COMMANDS] + [("delete", "2>&-"), ("undo", "0<&-"), ("delete", "0<&- 2>&-")],
)
async def test_cannot_be_asked(prepared: Prepared, command: str, redirected: str) -> None:
    """Where somebody may be there who cannot be asked it is exit code 2, and nothing is sent: not even a request to read."""
    log = prepared.folder / "log"
    words = await prepared.words(command)

    async with terminal(*words, env=prepared.env, redirected=redirected.replace("log", str(log))) as screen:
        result = await screen.end()

    said = result.err + (log.read_text() if log.exists() else "")
    assert result.code == 2
    assert prepared.sandbox.log == []
    assert result.out == ""
    if "2>&-" not in redirected:
        assert "so nobody can be asked; add -y" in said
        assert "Nothing was attempted." in said


@pytest.mark.parametrize("command", COMMANDS)
async def test_asked(prepared: Prepared, command: str) -> None:
    """On a terminal each command that changes something asks, and a no changes nothing."""
    words = await prepared.words(command)

    async with terminal(*words, "-o", "json", env=prepared.env) as screen:
        await screen.until("[y/N] ")
        screen.type("n\n")
        result = await screen.end()

    assert result.code == 1
    assert sent(prepared.sandbox) == sent(prepared.sandbox, "PUT") == []
    assert tags(prepared.sandbox) == {"a", "b"}


@pytest.mark.parametrize(("options", "redirected"), [(["-y"], "2>/dev/null"), (["-n"], "2>&-"), (["-y"], "0<&-")])
async def test_need_not_be_asked(prepared: Prepared, options: list[str], redirected: str) -> None:
    """With --yes, and in a dry run, there is no question that anybody would have to see."""
    words = [*await prepared.words("delete"), *options, "-o", "json"]

    async with terminal(*words, env=prepared.env, redirected=redirected) as screen:
        result = await screen.end()

    assert result.code == 0
    assert tags(prepared.sandbox) == ({"b"} if options == ["-y"] else {"a", "b"})


@pytest.mark.parametrize("redirected", ["</dev/null", "</dev/null 2>&-"])
async def test_nobody_is_there(prepared: Prepared, redirected: str) -> None:
    """Where standard input is no terminal nobody is asked, whatever standard error is."""
    words = await prepared.words("delete")

    async with terminal(*words, "-o", "json", env=prepared.env, redirected=redirected) as screen:
        result = await screen.end()

    assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})


@pytest.mark.parametrize(("command", "typed"), [("delete", "y\n"), ("apply", "yes\ny\n"), ("resume", "y")])
async def test_typed_before_the_question(prepared: Prepared, command: str, typed: str) -> None:
    """What was typed while the registry was read answers nothing: the question waits for an answer of its own."""
    reading = [True]

    async def type_ahead(_: ServerRequest) -> None:
        if reading[0]:
            reading[0] = False
            screen.type(typed)
            await screen.until(typed.splitlines()[0])  # the terminal has it: it shows what is typed

    words = await prepared.words(command)
    prepared.sandbox.faults.add(Call(type_ahead), method="GET", path="/manifests/", times=None)
    async with terminal(*words, "-o", "json", env=prepared.env) as screen:
        await screen.until("[y/N] ")
        screen.type("\n")
        result = await screen.end()

    assert not reading[0]
    assert result.code == 1
    assert {image["reason"] for image in result.images} == {"declined"}
    assert sent(prepared.sandbox) == []


async def test_the_answer_counts_after_that(prepared: Prepared) -> None:
    """A yes behind the question deletes, also where something was typed before."""

    async def type_ahead(_: ServerRequest) -> None:
        screen.type("n\n")

    words = await prepared.words("delete")
    prepared.sandbox.faults.add(Call(type_ahead), method="GET", path="/manifests/")
    async with terminal(*words, "-o", "json", env=prepared.env) as screen:
        await screen.until("[y/N] ")
        screen.type("y\n")
        result = await screen.end()

    assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})


# Passwords


async def test_password_on_the_terminal_itself(tmp_path: Path) -> None:
    """With standard error in a file the password is asked for where somebody sees it, and the file has no question."""
    async with Sandbox(users={"me": User("s3cr3t-Zebra")}) as sandbox:
        fill(sandbox, "a")
        words = ["-u", "me", "-p", f"{sandbox.host}/team/app:a", "-y", "-o", "json"]

        async with terminal(*words, redirected=f"2>{tmp_path / 'log'}") as screen:
            await screen.until(f"Password for me at {sandbox.host}: ")
            screen.type("s3cr3t-Zebra\n")
            result = await screen.end()

        assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})
        assert "s3cr3t" not in result.out + result.err + (tmp_path / "log").read_text()


async def test_no_password_for_nothing() -> None:
    """Who cannot be asked whether to delete is not asked for a password either."""
    words = ["-u", "me", "-p", "registry.example.com/team/app:a"]
    async with terminal(*words, redirected="2>/dev/null") as screen:
        result = await screen.end()

    assert result.code == 2
    assert "Password" not in result.err


async def test_password_stdin_from_a_terminal() -> None:
    """--password-stdin on a terminal would show the password: it is refused, and -p named."""
    async with Sandbox() as sandbox:
        words = ["-u", "me", "--password-stdin", f"{sandbox.host}/team/app:a"]
        async with terminal(*words) as screen:
            result = await screen.end()

    assert result.code == 2
    assert "--password-stdin: standard input is a terminal" in result.err
    assert "use -p" in result.err
    assert sandbox.log == []


async def test_prompt_without_a_terminal() -> None:
    """-p where nobody can be asked takes REGISTRY_PASSWORD; without that it says what to do."""
    async with Sandbox(users={"me": User("s3cr3t-Zebra")}) as sandbox:
        fill(sandbox, "a")
        words = ["-u", "me", "-p", f"{sandbox.host}/team/app:a", "-o", "json"]

        without = await bulkrm(*words)
        result = await bulkrm(*words, env={"REGISTRY_PASSWORD": "s3cr3t-Zebra"})

    assert without.code == 2
    assert "there is no terminal to ask for the password on; use --password-stdin or REGISTRY_PASSWORD" in without.err
    assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})
    assert "s3cr3t" not in result.out + result.err


# Streams by themselves


def test_kinds_of_streams() -> None:
    """A pipe is no terminal, a closed descriptor is closed, and a terminal that was hung up does not answer."""
    master, slave = pty.openpty()
    reading, writing = os.pipe()
    try:
        assert kind_of_stream(slave) is Stream.TERMINAL
        assert kind_of_stream(reading) is Stream.OTHER
        os.close(reading)
        assert kind_of_stream(reading) is Stream.CLOSED
        os.close(master)
        assert kind_of_stream(slave) is Stream.UNKNOWN
    finally:
        os.close(slave)
        os.close(writing)


@pytest.mark.parametrize("stdin", Stream)
@pytest.mark.parametrize("stderr", Stream)
def test_who_is_asked(stdin: Stream, stderr: Stream) -> None:
    """Exactly one of three holds: somebody can be asked, nobody is there, or the command is refused without --yes."""
    streams = Streams(stdin, Stream.OTHER, stderr)
    refused = False
    try:
        streams.refuse_unanswerable(yes=False, dry_run=False)
    except InputError:
        refused = True

    assert [streams.can_ask, streams.has_nobody, refused].count(True) == 1
    assert streams.has_nobody == (stdin is Stream.OTHER)
    assert streams.can_ask == (stdin is stderr is Stream.TERMINAL)
    streams.refuse_unanswerable(yes=True, dry_run=False)
    streams.refuse_unanswerable(yes=False, dry_run=True)
