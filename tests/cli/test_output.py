"""Reports: what goes to standard output, what to files, what to standard error."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest, docker_list, put_image
from tests.cli.command import Command, Result, bulkrm, fill, sent, served, tags
from tests.support.amounts import amounts

IMAGE_KEYS = [
    "image", "status", "digest", "media_type", "also_removed", "reason", "because", "error", "hint", "note", "source",
    "parent",
]  # fmt: skip
STATUSES = [
    "deleted", "untagged", "would_delete", "would_untag", "restored", "would_restore", "unchanged", "absent", "kept", "failed", "not_attempted", "no_match",
]  # fmt: skip


@pytest.fixture
def mixed(sandbox: Sandbox) -> Sandbox:
    """A registry in which a list meets every status that one run can have."""
    digests = fill(sandbox, "a", "b", "shared", "latest", "broken")
    sandbox.store.tag("team/app", "other", digests["shared"])
    put_image(sandbox.store, "team/multi", ["list"], docker_list(1))
    sandbox.faults.add(Reply(400), method="DELETE", path=digests["broken"], times=None)
    return sandbox


def list_of(sandbox: Sandbox) -> str:
    """Write the list; return its name."""
    names = ["app:a", "app:b", "app:shared", "app:latest", "app:broken", "app:gone", "multi:list", "app:pr-*"]
    lines = "".join(f"  - team/{name}\n" for name in names)
    Path("images.yaml").write_text(f'registry: {sandbox.host}\nprotect: ["*:latest"]\nimages:\n{lines}')
    return "images.yaml"


@pytest.fixture
def result(run: Command, mixed: Sandbox) -> Result:
    """What the JSON report says of it."""
    return run("-f", list_of(mixed), "-o", "json")


def test_schema_of_the_json_report(result: Result) -> None:
    """The report has the fields of the contract, every image all keys, and the summary adds up."""
    report = result.report

    assert result.code == 1
    assert list(report) == ["schema", "run", "summary", "requests", "orphans", "verification", "images"]
    assert report["schema"] == 1
    assert sorted(report["run"]) == ["dry_run", "id", "seconds", "started", "version"]
    assert report["run"]["dry_run"] is False
    assert report["run"]["started"].endswith("Z")
    assert list(report["summary"]) == STATUSES
    assert sum(report["summary"].values()) == len(report["images"]) == 8
    assert [list(image) for image in report["images"]] == [IMAGE_KEYS] * 8
    assert sorted(report["requests"]) == ["registry", "token"]


def test_images_of_the_json_report(result: Result, mixed: Sandbox) -> None:
    """Each image has its status, reason, error and source, in the order of the list."""
    images = {image["image"].removeprefix(f"{mixed.host}/team/"): image for image in result.images}

    assert [image["source"] for image in result.images] == [f"images.yaml:{line}" for line in range(4, 12)]
    assert {name: image["status"] for name, image in images.items()} == {
        "app:a": "deleted",
        "app:b": "deleted",
        "app:shared": "kept",
        "app:latest": "kept",
        "app:broken": "failed",
        "app:gone": "absent",
        "multi:list": "deleted",
        "app:pr-*": "no-match",
    }
    assert (images["app:shared"]["reason"], images["app:shared"]["because"]) == (
        "shared",
        [f"{mixed.host}/team/app:other"],
    )
    assert (images["app:latest"]["reason"], images["app:latest"]["because"]) == ("protected", ["*:latest"])
    assert images["app:broken"]["error"] == {"code": "refused", "message": "HTTP 400", "status": 400}
    assert images["app:broken"]["hint"]
    assert images["app:a"]["digest"].startswith("sha256:")
    assert images["multi:list"]["media_type"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert images["app:gone"]["digest"] is None
    assert tags(mixed) == {"shared", "other", "latest", "broken"}


def test_also_removed(run: Command, sandbox: Sandbox) -> None:
    """`also_removed` names the unlisted tags that went along, and is null where they were not read."""
    for repository in ("team/seen", "team/unseen"):
        digest = fill(sandbox, "a", repository=repository)["a"]
        sandbox.store.tag(repository, "z", digest)

    seen = run(f"{sandbox.host}/team/seen:a", "--shared", "delete", "-o", "json")
    unseen = run(f"{sandbox.host}/team/unseen:a", "--shared", "delete-unseen", "-o", "json")

    assert seen.images[0]["also_removed"] == [f"{sandbox.host}/team/seen:z"]
    assert unseen.images[0]["also_removed"] is None
    assert [request.path for request in sandbox.log if "unseen/tags/list" in request.path] == []


def test_dry_run(run: Command, mixed: Sandbox) -> None:
    """-n gives the decisions of the run, its exit code as far as it can be known, and sends no DELETE."""
    result = run("-f", list_of(mixed), "-n", "-o", "json")

    assert result.code == 3
    assert result.report["run"]["dry_run"] is True
    assert result.report["summary"] == {
        **dict.fromkeys(STATUSES, 0),
        "untagged": 0,
        "would_delete": 4,
        "would_untag": 0,
        "kept": 2,
        "absent": 1,
        "no_match": 1,
    }
    assert sent(mixed) == []


def test_text(run: Command, mixed: Sandbox) -> None:
    """The table has one line for each image with its full name, then hints, then the totals."""
    result = run("-f", list_of(mixed))

    lines = result.out.splitlines()
    names = [f"{mixed.host}/team/{name}" for name in ("app:a", "app:b", "app:shared", "app:latest", "app:broken")]
    assert [line.split()[:2] for line in lines[:5]] == [
        [status, name] for status, name in zip(["deleted", "deleted", "kept", "kept", "failed"], names, strict=True)
    ]
    assert f"shared: {mixed.host}/team/app:other" in lines[2]
    assert any(line.startswith("hint for shared (1 image): ") for line in lines)
    assert any("garbage-collect" in line for line in lines)
    assert lines[-1].startswith("8 images: 3 deleted, 1 absent, 2 kept, 1 failed, 1 no-match. ")


def test_no_word_of_garbage_where_nothing_went(run: Command, sandbox: Sandbox) -> None:
    """The line about garbage collection comes only after something was deleted."""
    fill(sandbox, "a")

    assert "garbage-collect" not in run(f"{sandbox.host}/team/app:gone").out
    assert "garbage-collect" not in run(f"{sandbox.host}/team/app:a", "-n").out
    assert "garbage-collect" in run(f"{sandbox.host}/team/app:a").out


@pytest.mark.parametrize("number", amounts("BULKRM_TEST_LINES", 2_000, 10_000))
def test_thousands_of_lines_in_a_pipe(number: int, run: Command, sandbox: Sandbox) -> None:
    """In a pipe every image is one line with its full name, also 10,000 of them, longer than any terminal."""
    name = f"team/{'deep/' * 20}app"
    images = [f"{sandbox.host}/{name}:{'x' * 60}-{line:05}" for line in range(number)]
    Path("images.yaml").write_text("".join(f"- {image}\n" for image in images))

    result = run("-f", "images.yaml", "--shared", "delete-unseen", "-n", "-q")

    lines = result.out.splitlines()
    assert [line.split()[1] for line in lines[:number]] == images
    assert {line.split()[0] for line in lines[:number]} == {"absent"}
    assert lines[number : number + 1] == [""]
    assert lines[-1].startswith(f"{number:,} images: {number:,} absent. ")


def test_jsonl(run: Command, mixed: Sandbox) -> None:
    """A line for each image as its outcome is known, the same objects as in the JSON report, then the summary."""
    lines = [json.loads(line) for line in run("-f", list_of(mixed), "-o", "jsonl").out.splitlines()]

    assert [list(line) for line in lines[:-1]] == [IMAGE_KEYS] * 8
    assert list(lines[-1]) == ["summary", "run", "requests", "orphans", "verification"]
    assert sum(lines[-1]["summary"].values()) == 8
    # What is decided without a DELETE is known first.
    known = [line["status"] for line in lines[:4]]
    assert sorted(known) == ["absent", "kept", "kept", "no-match"]


def test_jsonl_comes_as_it_happens(run: Command, sandbox: Sandbox) -> None:
    """An outcome is on the way out before the next DELETE is answered."""
    fill(sandbox, *"abc")
    seen: list[int] = []
    file = Path("report.jsonl")

    async def look(_: ServerRequest) -> None:
        seen.append(len(file.read_text().splitlines()))  # noqa: ASYNC240 (a small file)

    sandbox.faults.add(Call(look), method="DELETE", times=None)

    result = run(f"{sandbox.host}/team/app:*", "-c", "1", "--report", f"jsonl={file}")

    assert result.code == 0
    assert seen == [0, 1, 2]


def test_reports_into_files(run: Command, mixed: Sandbox) -> None:
    """--report may be repeated; each file has its format, and standard output has its own."""
    options = [f"--report={kind}=out.{kind}" for kind in ("json", "jsonl", "text")]

    result = run("-f", list_of(mixed), *options)

    report = json.loads(Path("out.json").read_text())
    by_line = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    key: Any = lambda image: image["image"]  # noqa: E731
    assert sorted(by_line[:-1], key=key) == sorted(report["images"], key=key)
    assert by_line[-1] == {name: report[name] for name in by_line[-1]}
    assert {"summary", "run", "requests"} <= by_line[-1].keys()
    assert Path("out.text").read_text() == result.out


def test_report_file_is_there_before_anything_is_sent(run: Command, sandbox: Sandbox) -> None:
    """The file of --report is open before the first request."""
    fill(sandbox, "a")
    there: list[bool] = []

    async def look(_: ServerRequest) -> None:
        there.append(Path("report.json").exists())  # noqa: ASYNC240 (as above)

    sandbox.faults.before = look

    run(f"{sandbox.host}/team/app:a", "--report", "json=report.json")

    assert set(there) == {True}


def test_unwritable_report(run: Command, sandbox: Sandbox) -> None:
    """A file that cannot be written is bad usage, and a good one beside it does not change that."""
    fill(sandbox, "a")
    Path("folder").mkdir()

    result = run(f"{sandbox.host}/team/app:a", "--report", "json=good.json", "--report", "json=folder")

    assert result.code == 2
    assert "folder cannot be written" in result.err
    assert sandbox.log == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["-h", "check -h", "schema", "help", "help resume", "--version", "--version -q"])
def test_text_that_cannot_be_written(words: str) -> None:
    """Where standard output is full, a command that only prints says so and fails."""
    command = [sys.executable, "-m", "bulkrm", *words.split()]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, text=True)  # noqa: S603 (no input)

    assert result.returncode == 1
    assert result.stderr == "bulkrm: standard output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_lost_report_is_a_failure(run: Command, sandbox: Sandbox) -> None:
    """Also where a safety rule kept something, which alone would be 3."""
    digests = fill(sandbox, "a")
    sandbox.store.tag("team/app", "other", digests["a"])

    result = run(f"{sandbox.host}/team/app:a", "--report", "json=/dev/full")

    assert result.code == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(run: Command, sandbox: Sandbox) -> None:
    """A report that cannot be written to its end does not stop the deletions, but is said and fails the run."""
    fill(sandbox, *"abc")

    result = run(f"{sandbox.host}/team/app:*", "--report", "jsonl=/dev/full", "-o", "json")

    assert result.code == 1
    assert "the report is not complete: /dev/full: No space left on device" in result.err
    assert result.report["summary"]["deleted"] == 3
    assert tags(sandbox) == set()


def test_quiet(run: Command, mixed: Sandbox) -> None:
    """-q leaves standard error empty, warnings included; the report is the same."""
    result = run("-f", list_of(mixed), "-q", "-o", "json")

    assert result.err == ""
    assert len(result.images) == 8


def test_progress_in_a_pipe(run: Command, mixed: Sandbox) -> None:
    """Without a terminal the progress is a line for each phase, on standard error only."""
    result = run("-f", list_of(mixed), "-o", "json")

    phases = [line for line in result.err.splitlines() if not line.startswith("warning")]
    assert "Resolving images: 7" in phases
    assert "Deleting manifests: 4" in phases
    assert "\x1b" not in result.err + result.out


def test_progress_counts_what_it_names(run: Command) -> None:
    """Where tags go first they are counted by themselves: 30 images are 30 manifests, and not 60."""
    with served(SandboxSettings(auth=Auth.NONE, tag_deletes=True)) as sandbox:
        fill(sandbox, *(f"t{number:02}" for number in range(30)))

        result = run(f"{sandbox.host}/team/app:*", "--strategy", "tags-first")

    assert result.code == 0
    assert "Removing tags: 30" in result.err.splitlines()
    assert "Deleting manifests: 30" in result.err.splitlines()


# Exit codes


@pytest.mark.parametrize(
    ("images", "code"),
    [
        (["a", "gone"], 0),
        (["latest"], 0),
        (["pr-*"], 0),
        (["a", "shared"], 3),
        (["a", "broken", "shared"], 1),
        (["not ok"], 2),
    ],
)
def test_exit_codes(run: Command, mixed: Sandbox, images: list[str], code: int) -> None:
    """0 all as asked, 1 something failed, 2 bad usage, 3 something was kept by a safety rule: the first of 2, 1, 3, 0."""
    result = run(*(f"{mixed.host}/team/app:{image}" for image in images), "--protect", "*:latest")

    assert result.code == code


@pytest.mark.parametrize(("limit", "code"), [("2", 3), ("3", 0), ("49%", 3), ("75%", 0), ("0", 3)])
def test_max_delete(run: Command, sandbox: Sandbox, limit: str, code: int) -> None:
    """--max-delete deletes nothing at all where more would disappear: here 3 tags of 4."""
    fill(sandbox, *"abc", "stays")

    result = run(*(f"{sandbox.host}/team/app:{tag}" for tag in "abc"), "--max-delete", limit, "-o", "json")

    assert result.code == code
    assert {(image["status"], image["reason"]) for image in result.images} == (
        {("kept", "limit")} if code else {("deleted", None)}
    )
    assert len(tags(sandbox)) == (4 if code else 1)


def test_fail_fast(run: Command, sandbox: Sandbox) -> None:
    """--fail-fast starts nothing more after the first failure; the rest is not attempted."""
    digests = fill(sandbox, *(f"t{number:02}" for number in range(20)))
    sandbox.faults.add(Reply(400), method="DELETE", path=digests["t03"], times=None)

    result = run(*(f"{sandbox.host}/team/app:{tag}" for tag in digests), "-c", "1", "--fail-fast", "-o", "json")

    assert result.code == 1
    assert [image["status"] for image in result.images] == ["deleted"] * 3 + ["failed"] + ["not-attempted"] * 16
    assert {image["reason"] for image in result.images[4:]} == {"fail-fast"}
    assert len(sent(sandbox)) == 4


def test_fail_fast_before_the_first_deletion(run: Command, sandbox: Sandbox) -> None:
    """An image that cannot even be read stops a --fail-fast run before anything is deleted."""
    fill(sandbox, *"abc")
    sandbox.faults.add(Reply(400), method="GET", path="/manifests/b", times=None)

    result = run(*(f"{sandbox.host}/team/app:{tag}" for tag in "abc"), "-c", "1", "--fail-fast", "-o", "json")

    assert result.code == 1
    assert [image["status"] for image in result.images] == ["not-attempted", "failed", "not-attempted"]
    assert sent(sandbox) == []


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
async def test_narrow_encoding(output: str) -> None:
    """A note that the output's encoding cannot express neither stops the run nor costs the report."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "a", "b")
        text = f"- {{image: '{sandbox.host}/team/app:a', note: 期限切れ}}\n- {sandbox.host}/team/app:b\n"

        result = await bulkrm(
            "-f", "-", "-o", output, stdin=text.encode(), env={"PYTHONIOENCODING": "latin-1"}, afresh=True
        )

        assert tags(sandbox) == set()
    assert "Traceback" not in result.err
    assert result.code == 0
    assert "team/app:b" in result.out


def test_many_repositories_that_are_not_there(run: Command, sandbox: Sandbox) -> None:
    """A list of many absent repositories is warned of twenty times; the report has every one of them."""
    result = run(*(f"{sandbox.host}/none-{number}:1" for number in range(50)), "-o", "json")

    warnings = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 21
    assert warnings[-1] == "warning: 30 more such warnings; the report has every one"
    assert len(result.images) == 50
