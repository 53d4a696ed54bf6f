"""The archive: manifests come back byte for byte, each once, small, and what a crash tore is cut off."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST, Manifest
from bulkrm.sandbox import docker_image
from bulkrm.state.archive import Archive, read_archive
from bulkrm.state.errors import StateError


def manifest(content: bytes, media_type: str = OCI_MANIFEST) -> Manifest:
    """A manifest of these bytes."""
    return Manifest(Digest.of(content), media_type, content)


def store(path: Path, *manifests: Manifest) -> None:
    """Put them into an archive."""
    archive = Archive(path)
    for entry in manifests:
        archive.add(entry)
    archive.sync()
    archive.close()


@given(st.lists(st.binary(max_size=200), unique=True, max_size=8))
def test_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    """Whatever bytes they have, in one opening or several."""
    path = tmp_path_factory.mktemp("archive") / "manifests.jsonl.gz"
    manifests = [manifest(content, OCI_INDEX) for content in contents]
    store(path, *manifests[:3])
    store(path, *manifests)

    assert list(read_archive(path)) == manifests


def test_other_bytes(tmp_path: Path) -> None:
    """An archive in which somebody changed a manifest gives nothing: it would be pushed under the old tags."""
    path = tmp_path / "manifests.jsonl.gz"
    store(path, manifest(b"one"))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b'"one"', b'"two"')))

    with pytest.raises(StateError, match="has other bytes"):
        list(read_archive(path))


def test_each_once(tmp_path: Path) -> None:
    """The same digest is kept once, also when the run is gone on with."""
    path = tmp_path / "manifests.jsonl.gz"
    one, two = manifest(b"one"), manifest(b"two")
    store(path, one, one)
    archive = Archive(path)
    assert one.digest in archive
    assert two.digest not in archive
    archive.add(one)
    archive.add(two)
    archive.close()

    assert list(read_archive(path)) == [one, two]
    assert [line.split(b'"')[3] for line in gzip.decompress(path.read_bytes()).splitlines()] == [
        one.digest.encode(), two.digest.encode(),
    ]  # fmt: skip


def test_it_is_small(tmp_path: Path) -> None:
    """A hundred thousand images need tens of megabytes."""
    path = tmp_path / "manifests.jsonl.gz"
    store(path, *(manifest(docker_image(seed).content) for seed in range(1000)))

    assert path.stat().st_size / 1000 * 100_000 < 60 * 2**20


@pytest.mark.parametrize("left", [1, 10, 30])
def test_a_torn_member(tmp_path: Path, left: int) -> None:
    """What a crash left of a member is the end, and is cut off when the run is gone on with."""
    path = tmp_path / "manifests.jsonl.gz"
    one, two, three = manifest(b"one"), manifest(b"two"), manifest(b"three")
    store(path, one)
    whole = path.stat().st_size
    store(path, two)
    with path.open("r+b") as file:
        file.truncate(whole + left)

    assert list(read_archive(path)) == [one]
    store(path, three)
    assert list(read_archive(path)) == [one, three]


def test_damage(tmp_path: Path) -> None:
    """Bytes that are no archive, and lines that are no manifest, are refused."""
    path = tmp_path / "manifests.jsonl.gz"
    path.write_bytes(b"this was never an archive")
    with pytest.raises(StateError, match="damaged after byte 0"):
        list(read_archive(path))
    path.write_bytes(gzip.compress(b'{"digest":"sha256:1"}\n'))
    with pytest.raises(StateError, match="not a manifest"):
        Archive(path)
    with pytest.raises(StateError, match="No such file"):
        list(read_archive(tmp_path / "gone"))
    with pytest.raises(StateError, match="No such file"):
        Archive(tmp_path / "gone" / "x")
