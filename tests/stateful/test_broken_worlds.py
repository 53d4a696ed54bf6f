"""Registries that half-work, in random histories: nothing goes that was not asked for, and no outcome is untrue.

What has to go cannot be said of these, only what must not, and what is said afterwards.
"""

import asyncio
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import SandboxSettings, docker_image, oci_index
from tests.integration.engine import Done, Options, delete
from tests.stateful.oracle import Oracle, Wish
from tests.stateful.worlds import MemoryWorld, State
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry
from tests.support.registries import LIKE_CRANE

APP = "team/app"
TAGS = ("a1", "a2", "b1", "b2", "keep", "latest")


@dataclass(frozen=True)
class RepositoryView:
    """What is there, what is asked for, and how the registry is broken."""

    held: dict[str, int]
    listed: list[str]
    dangling: list[str]
    options: Options
    keeps_tags: bool
    deletes_tags: bool
    half_way: int | None
    lost: int | None

    @property
    def settings(self) -> SandboxSettings:
        return LIKE_CRANE if self.keeps_tags else SandboxSettings(tag_deletes=self.deletes_tags)


_options = st.builds(
    Options,
    shared=st.sampled_from((Shared.REFUSE, Shared.UNTAG, Shared.DELETE)),
    recursive=st.booleans(),
    allow_decoy=st.booleans(),
    strategy=st.sampled_from(Strategy),
    clock=st.builds(FakeClock, auto=st.just(True)),  # noqa: FBT003 (hypothesis's own)
)
_scenes = st.builds(
    RepositoryView,
    held=st.dictionaries(st.sampled_from(TAGS), st.integers(0, 3), min_size=1),
    listed=st.lists(st.sampled_from(TAGS[:4]), unique=True, min_size=1),
    dangling=st.lists(st.sampled_from(TAGS[:4]), unique=True, max_size=1),
    options=_options,
    keeps_tags=st.booleans(),
    deletes_tags=st.booleans(),
    half_way=st.none() | st.integers(0, 2),
    lost=st.none() | st.integers(2, 6),
)


async def play(scene: RepositoryView) -> None:
    """Fill a registry, break it, delete from it, and look at what is left and what is said."""
    registry = FakeRegistry(scene.options.clock, scene.settings)
    world = MemoryWorld(registry, has_referrers=False)
    images = {seed: oci_index(seed) if seed % 2 else docker_image(seed) for seed in scene.held.values()}
    for tag, seed in scene.held.items():
        await world.push(APP, images[seed], [tag])
    for tag in scene.dangling:
        world.dangle(APP, tag)
    before = await world.look(APP, ())
    if scene.half_way is not None:
        world.stop_half_way(scene.half_way)
    if scene.lost is not None:
        world.lose_connections(scene.lost)

    options = replace(scene.options, opened=registry.opened)
    done = await delete(registry.host, "".join(f"- {APP}:{tag}\n" for tag in scene.listed), options)

    world.recover()
    after = await world.look(APP, ())
    known = {image.digest: image for one in images.values() for image in (one, *one.children)}
    most = Oracle(known, has_referrers=False).fate(before, _wish(scene))
    check_what_is_left(scene, before, after, most.manifests)
    check_what_is_said(scene, before, after, done)


def _wish(scene: RepositoryView) -> Wish:
    return Wish(
        frozenset(scene.listed),
        frozenset(),
        frozenset(),
        scene.options.shared,
        scene.options.recursive,
        can_untag=scene.keeps_tags or scene.deletes_tags or scene.options.allow_decoy,
    )


def check_what_is_left(scene: RepositoryView, before: State, after: State, most: frozenset[str]) -> None:
    """No manifest is gone that had not to go, and no tag that was not listed and did not go with its manifest."""
    assert before.manifests - after.manifests <= most
    for tag in before.tags.keys() - after.tags.keys():
        assert tag in scene.listed or before.tags[tag] in most, tag


def check_what_is_said(scene: RepositoryView, before: State, after: State, done: Done) -> None:
    """What is `deleted` or `untagged` does not answer and is not listed; what is `absent` was not there."""
    assert done.stop.bug is None
    entries = [entry for entry in done.images if not entry["parent"]]
    assert [entry["image"].rpartition(":")[2] for entry in entries] == scene.listed
    for entry in entries:
        tag = entry["image"].rpartition(":")[2]
        match entry["status"]:
            case "deleted":
                assert tag not in after.tags, entry
                assert entry["digest"] not in after.manifests, entry
            case "untagged":
                assert tag not in after.tags, entry
            case "absent":
                assert tag not in before.tags or tag not in after.tags, entry
            case _:  # kept, or failed: nothing is said of what is gone
                pass


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, derandomize=True
)
@given(_scenes)
def test_broken_worlds(scene: RepositoryView) -> None:
    """A registry may keep tags, stop half-way, lose connections and hold tags that lead nowhere, all at once."""
    asyncio.run(play(scene))
