"""A laptop that sleeps at the question, on the sandbox and on real registries: what came meanwhile stays, whole."""

from pathlib import Path

import pytest

from bulkrm.model.plan import Plan
from bulkrm.model.settings import Strategy
from bulkrm.sandbox import index_of, oci_image
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock
from tests.support.registries import KINDS, KINDS_3, running

APP = "team/app"


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
@pytest.mark.parametrize("kind", [*KINDS, *KINDS_3])
async def test_what_came_while_the_machine_slept(kind: str, strategy: Strategy, tmp_path: Path) -> None:
    """A new tag on a digest to delete, and a new index that needs one, are seen before the first DELETE, and they pull."""
    async with running(kind, tmp_path) as registry:
        images = [oci_image(seed=seed) for seed in range(6)]
        for number, image in enumerate(images):
            await registry.admin.push(APP, image, f"pr-{number}")
        clock = FakeClock(auto=True, counts_sleep=False)

        async def sleep(_: Plan) -> None:
            clock.suspend(3600)
            await registry.admin.push(APP, images[2], "prod")
            await registry.admin.push(APP, index_of([images[4]]), "multi")

        options = Options(strategy=strategy, allow_decoy=True, clock=clock, before_delete=sleep)
        done = await delete(registry.host, f"- {APP}:pr-*", options)

        kept = {f"{APP}:pr-2": "kept shared", f"{APP}:pr-4": "kept needed"}
        assert done.statuses == {f"{APP}:pr-{number}": "deleted" for number in range(6)} | kept
        assert await registry.admin.tags(APP) == {"pr-2", "pr-4", "prod", "multi"}
        assert await registry.admin.pulls(APP, "prod")
        assert await registry.admin.pulls(APP, images[4].digest)
