"""What manifests and configurations say of images."""

import json
from datetime import UTC, datetime
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.details import (
    Config,
    Details,
    ManifestFacts,
    Missing,
    Unread,
    describe,
    details,
    read_config,
)
from bulkrm.model.manifests.manifest import DOCKER_SCHEMA1, OCI_INDEX, OCI_MANIFEST, Manifest

A, B, C, D = (Digest.of(letter.encode()) for letter in "abcd")
JANUARY, MARCH = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def manifest(media_type: str, **fields: Any) -> ManifestFacts:
    content = json.dumps(fields).encode()
    return describe(Manifest(Digest.of(content), media_type, content))


def known(manifests: dict[Digest, Any], configs: dict[Digest, Any] | None = None) -> Details:
    """What is known of A."""
    return details(A, lambda name: manifests.get(name, Missing()), lambda name: (configs or {}).get(name, Missing()))


def test_a_configuration() -> None:
    """Date, labels and platform; what has another shape is not there."""
    whole = {
        "created": "x",
        "os": "linux",
        "architecture": "arm",
        "variant": "v7",
        "config": {"Labels": {"a": "b", "c": 1}},
    }

    assert read_config(json.dumps(whole).encode()) == Config("x", {"a": "b"}, "linux/arm/v7")
    for odd in (b"", b"[]", b"\xff", b'{"created": 1, "os": "linux", "config": []}', b"[" * 100_000):
        assert read_config(odd) == Config()


def test_the_date_of_an_image() -> None:
    """It is that of the configuration, else of the annotation; a date of reproducible builds is none."""
    described = ManifestFacts({"org.opencontainers.image.created": "2026-03-01T00:00:00Z"}, C)

    assert known({A: described}, {C: Config("2026-01-01T00:00:00Z")}).created == JANUARY
    assert known({A: described}, {C: Config("1970-01-01T00:00:00Z")}).created == MARCH
    assert known({A: described}).created == MARCH
    assert known({A: ManifestFacts({}, C)}, {C: Config("1970-01-01T00:00:00Z")}).created is None
    assert known({}).created is None


def test_what_cannot_be_read() -> None:
    """A configuration that fails makes the image unread, one that is not there does not."""
    assert known({A: ManifestFacts({}, C)}, {C: Unread("HTTP 500")}).unread == "HTTP 500"
    assert known({A: ManifestFacts({}, C)}, {C: Missing()}).unread is None
    assert known({A: Unread("HTTP 500")}).unread == "HTTP 500"


def test_an_index() -> None:
    """The newest of its annotation and its images counts; one that cannot be read leaves it without a date."""
    index = ManifestFacts({"org.opencontainers.image.created": "2026-01-01T00:00:00Z"}, images=(B, D))
    configs = {C: Config("2026-03-01T00:00:00Z", {"a": "b"})}

    both = known({A: index, B: ManifestFacts({}, C), D: ManifestFacts({}, None)}, configs)
    assert (both.created, both.is_index, both.configs) == (MARCH, True, (configs[C], None))
    assert known({A: index, B: ManifestFacts({}, C)}, configs).created is None
    assert known({A: index, B: ManifestFacts({}, C), D: Unread("x")}, configs).created is None
    assert known({A: index, B: ManifestFacts({}, C), D: ManifestFacts({}, C)}, {C: Unread("x")}).unread == "x"


def test_attestations_do_not_count() -> None:
    """BuildKit puts them into the index, as of the platform unknown/unknown."""
    entries = [
        {"digest": B, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": C, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": D, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {"digest": "odd"},
        1,
    ]

    assert manifest(OCI_INDEX, manifests=entries).images == (B,)
    assert manifest(OCI_INDEX, manifests=None).images == ()


def test_an_image() -> None:
    """The configuration is named by the manifest, but for the empty one of artifacts."""
    assert manifest(OCI_MANIFEST, config={"digest": C}, annotations={"a": "b", "c": 1}) == ManifestFacts({"a": "b"}, C)
    assert manifest(OCI_MANIFEST, config={"digest": C, "mediaType": "application/vnd.oci.empty.v1+json"}).config is None
    assert manifest(OCI_MANIFEST, config=None) == ManifestFacts()


def test_schema_1() -> None:
    """Its history begins with the configuration of the image."""
    newest = json.dumps({"created": "2026-03-01T00:00:00Z", "os": "linux", "architecture": "amd64"})
    found = manifest(DOCKER_SCHEMA1, history=[{"v1Compatibility": newest}, {"v1Compatibility": "{}"}])

    assert known({A: found}).created == MARCH
    assert known({A: manifest(DOCKER_SCHEMA1, history=[])}).created is None


def test_nesting_ends() -> None:
    """Indexes in indexes are followed a few levels, and then nothing is known."""
    endless = {A: ManifestFacts({}, images=(A,))}

    assert known(endless).created is None
