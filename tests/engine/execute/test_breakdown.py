"""A registry that breaks down at whatever request of a run, for good: what was not asked about was not attempted, or unfinished.

`tests.integration.engine` holds each of these runs to it that no image failed because nothing was sent about it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Drop, Reply, SandboxSettings, oci_image
from tests.engine.runs import APP, TAGS, Runs, words
from tests.support.fake_registry import OPEN

MANY = 14  # more images than failures in a row open a circuit


def filled(settings: SandboxSettings) -> Runs:
    """A registry with many images of the list, each with a tag that the list does not name, if these are to be untagged."""
    runs = Runs(settings)
    for seed in range(MANY):
        runs.registry.push(APP, oci_image(seed), f"pr-{seed}")
    for seed in range(0, MANY, 3):
        runs.registry.push(APP, oci_image(seed), f"stays-{seed}")
    return runs


def untrue(runs: Runs, before: Mapping[str, str | None], told: Mapping[str, str]) -> Iterator[str]:
    """What the report says that is not so."""
    tags, left = runs.registry.tags(APP), runs.registry.store.digests(APP)
    for tag, was in before.items():
        word, is_there = told.get(tag, ""), tags.get(tag) == was and was in left
        if word in ("deleted", "untagged") and tag in tags:
            yield f"{tag} is {word}, and there"
        if word.partition(" ")[0] in ("kept", "not-attempted") and not is_there:
            yield f"{tag} is {word}, and gone"


@pytest.mark.parametrize("fault", [Reply(503), Drop()], ids=["503", "silence"])
@pytest.mark.parametrize(
    ("settings", "options"),
    [
        pytest.param(OPEN, {"shared": Shared.DELETE}, id="digest"),
        pytest.param(TAGS, {"shared": Shared.UNTAG}, id="untag"),
        pytest.param(OPEN, {"shared": Shared.UNTAG, "allow_decoy": True}, id="untag by decoy"),
        pytest.param(TAGS, {"shared": Shared.DELETE, "strategy": Strategy.TAGS_FIRST}, id="tags first"),
        pytest.param(
            OPEN, {"shared": Shared.DELETE, "strategy": Strategy.TAGS_FIRST, "allow_decoy": True}, id="decoy first"
        ),
        pytest.param(replace(TAGS, untagged_first=True), {"shared": Shared.DELETE}, id="untagged first"),
    ],
)
async def test_from_any_request_on(settings: SandboxSettings, options: Mapping[str, Any], fault: Reply | Drop) -> None:
    """The rest is not attempted, or unfinished where its tag is gone; never is it failed without a request."""
    calm = filled(settings)
    assert set(words(await calm.delete(concurrency=2, **options)).values()) <= {"deleted", "untagged"}
    found: dict[int, list[str]] = {}
    met: set[str] = set()

    for number in range(0, len(calm.registry.sent), 3):
        runs = filled(settings)
        before = runs.registry.tags(APP)
        runs.registry.faults.add(fault, skip=number, times=None)
        told = words(await runs.delete(concurrency=2, **options))
        found[number] = list(untrue(runs, before, told))
        met.update(told.values())

    assert {number: wrong for number, wrong in found.items() if wrong} == {}
    assert "not-attempted circuit-open" in met
