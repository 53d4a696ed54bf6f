"""What a kept index needs stays, whoever names it, and whatever happens between the judgement and the DELETE."""

import json

import pytest

from bulkrm.engine.reading import STALE
from bulkrm.model.plan import Plan
from bulkrm.model.settings import Shared
from bulkrm.sandbox import Image, Reply, Sandbox, ServerRequest, docker_list, oci_image, oci_index, put_image
from bulkrm.sandbox.images import index_of
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock

APP = "team/app"


def nested(sandbox: Sandbox) -> tuple[Image, Image, Image]:
    """An index in an index, and the image below: tags `outer` and `leaf`; the inner one has no tag."""
    leaf = oci_image(seed=1)
    inner = index_of([leaf, oci_image(seed=2)])
    outer = index_of([inner])
    put_image(sandbox.store, APP, ["outer"], outer)
    put_image(sandbox.store, APP, ["leaf"], leaf)
    return outer, inner, leaf


@pytest.mark.parametrize("kind", [docker_list, oci_index])
async def test_children_of_a_kept_index(kind: type) -> None:
    """A child stays as long as its index does, named by tag or by digest, and the report names the index."""
    async with Sandbox() as sandbox:
        index = kind(seed=1)
        put_image(sandbox.store, APP, ["1.0"], index)
        child, other = index.children
        sandbox.store.tag(APP, "child", child.digest)

        done = await delete(sandbox.host, f"- {APP}:child\n- {APP}@{other.digest}")

        assert [(entry["status"], entry["reason"]) for entry in done.images] == [("kept", "needed")] * 2
        assert {entry["because"][0] for entry in done.images} == {f"{sandbox.host}/{APP}@{index.digest}"}
        assert (done.code, done.count("DELETE")) == (3, 0)


async def test_children_of_an_index_in_an_index() -> None:
    """So does what an index in a kept index needs."""
    async with Sandbox() as sandbox:
        _, _, leaf = nested(sandbox)

        done = await delete(sandbox.host, f"- {APP}:leaf")

        assert done.statuses == {f"{APP}:leaf": "kept needed"}
        assert sandbox.store.manifest(APP, leaf.digest) is not None


async def test_all_of_it() -> None:
    """Where the index goes as well, its children go after it."""
    async with Sandbox() as sandbox:
        outer, inner, leaf = nested(sandbox)

        done = await delete(sandbox.host, f"- {APP}:leaf\n- {APP}@{inner.digest}\n- {APP}:outer")

        assert done.code == 0
        gone = [path.rpartition("/")[2] for method, path in done.sent if method == "DELETE"]
        assert gone == [outer.digest, inner.digest, leaf.digest]


async def test_a_root_that_cannot_be_deleted() -> None:
    """A nested child stays when the index to delete two levels above it could not be deleted."""
    async with Sandbox() as sandbox:
        outer, _, leaf = nested(sandbox)
        sandbox.faults.add(Reply(400), method="DELETE", path=outer.digest)

        done = await delete(sandbox.host, f"- {APP}:outer\n- {APP}:leaf")

        assert done.statuses == {f"{APP}:outer": "failed refused", f"{APP}:leaf": "kept needed"}
        assert sandbox.store.manifest(APP, leaf.digest) is not None


async def test_an_index_that_cannot_be_read() -> None:
    """Where an index of a kept tag cannot be read, nothing of its repository goes."""
    async with Sandbox() as sandbox:
        index = oci_index(seed=1)
        put_image(sandbox.store, APP, ["1.0"], index)
        put_image(sandbox.store, APP, ["old"], oci_image(seed=9))
        sandbox.faults.add(Reply(403), method="GET", path=f"manifests/{index.digest}", times=99)

        done = await delete(sandbox.host, f"- {APP}:old")

        assert done.statuses == {f"{APP}:old": "kept unreadable"}
        assert done.count("DELETE") == 0


async def test_a_tag_that_became_an_index_during_the_question() -> None:
    """What a listed tag's new index needs stays with it: the tag is kept as moved, so its index is kept too."""
    async with Sandbox() as sandbox:
        clock = FakeClock()
        child = oci_image(seed=1)
        put_image(sandbox.store, APP, ["a"], oci_image(seed=2))
        put_image(sandbox.store, APP, ["c"], child)
        index = index_of([child])

        async def overwrite(_: Plan) -> None:
            put_image(sandbox.store, APP, ["a"], index)
            clock.skip(STALE + 1)

        done = await delete(sandbox.host, f"- {APP}:a\n- {APP}:c", Options(clock=clock, before_delete=overwrite))

        assert done.statuses == {f"{APP}:a": "kept moved", f"{APP}:c": "kept needed"}
        assert sandbox.store.manifest(APP, child.digest) is not None


async def test_tags_that_came_during_the_question() -> None:
    """With --shared delete, tags that came since the first judgement keep their digest."""
    async with Sandbox() as sandbox:
        clock = FakeClock()
        digest = put_image(sandbox.store, APP, ["a", "b"], oci_image(seed=1))

        async def tag(_: Plan) -> None:
            sandbox.store.tag(APP, "prod", digest)
            clock.skip(STALE + 1)

        options = Options(shared=Shared.DELETE, clock=clock, before_delete=tag)
        done = await delete(sandbox.host, f"- {APP}:a", options)

        assert done.statuses == {f"{APP}:a": "kept shared"}
        assert done.images[0]["because"] == [f"{sandbox.host}/{APP}:prod"]


async def test_a_catalog_that_is_refused() -> None:
    """A pattern of repositories that cannot be looked up says nothing of the images that are named in full."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["a"], oci_image(seed=1))
        sandbox.tokens.faults.add(Reply(500, body=json.dumps({}).encode()), path="catalog", times=99)

        done = await delete(sandbox.host, f"- team/*:x\n- {APP}:a", Options(clock=FakeClock(auto=True)))

        assert done.statuses == {"team/*:x": "failed token-server", f"{APP}:a": "deleted"}


async def test_a_tag_that_came_during_a_pause() -> None:
    """A DELETE that a long pause held back is judged again before it is sent: a new tag keeps its digest."""
    async with Sandbox() as sandbox:
        digest = put_image(sandbox.store, APP, ["a"], oci_image(seed=1))
        sandbox.faults.add(Reply(429, {"Retry-After": "120"}), method="DELETE")

        async def tag(asked: ServerRequest) -> None:
            if asked.method == "DELETE":
                sandbox.store.tag(APP, "prod", digest)

        sandbox.faults.before = tag
        done = await delete(sandbox.host, f"- {APP}:a", Options(clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:a": "kept shared"}
        assert done.count("DELETE") == 1
        assert sandbox.store.digest_of(APP, "prod") == digest
