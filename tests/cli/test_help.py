"""Help, schema and demo: what a new user tries first."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.commands.app import app
from bulkrm.cli.main import with_command
from bulkrm.reports.format import formats
from tests.cli.command import Command, bulkrm, terminal
from tests.support.help_text import comparable

GOLDEN = Path(__file__).parent / "golden/help.txt"


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["delete", "--help"], ["delete", "-h"]])
def test_help(run: Command, words: list[str]) -> None:
    """All ways to ask for help show the same options; renew it by `COLUMNS=80 bulkrm --help > tests/cli/golden/help.txt`."""
    result = run(*words)

    assert (result.code, result.err) == (0, "")
    assert comparable(result.out) == comparable(GOLDEN.read_text())


def test_help_names_the_other_commands(run: Command) -> None:
    """The help of the main command leads to the others."""
    text = " ".join(run("-h").out.split())

    assert "bulkrm demo" in text
    assert "bulkrm schema" in text


COMMAND_HELPS = [[name] for name in COMMANDS] + [["runs", "show"], ["runs", "prune"]]


@pytest.mark.parametrize("command", COMMAND_HELPS, ids=" ".join)
def test_help_of_each(run: Command, command: list[str]) -> None:
    """Each command has its own help, in plain lines of at most 80 columns, without the names of Python's types."""
    result = run(*command, "--help")

    assert result.code == 0
    assert result.out.startswith(f"Usage: bulkrm {' '.join(command)}")
    assert [line for line in result.out.splitlines() if len(line) > 80] == []
    assert [letter for letter in result.out if not (letter.isprintable() or letter == "\n")] == []
    assert re.findall(r"<\w|list\[|\b(?:TEXT|INTEGER|PATH|FLOAT|BOOLEAN)\b|None", result.out) == []


@pytest.mark.parametrize("command", COMMAND_HELPS, ids=" ".join)
def test_examples(run: Command, command: list[str]) -> None:
    """Each has one to three examples, every line of which is a command line that bulkrm understands."""
    text = run(*command, "-h").out.partition("\nExamples:\n")[2].partition("\n\n")[0]
    examples, lines = re.findall(r"^  \S.*:$", text, re.MULTILINE), re.findall(r"^    (.*)$", text, re.MULTILINE)
    root: Any = typer.main.get_command(app)

    assert 1 <= len(examples) <= 3
    assert len(lines) >= len(examples)
    for line in lines:
        name, *arguments = with_command(
            shlex.split(re.sub(r'^eval "\$\((.*)\)"$', r"\1", line).partition(" > ")[0])[1:]
        )
        root.commands[name].make_context(name, arguments, parent=typer.Context(root))


def test_help_is_in_groups(run: Command) -> None:
    """The commands come first, then examples, then the options in the order in which one thinks of them."""
    headings = re.findall(r"^(\S[^\n]*):$", run("-h").out, re.MULTILINE)

    assert headings == ["Commands", "Examples", "Arguments", "What", "Safety", "Sign-in", "Pace", "Output"]


@pytest.mark.parametrize("columns", ["50", "200"])
def test_help_on_other_widths(run: Command, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """It fits a narrow terminal, and on a wide one its lines stay readable."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = run("-h").out.splitlines()

    assert max(len(line) for line in lines if "|" not in line and "bulkrm" not in line) <= min(int(columns), 100)


def test_help_names_the_formats_that_there_are(run: Command) -> None:
    """What `-o` takes is what was found."""
    assert f"{', '.join(list(formats())[:-1])} or {list(formats())[-1]}." in " ".join(run("-h").out.split())


async def test_help_in_a_pipe_and_on_a_terminal() -> None:
    """Both show the same text."""
    piped = await bulkrm("-h", env={"COLUMNS": "80"})
    async with terminal("-h", pipe=False) as screen:
        shown = await screen.end()

    assert shown.err == piped.out


async def test_demo() -> None:
    """The demo deletes from its list and shows what remains: the shared, the protected and the excluded."""
    result = await bulkrm("demo")

    before, _, after = result.out.partition("$ bulkrm --from-file images.yaml --yes")
    assert result.code == 0
    assert "team/app  1.10 1.9 2.0 pr-41 pr-42 pr-42-keep" in before
    assert "deleted" in after
    assert "shared: " in after
    assert "protected: *:latest" in after
    assert after.splitlines()[-2:] == [
        "  team/app  2.0 pr-42-keep  (2 digests)",
        "  team/web  2.0 edge latest stable  (2 digests)",
    ]
    assert "Traceback" not in result.err
