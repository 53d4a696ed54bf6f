"""A manifest that something kept names stays, whatever is said of its type: on the sandbox and on real registries."""

import json
from pathlib import Path

import pytest

from bulkrm.model.settings import Shared
from bulkrm.sandbox import Image, index_of, oci_image, oci_index
from tests.integration.engine import Options, delete
from tests.support.admin import Admin
from tests.support.registries import KINDS, KINDS_3, Registry

APP = "team/app"
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
ODD = (
    "application/vnd.cncf.oras.artifact.manifest.v1+json",
    "application/vnd.example.unheard-of+json",
    "",
    "application/json",
    f"{IMAGE}; charset=utf-8",
    IMAGE.upper(),
    None,
)
VERIFY = Options(verify=True)


@pytest.fixture(params=(*KINDS, *KINDS_3))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """Both generations, each in the sandbox and for real."""
    return str(request.param)


def naming(image: Image, kind: object) -> Image:
    """An index whose entry for the image says that it is of this type; None: it does not say."""
    entry = {"size": len(image.content), "digest": image.digest, **({} if kind is None else {"mediaType": kind})}
    return raw({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})


def raw(fields: object) -> Image:
    """An index with these fields."""
    return Image(INDEX, json.dumps(fields).encode())


async def push(admin: Admin, index: Image, tag: str) -> None:
    """Push an index alone."""
    reply = await admin.put(APP, tag, index)
    assert reply.status == 201, reply


@pytest.mark.parametrize("kind", ODD)
async def test_under_an_unusual_type(registry: Registry, kind: object) -> None:
    """The child of a kept index stays, `needed`, whatever type its entry there has; another client sees that it is there."""
    child = oci_image(1)
    index = naming(child, kind)
    await registry.admin.push(APP, child)
    await push(registry.admin, index, "multi")

    done = await delete(registry.host, f"- {APP}@{child.digest}", VERIFY)

    assert (done.code, done.statuses) == (3, {f"{APP}@{child.digest}": "kept needed"})
    assert done.images[0]["because"] == [f"{registry.host}/{APP}@{index.digest}"]
    assert (await registry.admin.get(APP, child.digest)).body == child.content


@pytest.mark.parametrize("kind", [ODD[0], "", None])
async def test_an_index_under_an_unusual_type(registry: Registry, kind: object) -> None:
    """What an entry of an unusual type leads to may be an index, whose children stay as well."""
    inner = oci_index(1)
    await registry.admin.push(APP, inner)
    await push(registry.admin, naming(inner, kind), "multi")
    child = inner.children[0]
    await registry.admin.push(APP, oci_image(9), "old")

    done = await delete(registry.host, f"- {APP}@{child.digest}\n- {APP}:old", VERIFY)

    assert done.statuses == {f"{APP}@{child.digest}": "kept needed", f"{APP}:old": "deleted"}
    assert done.report.verification is not None
    assert not done.report.verification.differences
    assert await registry.admin.digest(APP, child.digest) == child.digest


async def test_under_two_keys(registry: Registry) -> None:
    """A list of manifests that stands there twice, or in capitals, is read as any client might read it."""
    one, two = oci_image(1), oci_image(2)
    for image in (one, two):
        await registry.admin.push(APP, image)
    entry = '{"mediaType": "%s", "size": %d, "digest": "%s"}'
    first, second = (entry % (IMAGE, len(image.content), image.digest) for image in (one, two))
    twice = f'{{"schemaVersion": 2, "mediaType": "{INDEX}", "manifests": [{first}], "manifests": []}}'
    capitals = f'{{"schemaVersion": 2, "mediaType": "{INDEX}", "MANIFESTS": [{second.replace("digest", "DIGEST")}]}}'
    for tag, text in (("twice", twice), ("capitals", capitals)):
        await push(registry.admin, Image(INDEX, text.encode()), tag)

    done = await delete(registry.host, f"- {APP}@{one.digest}\n- {APP}@{two.digest}")

    assert done.statuses == {f"{APP}@{one.digest}": "kept needed", f"{APP}@{two.digest}": "kept needed"}


@pytest.mark.parametrize("fields", [{"manifests": None}, {}, {"manifests": []}])
async def test_an_index_that_names_nothing(registry: Registry, fields: dict[str, object], tmp_path: Path) -> None:
    """An index whose list is null or missing is an empty one: it can go, and where it stays it holds nothing back."""
    index = raw({"schemaVersion": 2, "mediaType": INDEX, **fields})
    await push(registry.admin, index, "odd")
    await push(registry.admin, raw({"schemaVersion": 2, "mediaType": INDEX, **fields, "annotations": {}}), "kept")
    await registry.admin.push(APP, oci_image(1), "old")

    done = await delete(registry.host, f"- {APP}:odd\n- {APP}:old", Options(verify=True, state=tmp_path / "state"))

    assert done.statuses == {f"{APP}:odd": "deleted", f"{APP}:old": "deleted"}
    assert await registry.admin.tags(APP) == {"kept"}


async def test_bytes_that_are_no_text(registry: Registry) -> None:
    """An index with bytes that are no UTF-8, which registries take, is read all the same."""
    child = oci_image(1)
    await registry.admin.push(APP, child)
    content = naming(child, IMAGE).content[:-1] + b', "annotations": {"a": "\xff\xfe"}}'
    await push(registry.admin, Image(INDEX, content), "multi")

    assert (await delete(registry.host, f"- {APP}@{child.digest}")).statuses == {f"{APP}@{child.digest}": "kept needed"}


async def test_what_goes_with_its_index(registry: Registry, tmp_path: Path) -> None:
    """With --recursive a child under an unusual type goes with its index, and the run says what the dry run said."""
    child, other = oci_image(1), oci_image(2)
    for image in (child, other):
        await registry.admin.push(APP, image)
    await push(registry.admin, naming(child, ODD[0]), "multi")
    await push(registry.admin, index_of([other]), "kept")
    text = f"- {APP}:multi"

    dry = await delete(registry.host, text, Options(recursive=True, dry_run=True))
    done = await delete(registry.host, text, Options(recursive=True, state=tmp_path / "state"))

    assert dry.statuses == {f"{APP}:multi": "would-delete", f"{APP}@{child.digest}": "would-delete"}
    assert done.statuses == {f"{APP}:multi": "deleted", f"{APP}@{child.digest}": "deleted"}
    assert await registry.admin.digest(APP, child.digest) is None
    assert await registry.admin.digest(APP, other.digest) == other.digest


async def test_a_blob_under_an_unusual_type(registry: Registry) -> None:
    """A blob that an index lists under an unusual type is no manifest: it holds nothing back, and is no orphan."""
    image = oci_image(1)
    await registry.admin.push(APP, image, "old", "kept")
    layer = Image("application/vnd.example.data", image.blobs[1])
    reply = await registry.admin.put(APP, "cache", naming(layer, layer.media_type))
    if reply.status != 201:
        assert reply.codes == ["MANIFEST_BLOB_UNKNOWN"]  # 3.1.1 takes manifests only
        return

    done = await delete(registry.host, f"- {APP}:old", Options(shared=Shared.DELETE))
    gone = await delete(registry.host, f"- {APP}:cache", Options(recursive=True))

    assert (done.statuses, done.report.orphans) == ({f"{APP}:old": "deleted"}, 0)
    assert (gone.statuses, gone.report.orphans) == ({f"{APP}:cache": "deleted"}, 0)


async def test_what_an_ordinary_repository_costs(registry: Registry) -> None:
    """Kept images are read by HEAD alone, and an index once: nothing is asked of children with an image's type."""
    await registry.admin.push(APP, oci_image(1), "old")
    for number in range(2, 6):
        await registry.admin.push(APP, oci_image(number), f"kept-{number}")
    await registry.admin.push(APP, oci_index(7), "multi")

    done = await delete(registry.host, f"- {APP}:old")

    read = [path for method, path in done.sent if method == "GET" and "/manifests/" in path]
    assert read == [f"/v2/{APP}/manifests/old", f"/v2/{APP}/manifests/{oci_index(7).digest}"]
