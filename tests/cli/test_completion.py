"""What shells complete: asked as their scripts ask, and in the shells themselves."""

import asyncio
import json
import os
import pty
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bulkrm.cli.command_names import COMMANDS
from bulkrm.reports.format import formats
from bulkrm.sandbox import Sandbox
from tests.cli.command import Command, environment, fill
from tests.support.giving_up import SECONDS
from tests.support.tools import call, program


def offered(run: Command, monkeypatch: pytest.MonkeyPatch, *words: str, asks: str = "zsh") -> list[str]:
    """The kind and the words that are offered for the last word."""
    monkeypatch.setenv("_BULKRM_COMPLETE", asks)
    lines: list[str] = run(*words).out.splitlines()
    monkeypatch.delenv("_BULKRM_COMPLETE")
    return [line.partition("\t")[0] for line in lines]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pl"], ["words", "plan"]),
        (["re"], ["words", "resume"]),
        (["--sh"], ["words", "--shared"]),
        (["delete", "--sh"], ["words", "--shared"]),
        (["--shared", "delete"], ["words", "delete", "delete-unseen"]),
        (["plan", "--strategy", ""], ["words", "auto", "digest", "tags-first"]),
        (["-o", "j"], ["words", "json", "jsonl"]),
        (["--output=j"], ["words", "--output=json", "--output=jsonl"]),
        (["--report", ""], ["words", *(f"{name}=" for name in formats())]),
        (["--report", "json="], ["files"]),
        (["-c", "a"], ["words", "auto"]),
        (["-f", "x"], ["files"]),
        (["--ca-file=x"], ["files"]),
        (["--state-dir", ""], ["folders"]),
        (["--password-env", "XDG_CONFIG_H"], ["words", "XDG_CONFIG_HOME"]),
        (["apply", ""], ["files"]),
        (["check", ""], ["files"]),
        (["runs", "p"], ["words", "prune"]),
        (["runs", "prune", "--old"], ["words", "--older-than"]),
        (["completion", ""], ["words", "bash", "zsh", "fish"]),
        (["help", "und"], ["words", "undo", "undo-and-resume"]),
        (["help", "saf"], ["words", "safety"]),
        (["help", "safety", ""], ["words"]),
        (["registry.example/app:1", "--verb"], ["words", "--verbose"]),
        (["registry.example/app:1", "pl"], ["words"]),
        (["login", "--ch"], ["words", "--check"]),
        (["--timeout", ""], ["words"]),
        (["undo", "--forc"], ["words", "--force"]),
    ],
)
def test_offers(run: Command, monkeypatch: pytest.MonkeyPatch, words: list[str], expected: list[str]) -> None:
    """Commands, options of the command (of `delete` without the word, too), values, and where the shell finds files."""
    assert offered(run, monkeypatch, *words) == expected


def test_all_commands(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the beginning every command is offered."""
    assert offered(run, monkeypatch, "") == ["words", *COMMANDS]


@pytest.mark.parametrize("words", [["resume"], ["undo"], ["runs", "show"]])
def test_runs(run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """The names of recorded runs are offered, the latest first."""
    fill(sandbox, "1.0")
    run(f"{sandbox.host}/team/app:1.0")
    name = json.loads(run("runs", "-o", "json").out)["runs"][0]["run"]

    assert offered(run, monkeypatch, *words, "20") == ["words", name]
    assert offered(run, monkeypatch, *words, "x") == ["words"]


@pytest.mark.parametrize("words", [["--output", "=", "j"], ["--report", "json", "=", ""]])
def test_what_bash_takes_apart(run: Command, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """bash hands a word over in pieces around `=`, and wants the last piece alone."""
    expected = ["words", "json", "jsonl"] if words[0] == "--output" else ["files"]

    assert offered(run, monkeypatch, *words, asks="bash") == expected


def test_a_word_with_control_characters(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is offered cannot do anything to a terminal."""
    monkeypatch.setenv("ZZ_\x1b[2J", "1")
    monkeypatch.setenv("_BULKRM_COMPLETE", "bash")

    assert "\x1b" not in run("--password-env", "ZZ").out


@pytest.mark.parametrize("shell", ["tcsh", "", "Bash"])
def test_another_shell(run: Command, shell: str) -> None:
    """For another shell there is no script, and that is said."""
    result = run("completion", shell)

    assert result.code == 2
    assert "write bash, zsh, fish" in result.err


# In the shells


def paths() -> dict[str, str]:
    """The environment in which a shell finds the command."""
    return environment({"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"})


@asynccontextmanager
async def shell(name: str, *options: str) -> AsyncIterator["Shell"]:
    """An interactive shell on a terminal of its own, in the working directory of the test."""
    found = program(name)
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        found, *options, stdin=slave, stdout=slave, stderr=slave, env=paths(), start_new_session=True
    )
    os.close(slave)
    typist = Shell(master)
    try:
        yield typist
    finally:
        process.kill()
        await process.wait()
        typist.close()


class Shell:
    """Types into a shell, and reads what it shows."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._fresh = asyncio.Event()
        self.seen = ""
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            content = os.read(self._master, 65536)
        except OSError:  # it has ended
            asyncio.get_running_loop().remove_reader(self._master)
            return
        self.seen += content.decode(errors="replace")
        self._fresh.set()

    async def types(self, text: str, until: str) -> None:
        """Press keys, and wait until the screen shows something that comes after them."""
        self.seen = ""
        os.write(self._master, text.encode())
        async with asyncio.timeout(SECONDS):
            while until not in self.seen:
                self._fresh.clear()
                await self._fresh.wait()

    def close(self) -> None:
        """Leave the terminal."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)


@pytest.fixture
def listed() -> None:
    """A list in the working directory."""
    Path("images.yaml").write_text("")


@pytest.mark.usefixtures("listed")
async def test_in_bash() -> None:
    """A tab completes a command, a value after `=`, and a file; `delete`'s options without the word."""
    async with shell("bash", "--norc", "--noprofile", "-i") as bash:
        await bash.types('eval "$(bulkrm completion bash)"; echo rea""dy\r', "ready")
        await bash.types("echo bulkrm; bulkrm pla\t", "bulkrm plan ")
        await bash.types("\x15bulkrm --fail-f\t", "bulkrm --fail-fast ")
        await bash.types("\x15bulkrm --output=te\t", "--output=text ")
        await bash.types("\x15bulkrm check im\t", "check images.yaml ")
        await bash.types("\x15bulkrm --report jsonl\t", "=")


@pytest.mark.usefixtures("listed")
async def test_in_zsh() -> None:
    """So it does in zsh, after compinit."""
    async with shell("zsh", "-f", "-i") as zsh:
        setup = 'PS1="> "; autoload -U compinit; compinit -u -D; eval "$(bulkrm completion zsh)"; echo rea""dy'
        await zsh.types(f"{setup}\r", "ready\r\n")
        await zsh.types("bulkrm pla\t", "plan")
        await zsh.types("\x15bulkrm --fail-f\t", "fast")
        await zsh.types("\x15bulkrm check im\t", "ages.yaml")


@pytest.mark.usefixtures("listed")
def test_in_fish() -> None:
    """So it does in fish."""
    program("fish")
    lines = ("bulkrm pla", "bulkrm --fail-f", "bulkrm --output=te", "bulkrm check im", "bulkrm --report json=im")
    script = "; ".join(("bulkrm completion fish | source", *(f"complete -C {shlex.quote(line)}" for line in lines)))

    found = call("fish", "--no-config", "-c", script, env=paths()).splitlines()

    assert [line.partition("\t")[0] for line in found] == [
        "plan", "--fail-fast", "--output=text", "images.yaml", "json=images.yaml",
    ]  # fmt: skip
