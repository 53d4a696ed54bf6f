"""A bad network before a real registry: every outcome is true, whatever connection was lost when."""

from functools import partial
from pathlib import Path

import anyio
import pytest

from bulkrm.engine.recover.undo import Loss
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.settings import Shared
from tests.integration.engine import Options, delete, undo
from tests.support.admin import Admin, many_images, push_pairs
from tests.support.clock import FakeClock
from tests.support.loop_time import LoopTime
from tests.support.proxy import Harm, proxied
from tests.support.real import RealRegistry

APP = "team/app"
IMAGES = 12
LIMIT = 20.0  # seconds that a request may take; an answer that never ends lets them pass at once


def concurrency(harm: Harm) -> int | None:
    """Requests in flight: where time passes for one of them it passes for all, and only that one is late."""
    return 1 if harm is Harm.TRICKLE else None


@pytest.mark.parametrize("harm", Harm)
@pytest.mark.parametrize("shared", [Shared.DELETE, Shared.UNTAG])
async def test_deleting(harm: Harm, shared: Shared, tmp_path: Path) -> None:
    """What is said to be gone is gone, and what is said to be there is there; everything goes in the end."""
    registry, pass_time = RealRegistry(tmp_path / "registry"), partial(LoopTime().move_on, LIMIT)
    async with (
        registry,
        Admin(registry.url) as admin,
        proxied(registry.host, harm, "DELETE PUT HEAD", 4, pass_time) as proxy,
    ):
        digests = await push_pairs(admin, APP, IMAGES)

        async def begin(_: object) -> None:
            proxy.active = True

        options = Options(
            shared=shared,
            allow_decoy=True,
            clock=FakeClock(auto=True),
            timeout=LIMIT,
            before_delete=begin,
            concurrency=concurrency(harm),
        )
        done = await delete(proxy.host, f"- {APP}:pr-*", options)

        assert proxy.harmed >= 3
        assert set(done.statuses) == {f"{APP}:{tag}" for tag in digests}
        for tag, digest in digests.items():
            word = done.statuses[f"{APP}:{tag}"]
            assert word == ("deleted" if shared is Shared.DELETE else "untagged"), (tag, word)
            assert await admin.digest(APP, tag) is None
            assert await admin.digest(APP, f"keep-{tag[3:]}") == (None if shared is Shared.DELETE else digest)


@pytest.mark.parametrize("harm", Harm)
async def test_putting_back(harm: Harm, tmp_path: Path) -> None:
    """Undo gets everything back through it."""
    registry, pass_time = RealRegistry(tmp_path / "registry"), partial(LoopTime().move_on, LIMIT)
    async with (
        registry,
        Admin(registry.url) as admin,
        proxied(registry.host, harm, "PUT HEAD", 4, pass_time) as proxy,
    ):
        digests = await push_pairs(admin, APP, IMAGES)
        place, losses = Repository(proxy.host, APP), []
        for tag, digest in digests.items():
            reply = await admin.get(APP, digest)
            manifest = Manifest(Digest(digest), reply.headers["Content-Type"], reply.body)
            losses.append(Loss(place, manifest, (tag, f"keep-{tag[3:]}")))
            await admin.delete(APP, digest)
        proxy.active = True

        words = await undo(losses, LIMIT, Options(clock=FakeClock(auto=True), concurrency=concurrency(harm)))

        assert proxy.harmed >= 3
        assert set(words.values()) == {"restored"}
        for tag, digest in digests.items():
            assert await admin.digest(APP, tag) == await admin.digest(APP, f"keep-{tag[3:]}") == digest


async def test_a_restart_in_the_middle(tmp_path: Path) -> None:
    """A registry that is away for a moment costs a wait and nothing else."""
    async with (
        RealRegistry(tmp_path / "registry") as registry,
        Admin(registry.url) as admin,
        anyio.create_task_group() as group,
    ):
        await admin.push_many(APP, many_images(f"pr-{number}" for number in range(60)))

        async def begin(_: object) -> None:
            group.start_soon(registry.restart)

        done = await delete(registry.host, f"- {APP}:pr-*", Options(before_delete=begin))

        assert set(done.statuses.values()) == {"deleted"}
        assert await admin.tags(APP) == set()
