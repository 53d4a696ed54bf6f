"""`--shared untag`: listed tags go, the manifest and its other tags stay, on registries that delete tags and others."""

import pytest

from bulkrm.model.settings import Shared
from bulkrm.sandbox import Sandbox, SandboxSettings, oci_image, put_image
from tests.integration.engine import Options, delete

APP = "team/app"
UNTAG = Options(shared=Shared.UNTAG)
DECOY = Options(shared=Shared.UNTAG, allow_decoy=True)


@pytest.mark.parametrize(("deletes_tags", "options"), [(True, UNTAG), (False, DECOY)])
async def test_a_shared_digest_lives_on(*, deletes_tags: bool, options: Options) -> None:
    """Listed tags go, one by one or by a decoy; the others still hold the manifest."""
    async with Sandbox(SandboxSettings(tag_deletes=deletes_tags)) as sandbox:
        image = oci_image(seed=1)
        digest = put_image(sandbox.store, APP, ["pr-1", "pr-2", "latest"], image)

        done = await delete(sandbox.host, f"- {APP}:pr-*", options)

        assert done.statuses == {f"{APP}:pr-1": "untagged", f"{APP}:pr-2": "untagged"}
        assert done.code == 0
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {digest}
        assert {tuple(entry["because"]) for entry in done.images} == {(f"{sandbox.host}/{APP}:latest",)}
