"""Help, schema and demo: what a new user tries first."""

from pathlib import Path

import pytest

from tests.cli.command import Command, bulkrm

GOLDEN = Path(__file__).parent / "golden/help.txt"


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["delete", "--help"], ["delete", "-h"]])
def test_help(run: Command, words: list[str]) -> None:
    """All ways to ask for help show the same options; renew it by `COLUMNS=80 bulkrm --help > tests/cli/golden/help.txt`."""
    result = run(*words)

    assert (result.code, result.err) == (0, "")
    assert result.out == GOLDEN.read_text()


def test_help_names_the_other_commands(run: Command) -> None:
    """The help of the main command leads to the others."""
    text = " ".join(run("-h").out.split())

    assert "bulkrm demo" in text
    assert "bulkrm schema" in text


@pytest.mark.parametrize("command", ["demo", "schema"])
def test_help_of_the_others(run: Command, command: str) -> None:
    """Each command has its own help."""
    result = run(command, "--help")

    assert result.code == 0
    assert f"Usage: bulkrm {command}" in result.out


def test_no_colours_and_no_long_lines(run: Command) -> None:
    """Help fits into 80 columns and has no control characters."""
    text = run("--help").out

    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert [letter for letter in text if not (letter.isprintable() or letter == "\n")] == []


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
