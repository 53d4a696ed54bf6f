"""What README and configs/ promise is so: the examples are read, and the options that they use exist."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main
import yaml

from bulkrm.cli.commands.app import app
from bulkrm.cli.main import with_command
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import KeptReason, NotAttemptedReason, Status
from bulkrm.reports.format import formats
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.listfile.schema import list_file_schema

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LISTS = sorted((ROOT / "configs" / "lists").iterdir())
PIPELINES = sorted((ROOT / "configs").glob("*.yml"))
VALIDATOR = jsonschema.Draft202012Validator(list_file_schema())


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language in a Markdown text."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def scripts(node: Any) -> Iterator[str]:
    """Yield the shell scripts of a GitLab or GitHub pipeline."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "run" and isinstance(value, str):
                yield value
            elif key == "script":
                yield from value
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for value in node:
            yield from scripts(value)


def commands(script: str) -> Iterator[list[str]]:
    """Yield the arguments of each bulkrm in a shell script, by its name or as the image of `docker run`."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for token in [*lexer, "|"]:
            if token in {"|", "||", "&&", ";", "(", ")"}:
                yield from _bulkrm(words)
                words = []
            else:
                words.append(token)


def _bulkrm(words: list[str]) -> Iterator[list[str]]:
    if words[:1] == ["bulkrm"]:
        yield words[1:]
    elif words[:2] == ["docker", "run"]:
        start = next(place for place, word in enumerate(words) if word in {"bulkrm", "$IMAGE"})
        yield words[start + 1 :]


def check_options(arguments: list[str]) -> None:
    """Let the real parser read the arguments; it raises what it does not know."""
    command, *rest = with_command(arguments)
    group = typer.main.get_command(app)
    found = group.get_command(None, command)  # type: ignore[attr-defined]
    found.make_context(command, rest)


def test_there_are_examples() -> None:
    """The tests below do look at something."""
    assert len(LISTS) >= 5
    assert [path.name for path in PIPELINES] == ["github-workflow.yml", "gitlab-ci.yml"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_example_list_is_read(path: Path) -> None:
    """bulkrm takes it without a mistake, and so does the schema."""
    content = path.read_bytes()

    assert read_list(content, path.name).entries
    VALIDATOR.validate(yaml.safe_load(content))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_example_list_says_what_it_is_for(path: Path) -> None:
    """It begins with a comment."""
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_pipelines_use_options_that_exist(path: Path) -> None:
    """Every bulkrm in the scripts of the pipeline is a command line that bulkrm understands."""
    pipeline = yaml.safe_load(path.read_text(encoding="utf-8"))
    modes = re.findall(r"'(--[a-z-]+)'", path.read_text(encoding="utf-8"))
    found = [arguments for script in scripts(pipeline) for arguments in commands(script)]

    assert found
    for arguments in found:
        for mode in modes or [""]:
            check_options([mode if word == "$MODE" else word for word in arguments])


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_pipelines_dry_run_as_well_as_delete(path: Path) -> None:
    """A change of the list is shown before it is carried out."""
    text = path.read_text(encoding="utf-8")

    assert "--dry-run" in text
    assert "--yes" in text


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_pipelines_name_reports_that_exist(path: Path) -> None:
    """The format before `=` is one, and its file is kept as an artifact."""
    text = path.read_text(encoding="utf-8")
    reports = re.findall(r"--report (\w+)=([\w.-]+)", text)

    assert reports
    for name, file in reports:
        assert name in formats()
        assert text.count(file) > 1


def test_the_readme_has_the_two_commands() -> None:
    """Each stands alone in its block, so that people and `.ci/run` can take it as it is."""
    setup = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/"

    assert blocks(README, "sh")[:2] == [f"{setup}bulkrm demo\n", f"{setup}pytest -q -n auto\n"]
    assert len(re.findall(r"\.venv/bin/pytest -q -n auto$", README, re.MULTILINE)) == 1


@pytest.mark.parametrize("text", blocks(README, "yaml"), ids=range(len(blocks(README, "yaml"))))
def test_lists_in_the_readme_are_read(text: str) -> None:
    """Every list that the README shows is one; its other YAML is for a token server."""
    if not text.startswith("acl:"):
        assert read_list(text, "README.md").entries


@pytest.mark.parametrize("script", blocks(README, "sh"), ids=range(len(blocks(README, "sh"))))
def test_commands_in_the_readme_use_options_that_exist(script: str) -> None:
    """Every bulkrm in a shell block is a command line that bulkrm understands."""
    for arguments in commands(script):
        check_options(arguments)


def test_the_readme_shows_the_help_as_it_is() -> None:
    """The block is the output of `bulkrm delete --help` in a pipe, 80 columns wide."""
    shown = subprocess.run(
        [sys.executable, "-m", "bulkrm", "delete", "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout in blocks(README, "text")


def test_the_readme_explains_every_failure_code() -> None:
    """The table has a row for each, in alphabetical order, and no other."""
    section = README.partition("## When an image failed")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == sorted(FailureCode)


def test_the_readme_explains_every_status_and_reason() -> None:
    """The table has a row for each, and no other."""
    section = README.partition("### Statuses and reasons")[2].partition("\n### ")[0]
    cells = re.findall(r"^\| (?:`([a-z-]+)`)? *\| ?(?:`([a-z-]+)`)?", section, re.MULTILINE)

    assert {status for status, _ in cells if status} == set(Status)
    assert {reason for _, reason in cells if reason} == {*KeptReason, *NotAttemptedReason, "no-repository"}
