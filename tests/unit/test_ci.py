"""The pipelines of GitHub and GitLab do what `.ci/run` does, and are what their makers' schemas allow."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB, GITLAB = ROOT / ".github/workflows/ci.yml", ROOT / ".gitlab-ci.yml"
SCHEMAS = {
    GITHUB: "vendor.github-workflows",
    ROOT / "configs/github-workflow.yml": "vendor.github-workflows",
    GITLAB: "vendor.gitlab-ci",
    ROOT / "configs/gitlab-ci.yml": "vendor.gitlab-ci",
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program that looks at files."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603


def declared_versions() -> set[str]:
    """The Python versions of the classifiers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", text) for text in project["classifiers"])
    return {match[1] for match in found if match}


def matrices(path: Path) -> tuple[set[str], set[str]]:
    """The parts and the Python versions that a pipeline runs, each in a job of its own."""
    pipeline: Any = yaml.safe_load(path.read_text("utf-8"))
    if path == GITHUB:
        jobs = pipeline["jobs"]
        matrix = jobs["part"]["strategy"]["matrix"] | jobs["python"]["strategy"]["matrix"]
        return set(matrix["part"]), set(matrix["version"])
    (parts,), (versions,) = (pipeline[job]["parallel"]["matrix"] for job in ("part", "python"))
    return set(parts["PART"]), set(versions["VERSION"])


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: str(path.relative_to(ROOT)))
def test_pipelines_are_valid(path: Path) -> None:
    """Ours, and those that users copy."""
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[path], str(path))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=lambda path: path.name)
def test_pipelines_run_every_part(path: Path) -> None:
    """What `.ci/run` runs one after the other is a job each, and nothing else is."""
    parts, versions = matrices(path)

    assert parts | {f"python:{version}" for version in versions} == set(run("bash", ".ci/run", "help").stdout.split())


def test_only_what_is_tried_is_declared() -> None:
    """The classifiers name the versions that `.ci/run` tries, the oldest one is required, and ruff writes for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    parts = run("bash", ".ci/run", "help").stdout.split()
    oldest = min(declared_versions(), key=lambda version: int(version.partition(".")[2]))

    assert {part.partition(":")[2] for part in parts if part.startswith("python:")} == declared_versions()
    assert project["project"]["requires-python"] == f">={oldest}"
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_actions_are_pinned() -> None:
    """A tag of an action can be moved, and a commit cannot."""
    used = re.findall(r"uses: (\S+)( # v\S+)?", GITHUB.read_text("utf-8"))

    assert used
    assert [name for name, version in used if not (re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) and version)] == []


def test_a_part_that_is_none_is_refused() -> None:
    """A misspelt part is no success."""
    done = run("bash", ".ci/run", "tets")

    assert done.returncode == 2
    assert "no part tets" in done.stderr
