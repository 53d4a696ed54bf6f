"""What happens between the plan and the question, and between the question and the DELETE: kept, with the reason."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bulkrm.engine.reading import STALE
from bulkrm.model.plan import Plan
from bulkrm.model.settings import Shared
from bulkrm.sandbox import Call, Image, Reply, Sandbox, SandboxSettings, ServerRequest, index_of, oci_image, put_image
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
ONE, OTHER, NEW = (oci_image(seed=seed) for seed in (1, 2, 3))
Change = Callable[[Sandbox], None]


def moved(sandbox: Sandbox) -> None:
    sandbox.store.tag(APP, "a", put_image(sandbox.store, APP, (), NEW))


def added(sandbox: Sandbox) -> None:
    sandbox.store.tag(APP, "new", ONE.digest)


def indexed(sandbox: Sandbox) -> None:
    put_image(sandbox.store, APP, ["multi"], index_of([ONE]))


def fill(sandbox: Sandbox, *tags: str) -> Image:
    """The image that is listed, under these tags, and another one that is listed too."""
    put_image(sandbox.store, APP, tags, ONE)
    put_image(sandbox.store, APP, ["b"], OTHER)
    return ONE


def between_plan_and_question(sandbox: Sandbox, change: Change, clock: FakeClock) -> Callable[[Plan], Awaitable[None]]:
    """Change it when the question is asked, and let the answer take more than a minute."""

    async def ask(_: Plan) -> None:
        change(sandbox)
        clock.skip(STALE + 1)

    return ask


def between_question_and_delete(sandbox: Sandbox, change: Change, _: FakeClock) -> Callable[[Plan], Awaitable[None]]:
    """Change it when the first DELETE of the digest arrives, which the registry then holds up for more than a minute."""

    async def happen(_: ServerRequest) -> None:
        change(sandbox)

    async def ask(_: Plan) -> None:
        sandbox.faults.add(Call(happen), method="DELETE", path=ONE.digest)
        sandbox.faults.add(Reply(429, {"Retry-After": str(int(STALE) + 10)}), method="DELETE", path=ONE.digest)

    return ask


Moment = Callable[[Sandbox, Change, FakeClock], Callable[[Plan], Awaitable[None]]]


@pytest.mark.parametrize("shared", [Shared.REFUSE, Shared.DELETE, Shared.UNTAG])
@pytest.mark.parametrize(("change", "reason"), [(moved, "moved"), (added, "shared"), (indexed, "needed")])
@pytest.mark.parametrize("moment", [between_plan_and_question, between_question_and_delete])
async def test_a_digest_to_delete(moment: Moment, change: Change, reason: str, shared: Shared) -> None:
    """A tag that moved, a tag that came, an index that came: the image is kept, and the other one goes all the same."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        fill(sandbox, "a")
        clock = FakeClock(auto=True)
        options = Options(shared=shared, clock=clock, before_delete=moment(sandbox, change, clock))

        done = await delete(sandbox.host, f"- {APP}:a\n- {APP}:b", options)

        assert done.statuses == {f"{APP}:a": f"kept {reason}", f"{APP}:b": "deleted"}
        assert ONE.digest in sandbox.store.digests(APP)


@pytest.mark.parametrize("allow_decoy", [True, False])
@pytest.mark.parametrize(("change", "status"), [(moved, "kept moved"), (added, "untagged"), (indexed, "untagged")])
async def test_a_tag_to_remove(*, change: Change, status: str, allow_decoy: bool) -> None:
    """A tag to be taken off that moved is kept; what came to its manifest stays there, and the tag goes."""
    async with Sandbox(SandboxSettings(tag_deletes=not allow_decoy)) as sandbox:
        fill(sandbox, "a", "stays")

        async def ask(_: Plan) -> None:
            change(sandbox)

        options = Options(shared=Shared.UNTAG, allow_decoy=allow_decoy, before_delete=ask)
        done = await delete(sandbox.host, f"- {APP}:a", options)

        assert done.statuses == {f"{APP}:a": status}
        assert sandbox.store.digest_of(APP, "stays") == ONE.digest
        assert (sandbox.store.digest_of(APP, "a") is None) == (status == "untagged")


@pytest.mark.parametrize("allow_decoy", [True, False])
async def test_the_last_window_of_a_tag(*, allow_decoy: bool) -> None:
    """Between the last reading of a tag and what is sent for it there is no other request to the repository."""
    async with Sandbox(SandboxSettings(tag_deletes=not allow_decoy)) as sandbox:
        fill(sandbox, "a", "c", "d", "stays")
        options = Options(shared=Shared.UNTAG, allow_decoy=allow_decoy, concurrency=1)

        done = await delete(sandbox.host, f"- {APP}:a\n- {APP}:c\n- {APP}:d", options)

        changes = [
            number
            for number, (method, path) in enumerate(done.sent)
            if method == "PUT" or (method == "DELETE" and path.rpartition("/")[2] in ("a", "c", "d"))
        ]
        assert len(changes) == 3
        for number in changes:
            before = [sent for sent in done.sent[:number] if "manifests" in sent[1]][-1]
            assert before == ("HEAD", done.sent[number][1])


async def test_the_last_window_of_a_digest() -> None:
    """A tag put on a digest to delete after the last reading, within the minute, goes with it: that is the documented window."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")

        async def ask(_: Plan) -> None:
            added(sandbox)

        done = await delete(sandbox.host, f"- {APP}:a", Options(before_delete=ask))

        assert done.statuses == {f"{APP}:a": "deleted"}
        assert sandbox.store.digest_of(APP, "new") is None


async def test_a_tag_that_moves_within_the_minute_is_safe() -> None:
    """What a tag moved to is never deleted: manifests go by their digest."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")

        async def ask(_: Plan) -> None:
            moved(sandbox)

        await delete(sandbox.host, f"- {APP}:a", replace(Options(), before_delete=ask))

        assert sandbox.store.digest_of(APP, "a") == NEW.digest
