"""The examples in configs/: lists are read, and the options that pipelines use exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bulkrm.reports.format import formats
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.listfile.schema import list_file_schema
from tests.support.command_lines import check_options, commands

ROOT = Path(__file__).parents[2]
LISTS = sorted((ROOT / "configs" / "lists").iterdir())
PIPELINES = sorted((ROOT / "configs").glob("*.yml"))
VALIDATOR = jsonschema.Draft202012Validator(list_file_schema())


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
