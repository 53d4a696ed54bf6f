"""`bulkrm help`: the list of the pages, and a page in a pipe, on a terminal, and through a pager."""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.manual.display import pager_of
from bulkrm.cli.manual.pages import page_of, pages
from bulkrm.cli.manual.rendering import formatted, without_links
from tests.cli.command import Command, terminal

MANUAL = Path(str(files("bulkrm"))) / "manual"
TOPICS = [page.topic for page in pages()]
COLOUR = r"\x1b\[[0-9;]*3[0-7]m"
COLOURED = {"TERM": "xterm-256color", "LESS": "FRX"}


def test_the_list_of_the_pages(run: Command) -> None:
    """`bulkrm help` lists each page in one line, and the commands."""
    result = run("help")

    lines = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in lines if line.startswith("  ")][: len(TOPICS)] == TOPICS
    assert f"  {' '.join(COMMANDS)}" in lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_in_a_pipe(run: Command, topic: str) -> None:
    """In a pipe a page is its source text, byte for byte."""
    result = run("help", topic)

    assert (result.code, result.err) == (0, "")
    assert result.out == (MANUAL / f"{topic}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["list", "files"], ["List-Files"], ["list_files"], ["list-files.md"]])
def test_how_a_topic_may_be_written(run: Command, words: list[str]) -> None:
    """Capitals, blanks and the name of the file make no difference."""
    assert run("help", *words).out == run("help", "list-files").out


def test_the_help_of_a_command_below_another(run: Command) -> None:
    """`bulkrm help runs show` is `bulkrm runs show -h`."""
    assert run("help", "runs", "show").out == run("runs", "show", "-h").out


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["saftey"], "help safety`"), (["aply"], "help apply`"), (["rm"], "help delete`"), (["runs", "shw"], "help runs show`"),
        (["tags-remain"], "help outcomes`"), (["older-than"], "help conditions`"), (["--", "--max-delete"], "help options`"),
        (["proxy"], "help connections`"), (["exit", "codes"], "help outcomes`"), (["BULKRM_CONFIG"], "help configuration`"),
        (["qqq"], "`bulkrm help` lists the pages"), (["apply", "qqq"], "`bulkrm help apply` shows all of it"),
        ([""], "`bulkrm help` lists the pages"), (["../README"], "`bulkrm help` lists the pages"), (["\x1b[2J"], "\\u001b[2J"),
    ],
)  # fmt: skip
def test_a_topic_that_is_none(run: Command, words: list[str], suggestion: str) -> None:
    """It is bad usage, and what may be meant is named: by its spelling, or by what a page explains."""
    result = run("help", *words)

    assert (result.code, result.out) == (2, "")
    assert suggestion in result.err
    assert "Traceback" not in result.err


# On a terminal


def shown(text: str) -> str:
    """What the screen shows, without the ends of lines of a terminal."""
    return text.replace("\r\n", "\n")


async def on_terminal(
    *words: str, columns: int = 80, lines: int = 24, env: Mapping[str, str] | None = None, afresh: bool = False
) -> str:
    """Show a page on a terminal of this size, and return all that it wrote."""
    size = {"COLUMNS": str(columns), "LINES": str(lines)}
    async with terminal("help", *words, pipe=False, env={**COLOURED, **size, **(env or {})}, afresh=afresh) as screen:
        result = await screen.end()
    assert result.code == 0
    return shown(result.err)


async def test_formatted_on_a_terminal() -> None:
    """A heading is no `#`, code no backtick, and no line is longer than the terminal is wide."""
    text = await on_terminal("garbage-collection", env={"NO_COLOR": "1", "PAGER": "cat"})

    assert "# Garbage" not in text
    assert "Garbage collection" in text
    assert "`bulkrm undo`" not in text
    assert "<!--" not in text


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_width_of_the_terminal(columns: int) -> None:
    """Text is broken at the terminal's width, and at 120 columns where it is wider."""
    text = formatted(page("safety"), min(columns, 120))

    assert max(map(len, text.splitlines())) <= min(columns, 120)


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("topic", TOPICS)
def test_nothing_is_cut_off(topic: str, columns: int) -> None:
    """On a narrow terminal a long word goes on in the next line, in tables too: none is left away."""
    assert "\u2026" not in formatted(page(topic), columns)


def page(topic: str) -> str:
    found = page_of(topic)
    assert found is not None
    return found.text


async def test_a_pager_for_what_is_longer_than_the_screen(tmp_path: Path) -> None:
    """PAGER is started with the page on its standard input, and a page that fits is shown without it."""
    kept = tmp_path / "kept"
    env = {"PAGER": f"tee {kept}"}
    await on_terminal("python", lines=60, env=env)
    was_used_for_a_short_one = kept.exists()

    text = await on_terminal("safety", lines=24, env=env)

    assert not was_used_for_a_short_one
    assert kept.read_text().splitlines() == text.splitlines()
    assert "\x1b" not in text  # no colours for a pager that may not know them


async def test_less_gets_colours(tmp_path: Path) -> None:
    """less is started with the options of git, so that it passes colours on and ends where the page fits."""
    less = tmp_path / "less"
    less.write_text('#!/bin/sh\nprintf "LESS=%s\\n" "$LESS"\ncat\n')
    less.chmod(0o755)
    env = {"PAGER": str(less)}

    coloured = await on_terminal("safety", env=env)
    plain = await on_terminal("safety", env={**env, "NO_COLOR": "1"})

    assert "LESS=FRX" in coloured
    assert re.search(COLOUR, coloured)
    assert not re.search(COLOUR, plain)


@pytest.mark.parametrize("pager", ["cat", "", "no-such-pager", "'"])
async def test_no_pager(pager: str) -> None:
    """Without a pager, or with one that cannot be started, the page is written as it is."""
    text = await on_terminal("safety", env={"PAGER": pager, "NO_COLOR": "1"})

    assert "What cannot be promised" in text


async def test_a_pager_that_is_left_early() -> None:
    """Who leaves the pager before the end is no error."""
    text = await on_terminal("safety", env={"PAGER": "head -n 2"})  # older rich draws a box around the heading

    assert "Safety" in text
    assert len(text.strip().splitlines()) <= 2


async def test_never_a_pager_in_a_pipe(tmp_path: Path) -> None:
    """With standard output in a pipe no pager is started, whatever PAGER says."""
    kept = tmp_path / "kept"
    async with terminal("help", "safety", env={**COLOURED, "PAGER": f"tee {kept}"}) as screen:
        result = await screen.end()

    assert not kept.exists()
    assert result.out == page("safety")


async def test_a_terminal_without_utf_8() -> None:
    """It gets the source text, which is ASCII, without a character that it would show as an escape."""
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}

    text = await on_terminal("python", env=ascii_only, afresh=True)

    assert text == page("python")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm", "PAGER": "most -s"}, ["most", "-s"]),
        ({"TERM": "xterm", "PAGER": "cat"}, None),
        ({"TERM": "dumb", "PAGER": "less"}, None),
        ({"PAGER": "less"}, None),
    ],
)
def test_which_pager(environment: Mapping[str, str], expected: list[str] | None) -> None:
    """PAGER is a command with its arguments; a terminal that can do nothing gets none."""
    assert pager_of(environment) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [safety](safety.md#what-is-kept)", "see safety (`bulkrm help safety`)"),
        ("see [below](#details)", "see below"),
        ("[a list](../../configs/lists/x.yaml)", "a list (configs/lists/x.yaml)"),
        ("[CONTRIBUTING.md](../../CONTRIBUTING.md)", "CONTRIBUTING.md"),
        ("[docker_auth](https://example.com/x)", "docker_auth (https://example.com/x)"),
        ("![a plot](plot.svg)", "a plot"),
    ],
)
def test_links_on_a_terminal(text: str, expected: str) -> None:
    """A link becomes what a reader at a terminal can follow: the command that shows the page, a path, or an address."""
    assert without_links(text) == expected
