"""On a terminal: the question, the password, the table in 80 columns."""

import json
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Call, Sandbox, SandboxSettings, ServerRequest, User
from tests.cli.command import Command, bulkrm, fill, sent, tags, terminal

OPEN = SandboxSettings(auth=Auth.NONE)


@pytest.mark.parametrize("answer", ["Y", "yes"])
async def test_yes(answer: str) -> None:
    """The question names numbers, and yes deletes."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c")

        async with terminal(f"{sandbox.host}/team/app:a", f"{sandbox.host}/team/app:b", "-o", "json") as screen:
            await screen.until("Delete 2 images (2 manifests) in 1 repository of 1 registry? [y/N] ")
            assert sent(sandbox) == []
            screen.type(f"{answer}\n")
            result = await screen.end()

        assert (result.code, set(result.statuses.values())) == (0, {"deleted"})
        assert tags(sandbox) == {"c"}


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
async def test_no(answer: str) -> None:
    """Anything but yes, also the end of input, deletes nothing: everything is `declined`, exit code 1."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b")

        async with terminal(f"{sandbox.host}/team/app:*", "-o", "json") as screen:
            await screen.until("[y/N] ")
            screen.type(answer)
            result = await screen.end()

        assert result.code == 1
        assert {(image["status"], image["reason"]) for image in result.images} == {("not-attempted", "declined")}
        assert sent(sandbox) == []
        assert "[y/N] bulkrm" not in result.err


@pytest.mark.parametrize("answer", ["n\n", "\x04"])
async def test_what_was_declined_is_over(answer: str, tmp_path: Path) -> None:
    """`resume` does not take up a run that nobody wanted, neither by itself nor by name."""
    env = {"BULKRM_STATE_DIR": str(tmp_path)}
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")
        async with terminal(f"{sandbox.host}/team/app:*", "-o", "json", env=env) as screen:
            await screen.until("[y/N] ")
            screen.type(answer)
            declined = await screen.end()

        latest = await bulkrm("resume", env=env)
        named = await bulkrm("resume", declined.report["run"]["id"], env=env)

        assert (latest.code, named.code) == (2, 2)
        assert "there is no unfinished run" in latest.err
        assert "this run is finished" in named.err
        assert tags(sandbox) == {"a"}


async def test_interrupt_at_the_question() -> None:
    """Ctrl-C at the question ends the run with a complete report and 130."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b")

        async with terminal(f"{sandbox.host}/team/app:*", "-o", "json", afresh=True) as screen:
            await screen.until("[y/N] ")
            screen.type("\x03")
            result = await screen.end()

        assert result.code == 130
        assert {(image["status"], image["reason"]) for image in result.images} == {("not-attempted", "interrupted")}
        assert sent(sandbox) == []
        assert "Traceback" not in result.err
        assert f"`bulkrm resume {result.report['run']['id']}` goes on with this run" in result.err


async def test_the_question_names_what_goes_along() -> None:
    """The question says which unlisted tags would go too, and how many listed images stay."""
    async with Sandbox(OPEN) as sandbox:
        digest = fill(sandbox, "a", "latest")["a"]
        for number in range(7):
            sandbox.store.tag("team/app", f"other-{number}", digest)
        names = [f"{sandbox.host}/team/app:{tag}" for tag in ("a", "latest")]

        async with terminal(*names, "--shared", "delete", "--protect", "*:latest", "-o", "json") as screen:
            await screen.until("[y/N] ")
            screen.type("n\n")
            result = await screen.end()

    text = " ".join(result.err.split())
    assert "7 tags that the list does not name will go too:" in text
    assert f"{sandbox.host}/team/app:other-4 and 2 more" in text
    assert "1 listed image will not be touched" in text


async def test_the_question_admits_what_was_not_read() -> None:
    """With delete-unseen the question says that other tags were not looked at."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")

        async with terminal(f"{sandbox.host}/team/app:a", "--shared", "delete-unseen", "-o", "json") as screen:
            await screen.until("[y/N] ")
            screen.type("y\n")
            result = await screen.end()

    assert "were not read" in " ".join(result.err.split())
    assert result.code == 0


@pytest.mark.parametrize("options", [["-y"], ["-n"]])
async def test_no_question(options: list[str]) -> None:
    """--yes and a dry run do not ask."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")

        async with terminal(f"{sandbox.host}/team/app:a", *options, "-o", "json") as screen:
            result = await screen.end()

    assert result.code == 0
    assert "[y/N]" not in result.err


async def test_no_question_if_nothing_would_go() -> None:
    """Where the plan deletes nothing there is nothing to ask."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "latest")

        async with terminal(f"{sandbox.host}/team/app:latest", "--protect", "*:latest", "-o", "json") as screen:
            result = await screen.end()

    assert (result.code, result.statuses) == (0, {"team/app:latest": "kept"})
    assert "[y/N]" not in result.err


async def test_quiet_asks_all_the_same() -> None:
    """-q silences progress and warnings, not the question."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")

        async with terminal(f"{sandbox.host}/team/app:a", "-q", "-o", "json") as screen:
            await screen.until("[y/N] ")
            screen.type("y\n")
            result = await screen.end()

        assert result.code == 0
        assert tags(sandbox) == set()


async def test_password() -> None:
    """-p asks for the password without showing it, on standard error, and before anything is sent."""
    async with Sandbox(users={"me": User("s3cr3t-Zebra")}) as sandbox:
        fill(sandbox, "a")

        async with terminal("-u", "me", "-p", f"{sandbox.host}/team/app:a", "-y", "-o", "json") as screen:
            await screen.until(f"Password for me at {sandbox.host}: ")
            assert sandbox.log == []
            screen.type("s3cr3t-Zebra\n")
            result = await screen.end()

        assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})
        assert "s3cr3t" not in result.out + result.err
        assert {request.account for request in sandbox.tokens.log} == {"me"}


async def test_password_beside_a_list() -> None:
    """Where the list comes through standard input, the terminal is asked all the same."""
    async with Sandbox(users={"me": User("s3cr3t-Zebra")}) as sandbox:
        fill(sandbox, "a")
        listed = f"- {sandbox.host}/team/app:a\n".encode()

        async with terminal("-u", "me", "-p", "-f", "-", "-o", "json", stdin=listed) as screen:
            await screen.until(f"Password for me at {sandbox.host}: ")
            screen.type("s3cr3t-Zebra\n")
            result = await screen.end()

        assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})
        assert "s3cr3t" not in result.out + result.err


@pytest.mark.parametrize(("keys", "code"), [("\n", 2), ("\x04", 2), ("\x03", 130)])
async def test_no_password(keys: str, code: int) -> None:
    """No password is bad usage, Ctrl-C at the prompt is 130; nothing is sent and nothing crashes."""
    async with Sandbox() as sandbox:
        async with terminal("-u", "me", "-p", f"{sandbox.host}/team/app:a") as screen:
            await screen.until("Password for me")
            screen.type(keys)
            result = await screen.end()

        assert result.code == code
        assert "Traceback" not in result.err
        assert sandbox.log == []


async def test_table_in_eighty_columns() -> None:
    """No line of the report is wider than the terminal; a name is never broken; long details move to their own lines."""
    async with Sandbox(OPEN) as sandbox:
        digests = fill(sandbox, "a", "b", "shared", repository="team/some/where")
        for number in range(6):
            sandbox.store.tag("team/some/where", f"another-{number}", digests["shared"])
        images = [f"{sandbox.host}/team/some/where:{tag}" for tag in ("a", "b", "shared", "gone")]

        async with terminal(*images, "-y", "-q", pipe=False, env={"NO_COLOR": "1"}) as screen:
            result = await screen.end()

    lines = result.err.splitlines()
    assert result.code == 3
    assert [line for line in lines if len(line) > 80] == []
    assert [line.split()[:2] for line in lines if line[:1] != " "][:4] == [
        ["kept", images[2]], ["deleted", images[0]], ["deleted", images[1]], ["absent", images[3]],
    ]  # fmt: skip
    assert any(line.startswith("     ") and "shared: " in line for line in lines)
    assert lines[-1].startswith("4 images: 2 deleted, 1 absent, 1 kept. ")


async def test_bar() -> None:
    """On a terminal the progress is a bar on standard error; it is gone in the end, and the report is clean."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{number:02}" for number in range(20)))

        async with terminal(f"{sandbox.host}/team/app:*", "-y", "-o", "json", afresh=True) as screen:

            async def look(_: ServerRequest) -> None:
                await screen.until("Deleting manifests")

            sandbox.faults.add(Call(look), method="DELETE")
            result = await screen.end()

    assert result.code == 0
    assert "\x1b[" in result.err
    assert "\x1b" not in result.out
    assert result.report["summary"]["deleted"] == 20


async def test_no_bar_among_lines() -> None:
    """A report that comes line by line on the same terminal is not drawn over: each phase is a line then."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{number:02}" for number in range(20)))

        async with terminal(f"{sandbox.host}/team/app:*", "-y", "-o", "jsonl", pipe=False) as screen:
            result = await screen.end()

    assert result.code == 0
    assert "\x1b" not in result.err
    assert "Deleting manifests: 20" in result.err
    assert [json.loads(line)["status"] for line in result.err.splitlines() if '"image"' in line] == ["deleted"] * 20


async def test_no_question_in_a_pipe() -> None:
    """Where nobody can answer it does not ask: a pipeline deletes."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")

        result = await bulkrm(f"{sandbox.host}/team/app:a", "-o", "json", stdin=b"n\n")

    assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})
    assert "[y/N]" not in result.err


def test_standard_input_that_is_the_list_answers_nothing(run: Command, sandbox: Sandbox) -> None:
    """A list on standard input is never taken for an answer."""
    fill(sandbox, "a")

    result = run("-f", "-", "-o", "json", stdin=f"- {sandbox.host}/team/app:a\n".encode())

    assert result.code == 0


@pytest.mark.parametrize(
    ("env", "pipe", "coloured"),
    [
        ({}, False, True),
        ({"NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"CLICOLOR": "0"}, False, False),
        ({}, True, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, True, False),
    ],
)
async def test_colours_of_the_report(env: dict[str, str], *, pipe: bool, coloured: bool) -> None:
    """The report is coloured on a terminal, and as NO_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM have it."""
    async with (
        Sandbox(OPEN) as sandbox,
        terminal(f"{sandbox.host}/team/app:none-*", "-y", "-q", pipe=pipe, env=env) as screen,
    ):
        result = await screen.end()

    assert ("\x1b[33mno-match\x1b[0m" in (result.out if pipe else result.err)) is coloured
    assert ("\x1b[" in result.out + result.err) is coloured
