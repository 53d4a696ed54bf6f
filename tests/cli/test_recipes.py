"""The recipes in configs/lists, each run against a registry that has what it is about."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, built_image, put_image
from tests.cli.command import Command, served

LISTS = Path(__file__).parents[2] / "configs" / "lists"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A registry that asks for nothing."""
    with served(SandboxSettings(auth=Auth.NONE)) as sandbox:
        yield sandbox


def put(sandbox: Sandbox, images: Mapping[str, float], path: str = "team/app", label: str | None = None) -> None:
    """Put an image under each tag, so many days old."""
    for tag, days in images.items():
        created = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        config = {"created": created, "config": {"Labels": {"pipeline": label} if label else {}}}
        put_image(sandbox.store, path, [tag], built_image(config, {"tag": tag}))


def pods(*images: str) -> str:
    """What kubectl says of pods with these images."""
    items = [
        {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": image}]}} for image in images
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def deleted(run: Command, sandbox: Sandbox, folder: Path, name: str) -> set[str]:
    """Run a recipe; return what is gone, by repository and tag."""
    text = (LISTS / name).read_text().replace("registry.example.com", sandbox.host)
    (folder / name).write_text(text)
    result = run("-y", "-f", str(folder / name), "-o", "json")
    assert result.code == 0, result
    gone = {image["image"].partition("/")[2] for image in result.images if image["status"] == "deleted"}
    for image in gone:
        path, _, tag = image.rpartition(":")
        assert tag not in (sandbox.store.tags(path) or ())
    return {image.removeprefix("team/app:") for image in gone}


def test_closed_merge_requests(run: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """Old ones go, but the last five of each and what runs."""
    put(sandbox, {f"pr-1-{number}": 40 + number for number in range(8)})
    put(sandbox, {f"pr-2-{number}": number for number in range(8)})
    put(sandbox, {"main": 90})
    (tmp_path / "cluster.json").write_text(pods(f"{sandbox.host}/team/app:pr-1-7"))

    assert deleted(run, sandbox, tmp_path, "closed-merge-requests.yaml") == {"pr-1-5", "pr-1-6"}


def test_last_five_of_each_branch(run: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each branch of each repository has five images left."""
    put(sandbox, {f"main-000000{number}": number for number in range(7)})
    put(sandbox, {f"my-fix-000000{number}": number + 300 for number in range(6)})
    put(sandbox, {"v1.0": 400})

    assert deleted(run, sandbox, tmp_path, "last-five-of-each-branch.yaml") == {
        "main-0000005", "main-0000006", "my-fix-0000005",
    }  # fmt: skip


def test_old_and_unused(run: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """What is old and runs nowhere goes, as long as three images of the repository stay."""
    put(sandbox, {"a": 31, "b": 32, "c": 33, "latest": 99, "young": 1})
    put(sandbox, {"x": 50, "y": 51, "z": 52, "zz": 53}, "team/other")
    (tmp_path / "pods.json").write_text(pods(f"{sandbox.host}/team/app:a"))
    (tmp_path / "workloads.json").write_text(pods(f"{sandbox.host}/team/app:b"))

    assert deleted(run, sandbox, tmp_path, "old-and-unused.yaml") == {"c", "team/other:zz"}


def test_everything_but_releases(run: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """Releases stay, and the newest candidate."""
    put(sandbox, dict.fromkeys(["1.0", "v2.0.1", "2.1-rc.9", "2.1-rc.10", "pr-1", "nightly", "stable"], 9.0))
    put(sandbox, {"new": 0})

    assert deleted(run, sandbox, tmp_path, "everything-but-releases.yaml") == {"2.1-rc.9", "pr-1", "nightly"}


def test_before_a_migration(run: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """What is older than the date goes, but the newest ten, and what has no date."""
    put(sandbox, {f"t{number:02}": 365 * 5 + number for number in range(12)}, "team/old/app")
    put(sandbox, {"epoch": (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days}, "team/old/app")

    assert deleted(run, sandbox, tmp_path, "before-a-migration.yaml") == {"team/old/app:t10", "team/old/app:t11"}


def test_what_ci_pushed(run: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """What has the label goes, but the last one."""
    put(sandbox, {"ci-1": 3, "ci-2": 2, "ci-3": 1, "ci-4": 0}, label="nightly")
    put(sandbox, {"ci-5": 9}, label="release")
    put(sandbox, {"ci-6": 9})

    assert deleted(run, sandbox, tmp_path, "what-ci-pushed.yaml") == {"ci-1", "ci-2", "ci-3"}
