"""The digest of a signed schema 1 manifest is that of what was signed: so the real registry has it, and so it is proved."""

import json

import pytest

from bulkrm.sandbox import docker_image
from bulkrm.state.evidence import archived
from tests.support.admin import digest_of
from tests.support.registries import DISTRIBUTION_2, Registry, servers

APP = "team/app"


@servers((DISTRIBUTION_2,))
async def test_a_signed_manifest(registry: Registry) -> None:
    """What the registry says is its digest proves its bytes; with any other bytes, or another digest, it does not."""
    await registry.admin.push(APP, docker_image(1), "a")
    # Without Accept it converts the image to schema 1 and signs it (distribution v2.8.2, registry/handlers/manifests.go).
    reply = await registry.admin.get(APP, "a", accept="")
    digest = reply.headers["Docker-Content-Digest"]
    fields = {"digest": digest, "media_type": reply.headers["Content-Type"], "content": reply.body.decode()}
    assert json.loads(reply.body)["schemaVersion"] == 1
    assert digest_of(reply.body) != digest

    manifest = archived(fields)

    assert (manifest.digest, manifest.content) == (digest, reply.body)
    for changes in (
        {"content": fields["content"].replace("amd64", "arm64")},
        {"digest": digest_of(b"other")},
        {"media_type": "application/vnd.docker.distribution.manifest.v2+json"},
    ):
        with pytest.raises(ValueError, match="has other bytes"):
            archived({**fields, **changes})
