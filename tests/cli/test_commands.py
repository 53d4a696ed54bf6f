"""Words that people try first: help, version, check, and commands that are misspelt."""

from pathlib import Path

import pytest

from bulkrm.cli.command_names import COMMANDS
from tests.cli.command import Command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(run: Command, command: str) -> None:
    """`bulkrm help COMMAND` is what `bulkrm COMMAND -h` shows."""
    result = run("help", command)

    assert (result.code, result.err) == (0, "")
    assert result.out == run(command, "-h").out


def test_help_of_nothing(run: Command) -> None:
    """A command that is none is bad usage, and the commands are named."""
    result = run("help", "me")

    assert result.code == 2
    assert "there is no command 'me'" in result.err
    assert "undo" in result.err


@pytest.mark.parametrize("option", ["-V", "--version"])
@pytest.mark.parametrize("words", [[], ["delete"]])
def test_version(run: Command, option: str, words: list[str]) -> None:
    """The version has a short option too."""
    result = run(*words, option)

    assert result.code == 0
    assert result.out.startswith("bulkrm ")


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("aply", "apply"), ("appyl", "apply"), ("paln", "plan"), ("delet", "delete"), ("Plan", "plan"), ("udno", "undo"),
        ("run", "runs"), ("rm", "delete"), ("rmi", "delete"), ("ls", "runs"), ("restore", "undo"), ("chek", "check"),
        ("logn", "login"), ("compeltion", "completion"), ("validate", "check"), ("versoin", "--version"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rest", [[], ["plan.json"], ["--out", "x"], ["--older-than", "1d"]])
def test_a_misspelt_command(run: Command, word: str, command: str, rest: list[str]) -> None:
    """The command that it is like is named, whatever follows, and nothing is attempted."""
    result = run(word, *rest)

    assert result.code == 2
    assert f"{word!r} is neither an image nor a command; perhaps `bulkrm {command}" in result.err
    assert "Nothing was attempted." in result.err


@pytest.mark.parametrize("words", [["aply", "-p"], ["aply", "-np"], ["-u", "me", "-p", "aply"]])
def test_what_may_be_a_password(run: Command, words: list[str]) -> None:
    """With -p a word may be a password, behind docker's habit: it is named by its position only."""
    result = run(*words)

    assert result.code == 2
    assert "aply" not in result.err


@pytest.mark.parametrize("word", ["app", "web", "latest", "nginx"])
def test_a_word_that_is_like_no_command(run: Command, word: str) -> None:
    """It may be meant as an image: what is missing of it is said, and no command suggested."""
    result = run(word)

    assert result.code == 2
    assert "perhaps `bulkrm" not in result.err
    assert f"write docker.io/{word}" in result.err


# check


def write(name: str, text: str) -> str:
    """Write a list."""
    Path(name).write_text(text)
    return name


def test_good_lists(run: Command) -> None:
    """What is in them is said for each file, and what they protect."""
    write("a.yaml", "- localhost:1/app:1\n- localhost:1/app:2\n")
    write("b.yaml", "registry: localhost:1\nprotect: ['*:latest']\nimages:\n  - app:3\n")

    result = run("check", "*.yaml")

    assert (result.code, result.err) == (0, "")
    assert result.out == "a.yaml: 2 entries\nb.yaml: 1 entry\nprotected: *:latest\n"


def test_bad_lists(run: Command) -> None:
    """All mistakes of all files are shown, with their places."""
    write("a.yaml", "- latest\n")
    write("b.yaml", "- localhost:1/app:1\n- {image: x, colour: red}\n")

    result = run("check", "a.yaml", "b.yaml", "missing.yaml")

    assert result.code == 2
    assert "a.yaml:1:3: " in result.err
    assert "b.yaml:2:" in result.err
    assert "missing.yaml: cannot be read" in result.err


def test_a_list_from_standard_input(run: Command) -> None:
    """- is standard input here too."""
    assert run("check", "-", stdin=b"- localhost:1/app:1\n").code == 0
    assert run("check", "-", stdin=b"[]").code == 2


@pytest.mark.parametrize("arguments", [[], [""], ["nothing-*.yaml"]])
def test_no_list(run: Command, arguments: list[str]) -> None:
    """Without a file there is nothing to check."""
    assert run("check", *arguments).code == 2
