"""Whole runs over what kept manifests name: odd indexes, indexes in indexes, types that nobody knows."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkrm.engine.plan.needs import MAX_DEPTH, MAX_NESTED
from bulkrm.sandbox import (
    Auth,
    Image,
    LieAboutDigest,
    Reply,
    Sandbox,
    SandboxSettings,
    index_of,
    oci_image,
    oci_index,
    put_image,
)
from bulkrm.sandbox.registry.store import StoredManifest
from tests.integration.engine import Options, delete
from tests.property.odd_indexes import named_in, odd_indexes
from tests.support.clock import FakeClock

APP = "team/app"
INDEX = "application/vnd.oci.image.index.v1+json"
ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"
IMAGES = tuple(oci_image(seed) for seed in range(4))
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


def plant(sandbox: Sandbox, content: bytes, tag: str | None = None, media_type: str = INDEX) -> str:
    """Store a manifest that no push would bring; return its digest."""
    image = Image(media_type, content)
    sandbox.store.plant(APP, StoredManifest(image.digest, media_type, content), tag)
    return image.digest


def entry(digest: str, kind: str | None = None) -> dict[str, object]:
    """An entry of an index."""
    return {"digest": digest, "size": 3, **({} if kind is None else {"mediaType": kind})}


def naming(*entries: dict[str, object]) -> bytes:
    """An index with these entries."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


@dataclass
class Content:
    """What a generated repository holds: manifests by digest."""

    inner: bytes
    outer: bytes
    digests: dict[str, bytes] = field(default_factory=dict)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Images, an odd index over them, and another one, which names that one too."""
    names = [image.digest for image in IMAGES]
    inner = draw(odd_indexes(names, whole=draw(st.booleans())))
    below = Image(INDEX, inner).digest
    outer = draw(odd_indexes([*names, below, below], whole=draw(st.booleans())))
    return Content(inner, outer, {below: inner, Image(INDEX, outer).digest: outer})


@settings(max_examples=60, deadline=None)
@given(contents())
def test_nothing_goes_that_a_kept_index_names(content: Content) -> None:
    """The list names every manifest by digest and one tag stays: all that its index names, directly or not, is there."""

    async def run() -> None:
        async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
            for image in IMAGES:
                put_image(sandbox.store, APP, (), image)
            below = plant(sandbox, content.inner)
            plant(sandbox, content.outer, "kept")
            kept = named_in(content.outer)
            kept |= named_in(content.inner) if below in kept else set()
            text = "".join(f"- {APP}@{digest}\n" for digest in (*(image.digest for image in IMAGES), below))

            done = await delete(sandbox.host, text, Options(verify=True, clock=FakeClock(auto=True)))

            assert kept & {*(image.digest for image in IMAGES), below} <= sandbox.store.digests(APP)
            assert done.report.verification is None or not done.report.verification.differences

    asyncio.run(run())


async def test_a_kept_manifest_of_an_unknown_type() -> None:
    """A tag that leads to something of a type that nobody knows is read for what it names, and holds nothing else back."""
    async with Sandbox() as sandbox:
        one, two, three = IMAGES[:3]
        put_image(sandbox.store, APP, (), one)
        put_image(sandbox.store, APP, ["old"], two)
        put_image(sandbox.store, APP, (), three)
        fields = {"mediaType": ARTIFACT, "blobs": [entry(three.digest)], "manifests": [entry(one.digest)]}
        plant(sandbox, json.dumps(fields).encode(), "artifact", ARTIFACT)

        done = await delete(sandbox.host, f"- {APP}@{one.digest}\n- {APP}:old\n- {APP}@{three.digest}")

        assert done.statuses == {
            f"{APP}@{one.digest}": "kept needed",
            f"{APP}:old": "deleted",
            f"{APP}@{three.digest}": "kept needed",
        }


async def test_an_unknown_type_that_cannot_be_understood() -> None:
    """Where it cannot be told what such a thing names, nothing of the repository goes."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["old"], IMAGES[0])
        plant(sandbox, b'{"manifests": {}}', "artifact", ARTIFACT)

        done = await delete(sandbox.host, f"- {APP}:old")

        assert done.statuses == {f"{APP}:old": "kept unreadable"}
        assert done.count("DELETE") == 0


async def test_an_index_of_an_unknown_type() -> None:
    """What a kept index names under a type of its own may be of an unknown type itself, and need something."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, (), IMAGES[0])
        inner = plant(sandbox, json.dumps({"manifests": [entry(IMAGES[0].digest)]}).encode(), None, ARTIFACT)
        plant(sandbox, naming(entry(inner, ARTIFACT)), "kept")

        done = await delete(sandbox.host, f"- {APP}@{IMAGES[0].digest}", Options(verify=True))

        assert done.statuses == {f"{APP}@{IMAGES[0].digest}": "kept needed"}


async def test_a_child_that_cannot_be_read() -> None:
    """What may be an index and cannot be read keeps the repository: it may need anything."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["old"], IMAGES[0])
        child = oci_index(1)
        put_image(sandbox.store, APP, (), child)
        plant(sandbox, naming(entry(child.digest, "")), "kept")
        sandbox.faults.add(Reply(503, VERSION), path=child.digest, times=None)

        done = await delete(sandbox.host, f"- {APP}:old", Options(clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:old": "kept unreadable"}


async def test_a_child_that_is_not_there() -> None:
    """What is named and not there, under whatever type, holds nothing back and is no orphan."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["old"], IMAGES[0])
        plant(sandbox, naming(entry(IMAGES[1].digest, ARTIFACT), entry(IMAGES[2].digest, INDEX)), "kept")

        done = await delete(sandbox.host, f"- {APP}:old\n- {APP}:kept", Options(verify=True))

        assert done.statuses == {f"{APP}:old": "deleted", f"{APP}:kept": "deleted"}
        assert done.report.orphans == 0


@pytest.mark.parametrize(("deep", "status"), [(MAX_DEPTH, "deleted"), (MAX_DEPTH + 1, "kept unreadable")])
async def test_how_deep_indexes_may_be_nested(deep: int, status: str) -> None:
    """Indexes in indexes are followed eight levels; where there are more, nothing of the repository goes."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["old"], IMAGES[0])
        nested = index_of([IMAGES[1]])
        for _ in range(deep - 1):
            nested = index_of([nested])
        put_image(sandbox.store, APP, ["deep"], nested)

        done = await delete(sandbox.host, f"- {APP}:old")

        assert done.statuses == {f"{APP}:old": status}
        assert sum("/manifests/" in path for method, path in done.sent if method == "GET") == 1 + deep


async def test_how_much_indexes_may_name() -> None:
    """An index that names more than ten thousand things that may be indexes is not followed: nothing goes, at once."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["old"], IMAGES[0])
        plant(sandbox, naming(*(entry(f"sha256:{number:064x}") for number in range(MAX_NESTED + 1))), "huge")

        done = await delete(sandbox.host, f"- {APP}:old")

        assert done.statuses == {f"{APP}:old": "kept unreadable"}
        assert "name more than 10000" in done.images[0]["because"][0]
        assert sum("/manifests/" in path for _, path in done.sent) < 5


async def test_a_head_without_a_digest() -> None:
    """A HEAD that says neither digest nor type is followed by a GET, which shows what a kept tag needs."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, (), IMAGES[0])
        plant(sandbox, naming(entry(IMAGES[0].digest)), "kept")
        sandbox.faults.add(LieAboutDigest(None), method="HEAD", times=None)

        done = await delete(sandbox.host, f"- {APP}@{IMAGES[0].digest}")

        assert done.statuses == {f"{APP}@{IMAGES[0].digest}": "kept needed"}


async def test_an_image_type_for_an_index() -> None:
    """Where the registry calls an index an image, the bytes are believed as soon as they are there."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, (), IMAGES[0])
        listed = plant(sandbox, naming(entry(IMAGES[0].digest)), "listed", IMAGES[0].media_type)
        sandbox.store.tag(APP, "other", listed)

        done = await delete(sandbox.host, f"- {APP}@{IMAGES[0].digest}\n- {APP}:listed")

        assert done.statuses == {f"{APP}@{IMAGES[0].digest}": "kept needed", f"{APP}:listed": "kept shared"}
