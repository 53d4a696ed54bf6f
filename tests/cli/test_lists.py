"""List files: where they come from, and all their mistakes with their lines."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from bulkrm.sandbox import Sandbox
from tests.cli.command import Command, fill, tags

MISTAKES = """\
registry: {host}
protects: ["*:latest"]
protect: ["app"]
images:
  - team/app:1.0
  - team/app
  - team/App:1
  - image: team/app
    tags: [ok, "not ok"]
  - image: team/app:pr-*
    exclud: ["*-keep"]
  - {{image: team/app, tags: []}}
  - team/app: 1.0
  - "team/app:[z"
"""
LONG_FORM = """\
registry: registry.example.com
protect: ["*:latest", "**/prod-*:*"]
images:
  - team/app:pr-*
  - image: team/*:nightly-*
    exclude: ["*-keep"]
    note: nightlies older than a month
  - image: team/app
    tags: [1.10, 012, on]
"""


def test_every_mistake_with_its_line(run: Command, sandbox: Sandbox) -> None:
    """A list with mistakes is answered with each of them, its line and column; nothing is sent."""
    fill(sandbox, "1.0")
    Path("images.yaml").write_text(MISTAKES.format(host=sandbox.host))

    result = run("-f", "images.yaml", "-y")

    lines = [int(line.split(":")[2]) for line in result.err.splitlines() if line.startswith("bulkrm: images.yaml:")]
    assert result.code == 2
    assert sorted(set(lines)) == [2, 3, 6, 7, 9, 11, 12, 13, 14]
    assert "did you mean protect?" in result.err
    assert result.err.endswith("Nothing was attempted.\n")
    assert sandbox.log == []
    assert tags(sandbox) == {"1.0"}


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("", "1:1", "an empty file"),
        ("[]\n", "1:1", "an empty list"),
        ("just text\n", "1:1", "has blanks in it"),
        ("images:\n  - {host}/a:1\nimages:\n  - {host}/a:2\n", "3:1", "images"),
        ("- &x {host}/a:1\n- *x\n", "1:3", "anchor"),
        ("- {host}/a:1\n---\n- {host}/a:2\n", "3:1", "a second document"),
        ("- {host}/a:1\n  - wrong\n\t- tab\n", "", "images.yaml:"),
        ("- app:1\n", "1:3", "does not name its registry"),
        ("- {host}/team/app\n", "1:3", "neither a tag nor a digest"),
        ("registry: {host}\n", "1:1", "no `images:`"),
        ('{{"format": "bulkrm-plan", "version": 1}}', "1:2", "`bulkrm apply images.yaml`"),
        ("shared: delete\nimages: [{host}/a:1]\n", "1:1", "unknown key"),
    ],
)
def test_one_mistake(run: Command, sandbox: Sandbox, text: str, place: str, word: str) -> None:
    """Each kind of mistake is an error at its place."""
    Path("images.yaml").write_text(text.format(host=sandbox.host))

    result = run("-f", "images.yaml")

    assert result.code == 2
    assert f"bulkrm: images.yaml:{place}" in result.err
    assert word in result.err
    assert sandbox.log == []


def test_standard_input(run: Command, sandbox: Sandbox) -> None:
    """`-f -` reads the list from standard input, and its sources are called `-`."""
    fill(sandbox, "1.0", "2.0")

    result = run("-f", "-", "-o", "json", stdin=f"- {sandbox.host}/team/app:1.0\n".encode())

    assert (result.code, result.images[0]["source"]) == (0, "-:1")
    assert tags(sandbox) == {"2.0"}


def test_files_globs_and_arguments_together(run: Command, sandbox: Sandbox) -> None:
    """Several files, a glob of files and arguments make one run, in this order: arguments, then files."""
    fill(sandbox, *"abcdef")
    Path("lists").mkdir()
    Path("lists/2.yaml").write_text(f"- {sandbox.host}/team/app:c\n")
    Path("lists/1.yaml").write_text(f"# a remark\n- {sandbox.host}/team/app:b\n- {sandbox.host}/team/app:a\n")
    Path("more.yaml").write_text(f"registry: {sandbox.host}\nimages: [team/app:d]\n")

    result = run(f"{sandbox.host}/team/app:e", "-f", "lists/*.yaml", "-f", "more.yaml", "-o", "json")

    assert [(image["image"][-1], image["source"]) for image in result.images] == [
        ("e", "argument 1"),
        ("b", "lists/1.yaml:2"),
        ("a", "lists/1.yaml:3"),
        ("c", "lists/2.yaml:1"),
        ("d", "more.yaml:2"),
    ]
    assert tags(sandbox) == {"f"}


def test_long_form(run: Command, sandbox: Sandbox) -> None:
    """`registry`, `protect`, `exclude`, `tags` and `note` do what they say."""
    fill(sandbox, "pr-1", "pr-2-keep", "1.10", "1.1", "latest", "nightly")
    Path("images.yaml").write_text(
        f"registry: {sandbox.host}\n"
        'protect: ["*:latest"]\n'
        "images:\n"
        "  - image: team/app:pr-*\n"
        '    exclude: ["*-keep"]\n'
        "    note: merged\n"
        "  - {image: team/app, tags: [1.10, latest]}\n"
        "  - '*/app:night*'\n"
    )

    result = run("-f", "images.yaml", "-o", "json")

    assert result.code == 0
    assert result.statuses == {
        "team/app:pr-1": "deleted",
        "team/app:1.10": "deleted",
        "team/app:latest": "kept",
        "team/app:nightly": "deleted",
    }
    assert [(image["source"], image["note"]) for image in result.images] == [
        ("images.yaml:4", "merged"),
        ("images.yaml:7", None),
        ("images.yaml:7", None),
        ("images.yaml:8", None),
    ]
    assert result.images[2]["because"] == ["*:latest"]
    assert tags(sandbox) == {"pr-2-keep", "1.1", "latest"}


def test_an_image_named_twice(run: Command, sandbox: Sandbox) -> None:
    """It appears once, with the first source, and is deleted once."""
    fill(sandbox, "1.0", "1.1")
    Path("images.yaml").write_text(f"- {sandbox.host}/team/app:1.1\n- {sandbox.host}/team/app:1.*\n" * 2)

    result = run("-f", "images.yaml", "-o", "json")

    assert [(image["image"][-3:], image["source"]) for image in result.images] == [
        ("1.1", "images.yaml:1"),
        ("1.0", "images.yaml:2"),
    ]
    assert result.report["summary"]["deleted"] == 2


def test_patterns_that_choose_nothing(run: Command, sandbox: Sandbox) -> None:
    """A pattern without a match is `no-match` with a warning, and no failure; so is an unused protection a warning."""
    fill(sandbox, "1.0")

    result = run(f"{sandbox.host}/team/app:pr-*", "--protect", "*:latest", "-o", "json")

    assert (result.code, result.statuses) == (0, {"team/app:pr-*": "no-match"})
    assert f"warning: argument 1: the pattern {sandbox.host}/team/app:pr-* chose nothing" in result.err


def test_unused_protection(run: Command, sandbox: Sandbox) -> None:
    """A protect pattern that matches nothing is a warning: it may be misspelt."""
    fill(sandbox, "1.0")

    result = run(f"{sandbox.host}/team/app:1.0", "--protect", "*:lastet")

    assert result.code == 0
    assert "warning: the protect pattern *:lastet matches no tag" in result.err


def test_repository_globs(run: Command, sandbox: Sandbox) -> None:
    """A glob of repositories goes through the catalog; `*` stops at a slash, `**` crosses it."""
    for repository in ("team/a", "team/b", "team/deep/c", "other/d"):
        fill(sandbox, "old", "new", repository=repository)

    one = run(f"{sandbox.host}/team/*:old", "-o", "json")
    two = run(f"{sandbox.host}/team/**:old", "-o", "json")

    assert one.statuses == {"team/a:old": "deleted", "team/b:old": "deleted"}
    assert two.statuses == {"team/deep/c:old": "deleted"}
    assert tags(sandbox, "other/d") == {"old", "new"}


def test_the_schema_fits_the_examples(run: Command) -> None:
    """What `bulkrm schema` prints accepts both forms of the documentation and refuses unknown keys."""
    schema = json.loads(run("schema").out)
    good = [
        "- registry.example.com/team/app:pr-41\n- registry.example.com/team/app:pr-*\n",
        LONG_FORM,
    ]
    bad = ["[]", "images: []", "shared: delete\nimages: [a/b:1]", "images: [{tags: [a]}]", "- [a]", "images: 3"]

    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    assert [text for text in good if not validator.is_valid(yaml.safe_load(text))] == []
    assert [text for text in bad if validator.is_valid(yaml.safe_load(text))] == []


def test_shared_digest_in_the_list(run: Command, sandbox: Sandbox) -> None:
    """Two listed tags on one digest take one DELETE and have two outcomes."""
    digest = fill(sandbox, "a")["a"]
    sandbox.store.tag("team/app", "b", digest)
    Path("images.yaml").write_text(f"- {sandbox.host}/team/app:a\n- {sandbox.host}/team/app:b\n")

    result = run("-f", "images.yaml", "-o", "json")

    assert result.statuses == {"team/app:a": "deleted", "team/app:b": "deleted"}
    assert [request.path for request in sandbox.log if request.method == "DELETE"] == [
        f"/v2/team/app/manifests/{digest}"
    ]


def test_a_repository_nobody_knows(run: Command, sandbox: Sandbox) -> None:
    """An unknown repository is absent with the reason, and a warning, for it may be misspelt."""
    fill(sandbox, "1", repository="team/other")

    result = run(f"{sandbox.host}/taem/app:1", "-o", "json")

    assert (result.code, result.images[0]["status"], result.images[0]["reason"]) == (0, "absent", "no-repository")
    assert "a typing error?" in result.err


@pytest.mark.parametrize("name", ["/dev/zero", "-"])
def test_a_list_without_end(name: str) -> None:
    """A device that never ends is read as far as a list may be large, and refused."""
    # The memory is limited, so that a command which reads on fails instead of filling the machine.
    command = f'ulimit -v 4000000; exec "$0" -m bulkrm check {name} < /dev/zero'
    result = subprocess.run(["/bin/sh", "-c", command, sys.executable], capture_output=True, check=False, text=True)  # noqa: S603 (no input)

    assert result.returncode == 2
    assert f"bulkrm: {name}:1:1: larger than 268435456 bytes; cut it into several files" in result.stderr
