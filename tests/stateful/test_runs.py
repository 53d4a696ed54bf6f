"""Random repositories and random runs: what is gone afterwards is exactly what had to go, and no kept tag is broken.

BULKRM_TEST_EXAMPLES=2000 raises the number of examples in memory, BULKRM_TEST_REAL_EXAMPLES=50 that for the real
registry; every example makes up to a dozen steps, several of which are runs.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bulkrm.model.settings import Shared, Strategy
from bulkrm.remote.clock import SystemClock
from bulkrm.sandbox import (
    Image,
    SandboxSettings,
    artifact,
    built_image,
    docker_image,
    fallback_index,
    fallback_tag,
    index_of,
    oci_image,
)  # fmt: skip
from tests.integration.engine import Done, Options, delete
from tests.stateful.oracle import SUFFIXES, Conditions, Fate, Oracle, Wish
from tests.stateful.worlds import MemoryWorld, RealWorld, State, World
from tests.support.fake_registry import FakeRegistry
from tests.support.registries import DISTRIBUTION_2, running

T = TypeVar("T")
TAGS = ("a1", "a2", "a3", "b1", "b2", "latest")
GLOBS = {"a*": ("a1", "a2", "a3"), "*1": ("a1", "b1"), "*": TAGS}
OWN_RULES = {"protected", "in-use", "newest", "no-date", "too-young"}
DATES = ("1970-01-01T00:00:00Z", *(f"2026-01-{day:02}T00:00:00Z" for day in (1, 2, 2, 3)))
_DEEPEST = 8  # of indexes in indexes: of deeper ones nothing goes
_tags = st.lists(st.sampled_from(TAGS), unique=True, max_size=2)
_numbers = count()


class Runs(RuleBasedStateMachine):
    """One repository after the other; `world` and `runner` are set by the tests."""

    world: World
    runner: asyncio.Runner
    deletes_tags = False

    def __init__(self) -> None:
        super().__init__()
        self.repository = f"team/app-{next(_numbers)}"
        self.images: dict[str, Image] = {}
        self.artifacts: dict[str, list[Image]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def remember(self, image: Image) -> None:
        self.images[image.digest] = image
        for child in image.children:
            self.remember(child)

    def push(self, image: Image, tags: list[str]) -> None:
        self.remember(image)
        self.run(self.world.push(self.repository, image, tags))

    def known(self, data: st.DataObject) -> Image:
        return self.images[data.draw(st.sampled_from(sorted(self.images)))]

    @rule(seed=st.integers(0, 9), docker=st.booleans(), tags=_tags)
    def push_image(self, *, seed: int, docker: bool, tags: list[str]) -> None:
        self.push((docker_image if docker else oci_image)(seed), tags)

    @precondition(lambda self: self.images)
    @rule(data=st.data(), size=st.integers(1, 3), tags=_tags)
    def push_index(self, data: st.DataObject, size: int, tags: list[str]) -> None:
        index = index_of([self.known(data) for _ in range(size)])
        if _depth(index) <= _DEEPEST:
            self.push(index, tags)

    @precondition(lambda self: self.images)
    @rule(data=st.data(), tags=st.lists(st.sampled_from(TAGS), unique=True, min_size=1, max_size=3))
    def move_tags(self, data: st.DataObject, tags: list[str]) -> None:
        self.push(self.known(data), tags)

    @precondition(lambda self: self.images)
    @rule(
        data=st.data(),
        seed=st.integers(50, 55),
        found_by=st.sampled_from(("api", "fallback", *SUFFIXES)),
        tags=_tags,
    )
    def attach(self, data: st.DataObject, seed: int, found_by: str, tags: list[str]) -> None:
        subject = self.known(data)
        attached = artifact(seed, subject)
        self.push(attached, tags[:1])
        if found_by == "fallback":
            known = self.artifacts.setdefault(subject.digest, [])
            known += [attached] if attached not in known else []
            self.push(fallback_index(known), [fallback_tag(subject)])
        elif found_by in SUFFIXES:
            self.push(attached, [fallback_tag(subject) + found_by])

    @rule(seed=st.integers(60, 63), date=st.sampled_from(DATES), tags=_tags)
    def push_dated(self, *, seed: int, date: str, tags: list[str]) -> None:
        """An image of a certain age."""
        config = {"os": "linux", "architecture": "amd64", "created": date, "config": {}}
        self.push(built_image(config, {"seed": str(seed)}), tags)

    @precondition(lambda self: self.images)
    @rule(
        glob=st.sampled_from(sorted(GLOBS)),
        conditions=st.builds(
            Conditions,
            before=st.sampled_from([None, *DATES[1:], "2026-02-01T00:00:00Z"]),
            newest=st.sampled_from([None, 1, 2, 3]),
            in_use=st.frozensets(st.sampled_from(TAGS), max_size=2),
        ),
        protected=st.lists(st.sampled_from(TAGS), unique=True, max_size=1),
        options=st.builds(
            Options,
            shared=st.sampled_from((Shared.REFUSE, Shared.DELETE)),
            recursive=st.booleans(),
            allow_decoy=st.booleans(),
        ),
    )
    def delete_by_conditions(
        self, *, glob: str, conditions: Conditions, protected: list[str], options: Options
    ) -> None:
        """Run a list of one entry with conditions; the oracle evaluates them on its own."""
        before = self.run(self.world.look(self.repository, self.images))
        oracle = Oracle(self.images, has_referrers=self.world.has_referrers)
        named = frozenset(GLOBS[glob])
        held = oracle.held(before, named, conditions)
        can_untag = self.deletes_tags or options.allow_decoy
        wish = Wish(named, frozenset(), frozenset(protected), options.shared, options.recursive, can_untag, held)
        keys = [f"older-than: '{conditions.before}'"] if conditions.before else []
        keys += [f"keep-newest: {conditions.newest}"] if conditions.newest else []
        lines = [f"- image: '{self.repository}:{glob}'", *(f"  {key}" for key in keys)]
        text = f"protect: {json.dumps([f'*:{tag}' for tag in protected])}\nimages:\n" + "\n".join(lines)
        used = tuple(f"{self.world.host}/{self.repository}:{tag}" for tag in sorted(conditions.in_use))
        self.carry_out(oracle, before, oracle.fate(before, wish), text, replace(options, in_use=used))

    @rule(seed=st.integers(20, 22), tag=st.sampled_from(TAGS), suffix=st.sampled_from(SUFFIXES))
    def push_signed(self, seed: int, tag: str, suffix: str) -> None:
        """As cosign leaves it: what is attached by its name alone is read by HEAD at first."""
        image = oci_image(seed)
        self.push(image, [tag])
        self.push(oci_image(seed + 10), [fallback_tag(image) + suffix])

    @precondition(lambda self: self.images)
    @rule(
        data=st.data(),
        tags=st.lists(st.sampled_from([*TAGS, "gone"]), unique=True, max_size=4),
        globs=st.lists(st.sampled_from(sorted(GLOBS)), unique=True, max_size=1),
        protected=st.lists(st.sampled_from(TAGS), unique=True, max_size=2),
        options=st.builds(
            Options,
            shared=st.sampled_from((Shared.REFUSE, Shared.UNTAG, Shared.DELETE)),
            recursive=st.booleans(),
            allow_decoy=st.booleans(),
            verify=st.booleans(),
            strategy=st.sampled_from(Strategy),
        ),
    )
    def delete(
        self, data: st.DataObject, tags: list[str], globs: list[str], protected: list[str], options: Options
    ) -> None:
        """Run a list without conditions."""
        digests = data.draw(st.lists(st.sampled_from(sorted(self.images)), unique=True, max_size=2))
        if not tags + globs + digests:
            return
        named = frozenset(tags).union(*(GLOBS[text] for text in globs))
        can_untag = self.deletes_tags or options.allow_decoy
        wish = Wish(named, frozenset(digests), frozenset(protected), options.shared, options.recursive, can_untag)
        before = self.run(self.world.look(self.repository, self.images))
        oracle = Oracle(self.images, has_referrers=self.world.has_referrers)
        fate = oracle.fate(before, wish)
        self.carry_out(oracle, before, fate, self.list_of([*tags, *globs], digests, protected), options)

    def carry_out(self, oracle: Oracle, before: State, fate: Fate, text: str, options: Options) -> None:
        """Run a list, dry and then really, and look whether exactly that went."""
        dry = self.run(delete(self.world.host, text, replace(options, opened=self.world.opened, dry_run=True)))
        assert self.run(self.world.look(self.repository, self.images)) == before
        with tempfile.TemporaryDirectory(prefix="bulkrm-tests-") as state:
            # Recorded, as every real run is: what was not kept before is not deleted.
            done = self.run(
                delete(self.world.host, text, replace(options, opened=self.world.opened, state=Path(state)))
            )
        after = self.run(self.world.look(self.repository, self.images))

        gone = {tag for tag, held in before.tags.items() if held in fate.manifests} | fate.tags
        assert after.manifests == before.manifests - fate.manifests
        assert after.tags == {tag: held for tag, held in before.tags.items() if tag not in gone}
        for held in after.tags.values():
            assert oracle.below([held]) & before.manifests <= after.manifests
        self.check(dry, done, fate.manifests, fate.tags)

    def list_of(self, tags: list[str], digests: list[str], protected: list[str]) -> str:
        lines = [f"- '{self.repository}:{tag}'" for tag in tags] + [f"- {self.repository}@{name}" for name in digests]
        return f"protect: {json.dumps([f'*:{tag}' for tag in protected])}\nimages:\n" + "\n".join(lines)

    def check(self, dry: Done, done: Done, manifests: frozenset[str], tags: frozenset[str]) -> None:
        """The plan said it, the outcomes say it, and the dry run said the same."""
        assert done.plan is not None
        assert {item.digest for item in done.plan.deletions} == manifests
        assert {image["digest"] for image in done.images if image["status"] == "deleted"} == manifests
        removed = {image["image"].rpartition(":")[2] for image in done.images if image["status"] == "untagged"}
        assert removed == tags
        as_done = {"would-delete": "deleted", "would-untag": "untagged"}
        assert [
            (image["image"], as_done.get(image["status"], image["status"]), image["reason"]) for image in dry.images
        ] == [(image["image"], image["status"], image["reason"]) for image in done.images]
        assert {image["status"] for image in done.images} <= {"deleted", "untagged", "kept", "absent", "no-match"}
        reasons = {image["reason"] for image in done.images if image["status"] == "kept" and not image["parent"]}
        assert done.code == dry.code == (3 if reasons - OWN_RULES else 0)
        assert done.report.verification is None or not done.report.verification.differences


def _depth(image: Image) -> int:
    return 1 + max(map(_depth, image.children)) if image.children else 0


def examples(name: str, default: int) -> settings:
    """So many examples, or as many as the environment says."""
    number = int(os.environ.get(name, default))
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(
        max_examples=number, stateful_step_count=12, deadline=None, suppress_health_check=slow, print_blob=True
    )


class Entered:
    """An asynchronous context manager, entered in a runner of its own."""

    def __init__(self, manager: AbstractAsyncContextManager[Any]) -> None:
        self.runner = asyncio.Runner()
        self._manager = manager

    def __enter__(self) -> Any:
        return self.runner.run(self._manager.__aenter__())

    def __exit__(self, *_: object) -> None:
        self.runner.run(self._manager.__aexit__(None, None, None))
        self.runner.close()


@pytest.mark.parametrize("referrers", [False, True])
@pytest.mark.parametrize("tag_deletes", [False, True])
def test_in_memory(*, tag_deletes: bool, referrers: bool) -> None:
    """With and without deletion of tags, with and without a referrers API."""
    registry = FakeRegistry(SystemClock(), SandboxSettings(tag_deletes=tag_deletes, referrers=referrers))
    with asyncio.Runner() as own:

        class Here(Runs):
            world = MemoryWorld(registry, has_referrers=referrers)
            runner = own
            deletes_tags = tag_deletes

        run_state_machine_as_test(Here, settings=examples("BULKRM_TEST_EXAMPLES", 40))


def test_on_the_real_registry(tmp_path: Path) -> None:
    """On distribution 2.8.2, which deletes by digest only."""
    entered = Entered(running(DISTRIBUTION_2, tmp_path / "registry"))
    with entered as registry:

        class There(Runs):
            world = RealWorld(registry)
            runner = entered.runner

        run_state_machine_as_test(There, settings=examples("BULKRM_TEST_REAL_EXAMPLES", 6))
