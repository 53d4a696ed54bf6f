"""What a report says is gone is gone, on every server, by the word of another client; and undo brings it back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Auth, docker_list, oci_image
from tests.integration.engine import Done, Options, delete, lost, undo
from tests.integration.resumed import resume
from tests.support.admin import many_images
from tests.support.clock import FakeClock
from tests.support.other_client import digest_of, tags_of
from tests.support.registries import CRANE, Registry, Start

APP = "a/b"
OPTIONS = Options(login=None)


@pytest.fixture
async def registry(start_registry: Start) -> AsyncIterator[Registry]:
    """One that wants no password."""
    async with start_registry(auth=Auth.NONE) as running:
        yield running


async def run(registry: Registry, text: str, options: Options = OPTIONS) -> Done:
    """Carry out a list on a clock that jumps: nobody waits for a server that takes its time."""
    return await delete(registry.host, text, replace(options, clock=FakeClock(auto=True)))


async def seen(registry: Registry, *references: str) -> list[str]:
    """Which of these tags and digests another client finds."""
    names = [f"{registry.host}/{APP}{'@' if ':' in reference else ':'}{reference}" for reference in references]
    return [reference for reference, name in zip(references, names, strict=True) if await digest_of(name) is not None]


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
async def test_deleted_is_gone(registry: Registry, strategy: Strategy) -> None:
    """Two tags on one image and one on another: all are gone, tags and digests, and what stays is whole."""
    first = await registry.admin.push(APP, oci_image(1), "v1", "v2")
    second = await registry.admin.push(APP, oci_image(2), "v3")
    await registry.admin.push(APP, oci_image(3), "latest")

    done = await run(registry, f"- {APP}:v*", replace(OPTIONS, strategy=strategy, verify=True, allow_decoy=True))

    assert set(done.statuses.values()) == {"deleted"}
    assert (done.code, await tags_of(f"{registry.host}/{APP}")) == (0, ["latest"])
    assert await seen(registry, "v1", "v2", "v3", first, second, "latest") == ["latest"]
    assert await registry.admin.pulls(APP, "latest")


async def test_shared_delete_takes_all_that_it_names(registry: Registry) -> None:
    """`also_removed` names the unlisted tag, and it is gone."""
    digest = await registry.admin.push(APP, oci_image(1), "v1", "v2")

    done = await run(registry, f"- {APP}:v1", replace(OPTIONS, shared=Shared.DELETE))

    assert done.statuses == {f"{APP}:v1": "deleted"}
    assert done.images[0]["also_removed"] == [f"{registry.host}/{APP}:v2"]
    assert await seen(registry, "v1", "v2", digest) == []


async def test_shared_refuse_keeps_all(registry: Registry) -> None:
    """An image with a tag outside the list stays, with both tags."""
    digest = await registry.admin.push(APP, oci_image(1), "v1", "v2")

    done = await run(registry, f"- {APP}:v1")

    assert done.statuses == {f"{APP}:v1": "kept shared"}
    assert await seen(registry, "v1", "v2", digest) == ["v1", "v2", digest]


async def test_an_index_with_its_children(registry: Registry) -> None:
    """With `--recursive` tag, index and children are gone."""
    image = docker_list(1)
    index = await registry.admin.push(APP, image, "multi")
    children = [child.digest for child in image.children]

    done = await run(registry, f"- {APP}:multi", replace(OPTIONS, recursive=True))

    assert set(done.statuses.values()) == {"deleted"}
    assert await seen(registry, "multi", index, *children) == []


async def test_untagged_is_gone_and_the_image_is_not(registry: Registry) -> None:
    """With `--shared untag` the listed tag goes and nothing else."""
    digest = await registry.admin.push(APP, oci_image(1), "v1", "latest")

    done = await run(registry, f"- {APP}:v1", replace(OPTIONS, shared=Shared.UNTAG, allow_decoy=True))

    assert done.statuses == {f"{APP}:v1": "untagged"}
    assert await seen(registry, "v1", "latest", digest) == ["latest", digest]


async def test_undo_looks_at_the_manifest(registry: Registry, tmp_path: Path) -> None:
    """What was deleted is put back, digest and tags; also where a tag is there and its manifest is not."""
    digest = await registry.admin.push(APP, oci_image(1), "v1", "v2")
    await run(registry, f"- {APP}:v*", replace(OPTIONS, state=tmp_path / "state"))
    assert await seen(registry, "v1", "v2", digest) == []
    if registry.kind == CRANE:
        # A tag that outlived its manifest is no reason to say that nothing is missing.
        await registry.admin.push(APP, oci_image(1), "v1")
        await registry.admin.delete(APP, digest)
        assert await seen(registry, "v1", digest) == ["v1"]

    words = await undo(lost(tmp_path / "state"), options=Options(login=None, clock=FakeClock(auto=True)))

    assert words == {"v1": "restored", "v2": "restored"}
    assert await seen(registry, "v1", "v2", digest) == ["v1", "v2", digest]


async def test_resume_says_what_is_so(registry: Registry, tmp_path: Path) -> None:
    """An interrupted run is gone on with: all is deleted, and another client finds nothing of it."""
    images = many_images(f"v{n}" for n in range(12))
    await registry.admin.push_many(APP, images)
    await registry.admin.push(APP, oci_image(99, config_seed=0), "latest")
    stop = Stop()
    heard: list[str] = []

    def interrupt(method: str, _: str) -> None:
        heard.append(method)
        if method == "DELETE" and heard.count("DELETE") == 4:
            stop.interrupt(Signal.INTERRUPT)

    options = replace(OPTIONS, state=tmp_path / "state", strategy=Strategy.DIGEST, concurrency=2)
    first = await run(registry, f"- {APP}:v*", replace(options, stop=stop, heard=interrupt))
    assert set(first.statuses.values()) == {"deleted", "not-attempted interrupted"}
    gone = [name.partition(":")[2] for name, word in first.statuses.items() if word == "deleted"]
    assert await seen(registry, *gone, *(images[tag].digest for tag in gone)) == []

    again = await resume(registry.host, replace(options, clock=FakeClock(auto=True)))

    assert (set(again.statuses.values()), again.code) == ({"deleted"}, 0)
    assert await tags_of(f"{registry.host}/{APP}") == ["latest"]
    assert await seen(registry, *images, *(image.digest for image in images.values())) == []


async def test_a_tag_pushed_anew(registry: Registry) -> None:
    """A tag that was pushed anew after it was read is kept as moved, where the image it held is gone."""
    old = await registry.admin.push(APP, oci_image(1), "v1")

    async def push(_: object) -> None:
        await registry.admin.push(APP, oci_image(2), "v1")
        assert (await registry.admin.delete(APP, old)).status == 202

    done = await run(registry, f"- {APP}:v1", replace(OPTIONS, before_delete=push, strategy=Strategy.DIGEST))

    assert done.statuses == {f"{APP}:v1": "kept moved"}
    assert done.code == 3
    assert await seen(registry, "v1", old) == ["v1"]
