"""A tag that outlives its manifest and holds a decoy of this run was pushed by nobody else: it goes, or is told as left over."""

from dataclasses import replace

import pytest

from bulkrm.engine.execute.leftover_tags import LeftoverTags
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item
from bulkrm.planning.tag_state import TagState
from bulkrm.sandbox import Auth, Reply, SandboxSettings
from tests.protocol.opening import app
from tests.protocol.tag_scene import APP, scene

SURVIVE = SandboxSettings(auth=Auth.NONE, tags_survive_digest_delete=True, tag_deletes=True)


@pytest.mark.parametrize("refused", [False, True])
async def test_a_tag_that_holds_a_decoy_of_this_run(*, refused: bool) -> None:
    """It is deleted; where that is refused it is dangling, and not a tag that moved."""
    async with scene(replace(SURVIVE, tag_deletes=not refused)) as here:
        made = await here.pushed("a")
        here.sandbox.store.delete_manifest(APP, here.held["a"], only=0)
        if refused:
            here.sandbox.faults.add(Reply(405), method="DELETE", path="manifests/a$", times=None)
        item = Item(app(here.sandbox), Resolved(here.held["a"], OCI_MANIFEST, 3), (), Delete(), ("a",))
        leftover = LeftoverTags(here.gateway, here.in_flight, here.context, here.decoys, allow_decoy=True)

        looks = await leftover.remove_tags(item, ["a"])

        assert looks["a"].state is (TagState.DANGLING if refused else TagState.GONE)
        assert here.now().get("a") == (made.digest if refused else None)
