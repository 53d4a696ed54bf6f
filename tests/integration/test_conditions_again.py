"""Conditions hold in the judgement right before something goes, with what happened since the plan."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bulkrm.engine.reading import STALE
from bulkrm.model.plan import Plan
from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest, built_image, index_of, put_image
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
Change = Callable[[Sandbox], None]


def put(sandbox: Sandbox, tag: str, day: int) -> None:
    """Put an image of a day of January under a tag."""
    config = {"created": f"2026-01-{day:02}T00:00:00Z", "config": {}}
    put_image(sandbox.store, APP, [tag], built_image(config, {"tag": tag}))


def newest_gone(sandbox: Sandbox) -> None:
    sandbox.store.delete_tag(APP, "c")


def newer_pushed(sandbox: Sandbox) -> None:
    put(sandbox, "d", 4)


def unreadable_pushed(sandbox: Sandbox) -> None:
    put(sandbox, "d", 4)
    sandbox.faults.add(Reply(500), path="/blobs/", times=None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (newest_gone, {"a": "deleted", "b": "kept newest", "c": "kept newest"}),
        (newer_pushed, {"a": "deleted", "b": "deleted", "c": "kept newest"}),
        (unreadable_pushed, {"a": "kept unreadable", "b": "kept unreadable", "c": "kept newest"}),
    ],
)
async def test_what_happened_since_the_plan(change: Change, expected: dict[str, str]) -> None:
    """Who is newest is asked anew; something new of which nobody can tell the date holds its whole group."""
    clock = FakeClock(auto=True, wall=NOW.timestamp())

    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        for day, tag in enumerate("abc", 1):
            put(sandbox, tag, day)

        async def ask(_: Plan) -> None:
            change(sandbox)
            clock.skip(STALE + 1)

        text = f"- image: {APP}:*\n  older-than: 30d\n  keep-newest: 1\n"
        done = await delete(sandbox.host, text, Options(clock=clock, before_delete=ask))

    assert {name.rpartition(":")[2]: status for name, status in done.statuses.items()} == expected


def child_in_use(sandbox: Sandbox) -> None:
    """Put the tag that is in use on an image that the index to delete `multi` names."""
    index = sandbox.store.digest_of(APP, "multi")
    assert index is not None
    found = sandbox.store.manifest(APP, index)
    assert found is not None
    sandbox.store.tag(APP, "prod", json.loads(found.content)["manifests"][0]["digest"])


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (unreadable_pushed, {"a": "kept unreadable", "b": "kept unreadable"}),
        (child_in_use, {"multi": "kept in-use"}),
        (newer_pushed, {}),
    ],
)
async def test_a_new_tag_in_the_list(change: Change, kept: dict[str, str]) -> None:
    """Where only the list of tags is too old it is read, and what is new in it is heeded as in a whole reading."""
    clock = FakeClock(auto=True, wall=NOW.timestamp())

    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        for day, tag in enumerate("abc", 1):
            put(sandbox, tag, day)
        put_image(sandbox.store, APP, ["multi"], index_of([built_image({}, {"tag": "child"})]))

        async def pass_time(_: ServerRequest) -> None:
            clock.skip(5.0)

        sandbox.faults.add(Call(pass_time), method="GET|HEAD", path="/(manifests|tags)/", times=None)

        async def ask(_: Plan) -> None:
            change(sandbox)
            clock.skip(STALE + 1)

        text = f"- image: {APP}:?\n  keep-newest: 1\n- {APP}:multi\n"
        options = Options(clock=clock, before_delete=ask, in_use=(f"{sandbox.host}/{APP}:prod",), concurrency=1)
        done = await delete(sandbox.host, text, options)

    expected = {"a": "deleted", "b": "deleted", "c": "kept newest", "multi": "deleted"}
    assert {name.rpartition(":")[2]: status for name, status in done.statuses.items()} == expected | kept
