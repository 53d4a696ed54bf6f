"""`by: pushed` where a backend's listing tells when a manifest was pushed, and why not where none does."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, built_image, put_image
from tests.cli.command import Result, tags
from tests.integration.test_extensions import Extend, Run, plugged
from tests.support.extensions import printed

__all__ = ["plugged"]
LISTING = SandboxSettings(auth=Auth.NONE, lists_manifests=True)
NEVER = "2020-01-01T00:00:00Z"  # when every image was built


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A registry that lists its manifests, with images that were all built on one day."""
    async with Sandbox(LISTING) as sandbox:
        for number, tag in enumerate(("a", "b", "c", "keep")):
            put_image(sandbox.store, "team/app", [tag], built_image({"created": NEVER, "number": number}))
        yield sandbox


def backend(times: str, facts: str = "frozenset({Fact.PUSHED, Fact.UNTAGGED})") -> str:
    """CONTRIBUTING's backend, with the times of a JSON file, by digest."""
    source = printed("A registry's own way of doing things")[0]
    return (
        source.replace('one["mediaType"])', 'one["mediaType"], None, pushed(name))')
        .replace('lambda host: host.startswith("registry.example.com")', "lambda host: True")
        .replace("ExampleRegistry)\n", f"ExampleRegistry, facts={facts})\n")
        .replace(
            "class ExampleRegistry",
            "def pushed(name):\n"
            f"    told = json.load(open({times!r})).get(name)\n"
            "    return datetime.fromisoformat(told) if told else None\n\n\n"
            "class ExampleRegistry",
        )
        .replace("from bulkrm.model.digest", "import json\nfrom datetime import datetime\n\n"
                 "from bulkrm.selection.selector import Fact\nfrom bulkrm.model.digest", 1)
    )  # fmt: skip


def told(sandbox: Sandbox, folder: Path, times: Mapping[str, str]) -> str:
    """Write when the images of some tags were pushed; return the name of the file."""
    found = {str(sandbox.store.digest_of("team/app", tag)): time for tag, time in times.items()}
    (folder / "times.json").write_text(json.dumps(found))
    return str(folder / "times.json")


async def delete(run: Run, folder: Path, entry: str) -> Result:
    """Run over one entry of a list."""
    (folder / "images.yaml").write_text(f"- {{{entry}}}\n")
    return await run("-f", str(folder / "images.yaml"), "-y", "-o", "json")


OLD, NEW = "2021-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"


async def test_age_by_the_time_of_the_push(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """What was pushed long ago goes; what was pushed since, or at a time that nobody knows, stays."""
    recent = "2026-01-01T00:00:00+00:00"
    run = plugged("bulkrm.backends", backend(told(sandbox, tmp_path, {"a": OLD, "b": recent, "keep": OLD})))

    result = await delete(run, tmp_path, f"image: '{sandbox.host}/team/app:[abc]', older-than: 2023-01-01, by: pushed")

    assert result.code == 0
    assert tags(sandbox) == {"b", "c", "keep"}
    assert [image["reason"] for image in result.images] == [None, "too-young", "no-date"]
    assert "pushed 2026-01-01T00:00:00Z" in result.images[1]["because"]
    assert not [request for request in sandbox.log if "/blobs/" in request.path], "no configuration is needed"


async def test_newest_by_the_time_of_the_push(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """The image that was pushed last is the newest, whatever was built last."""
    times = {"a": "2023-01-01T00:00:00+00:00", "b": OLD, "c": "2022-01-01T00:00:00+00:00"}
    run = plugged("bulkrm.backends", backend(told(sandbox, tmp_path, times)))

    result = await delete(run, tmp_path, f"image: '{sandbox.host}/team/app:[abc]', keep-newest: 1, by: pushed")

    assert tags(sandbox) == {"a", "keep"}
    assert [image["reason"] for image in result.images] == ["newest", None, None]


async def test_plan_and_apply(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """A plan that was made by the time of the push is judged again by it: an image that was pushed anew stays."""
    run = plugged("bulkrm.backends", backend(told(sandbox, tmp_path, {"a": OLD, "b": OLD})))
    (tmp_path / "images.yaml").write_text(
        f"- {{image: '{sandbox.host}/team/app:[ab]', older-than: 2023-01-01, by: pushed}}\n"
    )
    plan = str(tmp_path / "plan.json")
    planned = await run("plan", "-f", str(tmp_path / "images.yaml"), "--out", plan)
    told(sandbox, tmp_path, {"a": OLD, "b": "2026-01-01T00:00:00+00:00"})

    result = await run("apply", plan, "-y", "-o", "json")

    assert planned.code == 0
    assert tags(sandbox) == {"b", "c", "keep"}
    assert [image["reason"] for image in result.images] == [None, "too-young"]


@pytest.mark.parametrize(
    ("condition", "facts", "message"),
    [
        ("by: pushed", "frozenset()", "by: pushed: the registry protocol does not tell when"),
        ("untagged: true", "frozenset()", "untagged: manifests without a tag cannot be listed"),
        ("untagged: true", "frozenset({Fact.UNTAGGED})", "lists manifests without a tag, but not which of them belong"),
    ],
)
async def test_what_the_backend_does_not_tell(
    sandbox: Sandbox, plugged: Extend, tmp_path: Path, condition: str, facts: str, message: str
) -> None:
    """A condition that the backend cannot meet is bad usage, which says why, and nothing is sent."""
    run = plugged("bulkrm.backends", backend(told(sandbox, tmp_path, {}), facts))
    image = "team/app" if condition.startswith("untagged") else "team/app:*"

    result = await delete(run, tmp_path, f"image: '{sandbox.host}/{image}', older-than: 30d, {condition}")

    assert result.code == 2
    assert message in result.err
    assert sandbox.log == []


async def test_a_time_without_a_zone(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """A time that could mean several moments is none: the backend has failed, and nothing goes."""
    run = plugged("bulkrm.backends", backend(told(sandbox, tmp_path, {"a": "2021-01-01T00:00:00"})))

    result = await delete(run, tmp_path, f"image: '{sandbox.host}/team/app:[ab]', older-than: 30d, by: pushed")

    assert result.code in (1, 3)
    assert "entry point example of bulkrm.backends: its inventory has a field of a wrong type" in str(result.images)
    assert tags(sandbox) == {"a", "b", "c", "keep"}
