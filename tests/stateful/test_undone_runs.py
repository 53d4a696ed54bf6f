"""Random histories of one run: cut short, killed, taken back in part or wholly, gone on with, in any order.

Whatever happens, what is said is so, what somebody put back is never deleted again, and in the end all of it is back.
BULKRM_TEST_EXAMPLES=500 raises the number of examples in memory, BULKRM_TEST_REAL_EXAMPLES=50 that for the real one.
"""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bulkrm.engine.stop import Stop
from bulkrm.model.settings import Strategy
from bulkrm.remote.clock import SystemClock
from bulkrm.sandbox import Image, SandboxSettings, docker_image, index_of, oci_image
from bulkrm.state.known import KnownRun, known_runs
from tests.integration.engine import Options, delete
from tests.integration.resumed import resume
from tests.integration.undone import Cut, undo
from tests.stateful.test_runs import Entered, examples
from tests.stateful.worlds import MemoryWorld, RealWorld, State, World
from tests.support.fake_registry import FakeRegistry
from tests.support.registries import DISTRIBUTION_2, running

T = TypeVar("T")
TAGS = tuple(f"pr-{number}" for number in range(8))
_numbers = count()
_after = st.none() | st.integers(1, 10)


class OneRun(RuleBasedStateMachine):
    """One run in one repository; `world` and `runner` are set by the tests."""

    world: World
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.repository = f"team/app-{next(_numbers)}"
        self._folder = tempfile.TemporaryDirectory(prefix="bulkrm-tests-")
        self.state = Path(self._folder.name)
        self.images: dict[str, Image] = {}
        self.before = State()
        self.put_back: set[str] = set()
        self.options = Options()

    def teardown(self) -> None:
        if self.known is not None:
            self.finally_undone()
        self._folder.cleanup()

    # What there is

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @property
    def known(self) -> KnownRun | None:
        return next(iter(known_runs(self.state)), None)

    def look(self) -> State:
        return self.run(self.world.look(self.repository, self.images))

    @initialize(
        kinds=st.lists(st.sampled_from(("oci", "docker", "index")), min_size=3, max_size=6),
        twins=st.sets(st.integers(0, 5), max_size=2),
        options=st.builds(
            Options,
            strategy=st.sampled_from(Strategy),
            allow_decoy=st.booleans(),
            recursive=st.booleans(),
            concurrency=st.just(3),  # so that some are under way when it is cut short
        ),
        after=_after,
        kill=st.booleans(),
    )
    def begin(self, kinds: list[str], twins: set[int], options: Options, after: int | None, *, kill: bool) -> None:
        """Fill the repository, and begin to delete all of it but one image."""
        names = iter(TAGS)
        for seed, kind in enumerate(kinds):
            image = {"oci": oci_image(seed), "docker": docker_image(seed), "index": index_of([oci_image(50 + seed)])}
            self.push(image[kind], [next(names), *([next(names)] if seed in twins else [])])
        self.push(oci_image(90), ["latest"])
        self.before = self.look()
        self.options = replace(options, state=self.state, opened=self.world.opened)
        cut = self.cut(after, kill=kill)
        done = self.run(delete(self.world.host, f"- {self.repository}:pr-*", self.with_(cut)))
        cut.bury()
        now = self.look()
        self.check(done.images, now, seen_by_user=cut.left is None)
        left = _tags(image for image in done.images if image["status"] == "not-attempted")
        assert cut.left is not None or {tag: now.tags.get(tag) for tag in left} == {
            tag: self.before.tags[tag] for tag in left
        }

    def push(self, image: Image, tags: list[str]) -> None:
        for part in (image, *image.children):
            self.images[part.digest] = part
        self.run(self.world.push(self.repository, image, tags))

    # What is done

    def cut(self, after: int | None, *, kill: bool) -> Cut:
        return Cut(Stop(), after, kill, self.state)

    def with_(self, cut: Cut) -> Options:
        return replace(self.options, stop=cut.stop, tell=cut)

    @rule(after=_after, kill=st.booleans(), tags=st.none() | st.sets(st.sampled_from(TAGS), min_size=1, max_size=3))
    def take_back(self, after: int | None, tags: set[str] | None, *, kill: bool) -> None:
        """Undo all of it or some tags, to the end or not."""
        cut = self.cut(after, kill=kill)
        images = self.run(undo(self.options, cut, tags))
        killed = cut.left is not None
        cut.bury()
        now = self.look()
        self.check(images, now, seen_by_user=not killed)
        self.put_back |= _tags(image for image in images if image["status"] in ("restored", "unchanged"))
        if tags is None and not cut.stop:
            assert now == self.before
            if images:  # where a killed undo had put everything back, and resume kept it, there is nothing left to undo
                self.expect_undone()

    def expect_undone(self) -> None:
        assert self.known is not None
        anything = any(True for _ in self.put_back)
        assert self.known.is_undone is anything

    @precondition(lambda self: self.known is not None and not self.known.status.is_over)
    @rule(after=_after, kill=st.booleans())
    def go_on(self, after: int | None, *, kill: bool) -> None:
        """Resume, to the end or not: what somebody put back stays."""
        cut = self.cut(after, kill=kill)
        done = self.run(resume(self.world.host, self.with_(cut)))
        killed = cut.left is not None
        cut.bury()
        now = self.look()
        self.check(done.images, now, seen_by_user=not killed)
        assert {tag: self.before.tags[tag] for tag in self.put_back} == {
            tag: now.tags.get(tag) for tag in self.put_back
        }
        if not cut.stop:
            words = {_tag(image): (image["status"], image["reason"]) for image in done.images if not image["parent"]}
            assert {tag for tag, (_, reason) in words.items() if reason == "undone"} >= self.put_back
            assert {status for status, _ in words.values()} <= {"deleted", "untagged", "kept"}
            assert {tag for tag, (status, _) in words.items() if status != "kept"} == set(self.before.tags) - set(
                now.tags
            )

    @precondition(lambda self: self.known is not None and self.known.is_undone)
    @rule()
    def over(self) -> None:
        """A run of which everything was put back: all of it is there."""
        assert self.known is not None
        assert self.known.status.is_over
        assert self.look() == self.before

    def finally_undone(self) -> None:
        """Whatever happened, one more undo brings everything back."""
        self.run(undo(self.options, self.cut(None, kill=False)))
        assert self.look() == self.before

    # What is said

    def check(self, images: Iterable[Mapping[str, Any]], now: State, *, seen_by_user: bool) -> None:
        """Hold each outcome against what is there, if somebody saw it."""
        for image in images if seen_by_user else ():
            tag, digest = _tag(image), image["digest"]
            held = now.tags.get(tag) if tag else None
            match image["status"]:
                case "deleted":
                    assert held is None, image
                    assert digest not in now.manifests, image
                case "untagged":
                    assert held is None, image
                    assert digest in now.manifests, image
                case "restored" | "unchanged":
                    assert digest in now.manifests, image
                    assert tag is None or held == digest, image
                case "kept" if image["reason"] == "undone":
                    assert digest in now.manifests, image
                    assert tag is None or held == digest, image
                case _:
                    pass
        assert now.manifests <= self.before.manifests
        assert now.tags.items() <= self.before.tags.items() or self.options.allow_decoy


def _tag(image: Mapping[str, Any]) -> str | None:
    name, at, _ = str(image["image"]).partition("@")
    return None if at and ":" not in name.rpartition("/")[2] else name.rpartition(":")[2]


def _tags(images: Iterable[Mapping[str, Any]]) -> set[str]:
    """The tags of those images that are named by one."""
    return {tag for image in images if (tag := _tag(image)) is not None}


@pytest.mark.parametrize("tag_deletes", [False, True])
def test_in_memory(*, tag_deletes: bool) -> None:
    """With and without deletion of tags."""
    registry = FakeRegistry(SystemClock(), SandboxSettings(tag_deletes=tag_deletes))
    with asyncio.Runner() as own:

        class Here(OneRun):
            world = MemoryWorld(registry, has_referrers=False)
            runner = own

        run_state_machine_as_test(Here, settings=examples("BULKRM_TEST_EXAMPLES", 40))


def test_on_the_real_registry(tmp_path: Path) -> None:
    """On distribution 2.8.2, which deletes by digest only."""
    entered = Entered(running(DISTRIBUTION_2, tmp_path / "registry"))
    with entered as registry:

        class There(OneRun):
            world = RealWorld(registry)
            runner = entered.runner

        run_state_machine_as_test(There, settings=examples("BULKRM_TEST_REAL_EXAMPLES", 6))
