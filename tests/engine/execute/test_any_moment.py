"""Whatever happens at whatever request of a run, the report says what is so.

Each way of removing things is run again and again: with one more request each time before the clock jumps, the run is
interrupted for good, or (of those that change something) an answer is lost. Nobody else does anything to the registry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import DropAfter, SandboxSettings, oci_image
from tests.engine.runs import APP, TAGS, Runs, words
from tests.support.fake_registry import OPEN

CHANGES = "DELETE|PUT"


@dataclass(frozen=True, slots=True)
class Moment:
    """At which request what happens; None: it does not. `lost`: which change has no answer."""

    lost: int | None = None
    late: int | None = None
    cut_off: int | None = None


@dataclass(slots=True)
class World:
    """A registry with three images of the list, one of which has another tag too, and one that stays."""

    settings: SandboxSettings
    options: Mapping[str, Any]
    runs: Runs = field(init=False)
    before: dict[str, str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = Runs(self.settings)
        for seed, tags in enumerate((("pr-1", "pr-2"), ("pr-3", "pr-4", "latest"), ("pr-5",), ("stays",))):
            self.runs.registry.push(APP, oci_image(seed), *tags)
        self.before = self.runs.registry.tags(APP)

    async def delete(self, moment: Moment) -> list[str]:
        """Run; return what the report says that is not so."""
        runs, stop = self.runs, Stop()
        if moment.lost is not None:
            runs.registry.faults.add(DropAfter(), method=CHANGES, skip=moment.lost)
        if moment.late is not None:
            runs.on(".*", "", lambda: runs.clock.skip(61), skip=moment.late)
        if moment.cut_off is not None:
            for _ in range(2):
                runs.on(".*", "", lambda: stop.interrupt(Signal.INTERRUPT), skip=moment.cut_off)
        done = await runs.delete(stop=stop, concurrency=4, **self.options)
        wrong = [] if stop.bug is None else [f"a bug: {stop.bug!r}"]
        return wrong + list(self._wrong(words(done)))

    def _wrong(self, told: Mapping[str, str]) -> Iterator[str]:
        tags, left = self.runs.registry.tags(APP), self.runs.registry.store.digests(APP)
        for tag, was in self.before.items():
            if tag in told:
                word, is_there = told[tag].partition(" ")[0], tags.get(tag) == was and was in left
                if word in ("deleted", "untagged") and tag in tags:
                    yield f"{tag} is {told[tag]}, and there"
                if word in ("kept", "not-attempted") and not is_there:
                    yield f"{tag} is {told[tag]}, and gone"
                if word == "absent" or told[tag] == "kept moved":
                    yield f"{tag} is {told[tag]}, and nobody else was there"
            elif tags.get(tag) != was:
                yield f"{tag} was not listed, and is gone"


def moments(requests: int, changes: int) -> Iterator[Moment]:
    """Every moment after the planning at which something may happen, and both together for a lost answer."""
    begin = requests // 3
    for number in range(begin, requests):
        yield Moment(late=number)
        yield Moment(cut_off=number)
    for lost in range(changes):
        for number in range(begin, requests + 4):
            yield Moment(lost=lost, late=number)
        for number in range(begin, requests + 4, 2):
            yield Moment(lost=lost, cut_off=number)


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        pytest.param(OPEN, {}, id="digest"),
        pytest.param(TAGS, {"shared": Shared.UNTAG}, id="untag"),
        pytest.param(OPEN, {"shared": Shared.UNTAG, "allow_decoy": True}, id="untag by decoy"),
        pytest.param(TAGS, {"strategy": Strategy.TAGS_FIRST}, id="tags first"),
        pytest.param(OPEN, {"strategy": Strategy.TAGS_FIRST, "allow_decoy": True}, id="decoy first"),
        pytest.param(replace(TAGS, untagged_first=True), {}, id="untagged first"),
        pytest.param(replace(TAGS, tags_survive_digest_delete=True), {}, id="tags outlive their manifest"),
        pytest.param(
            replace(TAGS, tag_delete_takes_all=True),
            {"strategy": Strategy.TAGS_FIRST},
            id="a tag takes its image along",
        ),
    ],
)
async def test_the_report_is_true(settings: SandboxSettings, options: Mapping[str, Any]) -> None:
    """What is deleted is gone, what was not attempted is there, and what the list does not name is as it was."""
    calm = World(settings, options)
    assert await calm.delete(Moment()) == []
    asked = calm.runs.registry

    found = {
        moment: wrong
        for moment in moments(len(asked.sent), len(asked.asked("DELETE", "PUT")))
        if (wrong := await World(settings, options).delete(moment))
    }

    assert found == {}
