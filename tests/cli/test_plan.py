"""`bulkrm plan`: what would go and why, on the terminal and as a file that is the same for the same state."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bulkrm.cli.terminal.question_text import remarks
from bulkrm.codec.plan_schema import plan_schema
from bulkrm.model.settings import Strategy
from bulkrm.sandbox import (
    Auth,
    Call,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    docker_list,
    oci_image,
    oci_index,
    put_image,
)
from tests.cli.command import Command, bulkrm, fill, line_with, sent, start, tags
from tests.integration.engine import Options, delete

LIST = """\
registry: {host}
protect: ["*:latest"]
images:
  - image: team/app:pr-*
    note: merged
  - team/app:v1
  - team/app:latest
  - team/app:gone
  - team/multi:list
  - team/app:nightly-*
"""


@pytest.fixture
def filled(sandbox: Sandbox) -> Sandbox:
    """Images of every fate, and the list that names them."""
    digests = fill(sandbox, "pr-1", "pr-2", "v1", "latest")
    sandbox.store.tag("team/app", "stable", digests["v1"])
    put_image(sandbox.store, "team/multi", ["list"], docker_list(1))
    put_image(sandbox.store, "team/multi", ["other"], oci_index(5))
    Path("images.yaml").write_text(LIST.format(host=sandbox.host))
    return sandbox


def written() -> dict[str, Any]:
    """The plan on disk."""
    return dict(json.loads(Path("plan.json").read_text()))


def test_nothing_is_deleted(run: Command, filled: Sandbox) -> None:
    """A plan shows what goes and what stays, sends no DELETE, and exits as the run would."""
    result = run("plan", "-f", "images.yaml", "--out", "plan.json")

    assert result.code == 3
    assert sent(filled) == []
    assert tags(filled) == {"pr-1", "pr-2", "v1", "latest", "stable"}
    for text in ("pr-1", "pr-2", "shared", "stable", "protected", "*:latest", "nightly-*"):
        assert text in result.out
    assert result.out.splitlines()[-1].startswith("Plan: 3 manifests to delete")


@pytest.mark.usefixtures("filled")
def test_the_file_is_valid(run: Command) -> None:
    """Real plans fit the published schema."""
    run("plan", "-f", "images.yaml", "--out", "plan.json")
    jsonschema.validate(written(), plan_schema())
    run("plan", "-f", "images.yaml", "--out", "plan.json", "-r", "--shared", "untag", "--max-delete", "50%", "--verify")
    jsonschema.validate(written(), plan_schema())

    assert written()["version"] == 1


def test_the_published_schema() -> None:
    """configs/plan.schema.json is the schema of this version."""
    published = Path(__file__).parents[2] / "configs/plan.schema.json"

    assert json.loads(published.read_text()) == plan_schema()


def test_the_same_state_gives_the_same_bytes(run: Command, filled: Sandbox) -> None:
    """Two plans of the same state are equal byte for byte; one of another state differs."""
    first = run("plan", "-f", "images.yaml", "--out", "one.json")
    run("plan", "-f", "images.yaml", "--out", "two.json", "-c", "1")

    assert first.code == 3
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()
    filled.store.tag("team/app", "new", filled.store.digest_of("team/app", "pr-1") or "")
    run("plan", "-f", "images.yaml", "--out", "two.json")
    assert Path("one.json").read_bytes() != Path("two.json").read_bytes()


def test_what_can_be_freed(run: Command, sandbox: Sandbox) -> None:
    """The bytes are those of the manifests and of their blobs, each once."""
    images = [oci_image(number) for number in (1, 2)]
    for number, image in enumerate(images):
        put_image(sandbox.store, "team/app", [f"pr-{number}"], image)
    blobs = {blob for image in images for blob in image.blobs}
    expected = sum(map(len, blobs)) + sum(len(image.content) for image in images)

    run("plan", f"{sandbox.host}/team/app:pr-*", "--out", "plan.json")

    assert written()["totals"]["bytes_freed_at_most"] == expected


@pytest.mark.usefixtures("filled")
def test_the_report_of_a_plan(run: Command) -> None:
    """`-o json` is the report of a dry run; --report writes one as well."""
    result = run("plan", "-f", "images.yaml", "-o", "json", "--report", "jsonl=report.jsonl")

    assert result.report["run"]["dry_run"] is True
    assert result.report["summary"]["would_delete"] == 3
    assert len(Path("report.jsonl").read_text().splitlines()) == 8


@pytest.mark.parametrize("out", ["no/such/folder/plan.json", "."])
def test_a_file_that_cannot_be_written(run: Command, filled: Sandbox, out: str) -> None:
    """That is found out before anything is sent."""
    result = run("plan", "-f", "images.yaml", "--out", out)

    assert result.code == 2
    assert "--out" in result.err
    assert "Nothing was attempted." in result.err
    assert filled.log == []


async def test_a_plan_that_is_stopped_is_not_written(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves the file of the last plan as it was."""
    started, end = asyncio.Event(), asyncio.Event()

    async def enforce_limit(_: ServerRequest) -> None:
        started.set()
        await end.wait()

    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "a")
        sandbox.faults.add(Call(enforce_limit), path="manifests/a", times=None)
        out = tmp_path / "plan.json"
        out.write_text("the last plan")
        process = await start("plan", f"{sandbox.host}/team/app:a", "--out", str(out))
        await started.wait()
        process.send_signal(signal.SIGINT)
        await line_with("was not written", process)
        code = await process.wait()
        end.set()

    assert code == 130
    assert out.read_text() == "the last plan"


async def test_help() -> None:
    """Both commands have their own help, which fits into 80 columns."""
    for command in ("plan", "apply"):
        result = await bulkrm(command, "--help", env={"COLUMNS": "80"})

        assert f"Usage: bulkrm {command}" in result.out
        assert [line for line in result.out.splitlines() if len(line) > 80] == []


def test_a_dry_run_says_what_it_would_send(run: Command, sandbox: Sandbox) -> None:
    """The number of requests, and the order where it is not by digest."""
    fill(sandbox, *(f"pr-{number}" for number in range(5)))

    plain = run(f"{sandbox.host}/team/app:pr-*", "-n")
    first = run(f"{sandbox.host}/team/app:pr-*", "-n", "--strategy", "tags-first", "--allow-decoy")

    assert "The run would send 5 requests to delete.\n" in plain.out
    assert "The run would send 17 requests to delete: a decoy over all tags in 1 repository.\n" in first.out


async def test_the_question_tells_of_a_decoy() -> None:
    """Whoever is asked hears that something is pushed."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "pr-1", "pr-2")
        done = await delete(
            sandbox.host, "- team/app:pr-*", Options(strategy=Strategy.TAGS_FIRST, allow_decoy=True, dry_run=True)
        )

    assert done.plan is not None
    assert "In 1 repository the tags go first, by an empty index that is pushed over them" in " ".join(
        remarks(done.plan)
    )
