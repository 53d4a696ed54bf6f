"""Single tags are changed against the sandbox: read right before each send, one request a send, never blindly twice."""

import anyio
import pytest

from bulkrm.engine.execute.tags.tag_change import Change
from bulkrm.engine.execute.tags.tags_ahead import TagsAhead, TagsUnderDecoy
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Manifest, Resolved
from bulkrm.model.plan import Delete, Item
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import FailureCode
from bulkrm.planning.image_state import Unsent
from bulkrm.planning.tag_state import FailedChange, Moved, NotSent
from bulkrm.remote.sending import ALWAYS
from bulkrm.sandbox import Auth, Call, Drop, DropAfter, Reply, SandboxSettings, ServerRequest
from tests.protocol.opening import app
from tests.protocol.tag_scene import APP, DAMAGE, Lost, Scene, scene, sent

TAGS = SandboxSettings(auth=Auth.NONE, tag_deletes=True)
LIMIT = Reply(429, {"Retry-After": "1"})


def removal(here: Scene, tag: str = "a") -> Change:
    """A change after which a tag is to hold nothing."""
    return Change(app(here.sandbox), tag, here.held[tag], None, ALWAYS)


def nowhere(here: Scene, tag: str = "ghost") -> Change:
    """The removal of a tag that leads nowhere, which is listed."""
    here.sandbox.store.tag(APP, tag, "sha256:" + "9" * 64)
    return Change(app(here.sandbox), tag, None, None, ALWAYS, damaged=True)


@pytest.mark.parametrize(
    ("fault", "expected", "sends"),
    [
        (None, Removal.ACCEPTED, 1),
        (DropAfter(), Removal.FOUND_GONE, 1),  # it acted, as the reading afterwards shows
        (Drop(), Removal.ACCEPTED, 2),
        (Reply(502), Removal.ACCEPTED, 2),
        (LIMIT, Removal.ACCEPTED, 2),
    ],
)
async def test_a_tag_is_deleted(fault: Reply | Drop | DropAfter | None, expected: Removal, sends: int) -> None:
    """After a bad answer the tag is read, and the DELETE sent again only where it holds what it held."""
    async with scene(TAGS) as here:
        if fault is not None:
            here.sandbox.faults.add(fault, method="DELETE", path="/a$")

        assert await here.changer.delete(removal(here)) == expected

        assert sent(here.sandbox, "DELETE") == ["a"] * sends
        assert set(here.now()) == {"b", "c"}


async def test_a_push_between_two_sends() -> None:
    """A tag that somebody pushed after a bad answer is not deleted by a second send."""
    async with scene(TAGS) as here:

        async def push(_: ServerRequest) -> None:
            here.sandbox.store.tag(APP, "a", here.held["b"])

        here.sandbox.faults.add(Call(push), method="DELETE", path="/a$")
        here.sandbox.faults.add(Reply(502), method="DELETE", path="/a$")

        assert await here.changer.delete(removal(here)) == Moved(here.held["b"])

        assert here.now()["a"] == here.held["b"]
        assert sent(here.sandbox, "DELETE") == ["a"]


async def test_a_refusal_is_final() -> None:
    """What the registry refuses is sent once, and not in doubt."""
    async with scene(TAGS) as here:
        here.sandbox.faults.add(Reply(409), method="DELETE", path="/a$", times=None)

        changed = await here.changer.delete(removal(here))

        assert isinstance(changed, FailedChange)
        assert (changed.failure.status, changed.effect) == (409, Effect.NONE)
        assert sent(here.sandbox, "DELETE") == ["a"]


@pytest.mark.parametrize(("times", "reads", "sends"), [(1, 2, 1), (3, 4, 1), (None, 8, 0)])
async def test_nothing_is_sent_on_an_old_reading(times: int | None, reads: int, sends: int) -> None:
    """A tag that was read more than five seconds before its DELETE's turn is read again, eight times at most."""
    async with scene(TAGS) as here:
        digest = here.held["a"]
        pause = {"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}
        answer = Reply(200, {**pause, "Docker-Content-Digest": digest, "Content-Type": OCI_MANIFEST})
        here.sandbox.faults.add(answer, method="HEAD|GET", path="/a$", times=times)

        changed = await here.changer.delete(removal(here))

        assert changed is Removal.ACCEPTED if sends else isinstance(changed, NotSent)
        assert (len(sent(here.sandbox, "HEAD")), sent(here.sandbox, "DELETE")) == (reads, ["a"] * sends)


async def test_what_nobody_wants_is_not_sent() -> None:
    """It is read, and left alone."""
    async with scene(TAGS) as here:
        change = Change(app(here.sandbox), "a", here.held["a"], None, Lost())

        assert await here.changer.delete(change) == Unsent()

        assert sent(here.sandbox, "DELETE") == []
        assert here.now() == here.held


@pytest.mark.parametrize(
    ("fault", "sends", "is_open"),
    [(None, 1, False), (LIMIT, 2, False), (Drop(), 1, True), (DropAfter(), 1, True), (Reply(502), 1, True)],
)
async def test_a_tag_that_leads_nowhere(fault: Reply | Drop | DropAfter | None, sends: int, *, is_open: bool) -> None:
    """Reading it does not tell what its DELETE did: behind a limit it is sent again, in doubt it never is."""
    async with scene(TAGS) as here:
        change = nowhere(here)
        if fault is not None:
            here.sandbox.faults.add(fault, method="DELETE", path="/ghost$")

        changed = await here.changer.delete(change)

        came_to = changed.effect if isinstance(changed, FailedChange) else changed
        assert came_to is (Effect.OPEN if is_open else Removal.ACCEPTED)
        assert sent(here.sandbox, "DELETE") == ["ghost"] * sends


async def test_a_damaged_tag_is_read_once() -> None:
    """That a tag is damaged is heard once before its DELETE, and not five times."""
    async with scene(TAGS) as here:
        here.sandbox.faults.add(DAMAGE, method="GET|HEAD", path="/a$", times=None)
        change = Change(app(here.sandbox), "a", None, None, ALWAYS, damaged=True)

        assert await here.changer.delete(change) is Removal.ACCEPTED

        assert sent(here.sandbox, "GET", "HEAD").count("a") == 1


async def test_cut_off() -> None:
    """Whoever is cut off reads the effect of the change: open while the DELETE is under way, none while the tag is read."""
    for method, expected in (("HEAD", Effect.NONE), ("DELETE", Effect.OPEN)):
        async with scene(TAGS) as here:
            change = removal(here)
            with anyio.CancelScope() as scope:

                async def end(_: ServerRequest, scope: anyio.CancelScope = scope) -> None:
                    scope.cancel()

                here.sandbox.faults.add(Call(end), method=method, path="/a$")
                await here.changer.delete(change)

            assert scope.cancelled_caught
            assert change.effect is expected


@pytest.mark.parametrize("by_decoy", [False, True])
async def test_cut_off_ahead_of_its_manifest(*, by_decoy: bool) -> None:
    """A tag counts as gone, for the tag list to prove, if its DELETE or the push of a decoy over it may have acted."""
    async with scene(TAGS) as here, here.decoys.make(app(here.sandbox), ["a"]) as decoy:
        removed, repository = here.context.removed_ahead, app(here.sandbox)
        item = Item(repository, Resolved(here.held["a"], OCI_MANIFEST, 3), (), Delete(), ("a",))
        ahead = TagsUnderDecoy(decoy, removed) if by_decoy else TagsAhead(here.changer, removed)
        with anyio.CancelScope() as scope:

            async def end(_: ServerRequest) -> None:
                scope.cancel()

            here.sandbox.faults.add(Call(end), method="DELETE|PUT", path="/a$")
            await ahead.remove(item, "a", ALWAYS)

        assert scope.cancelled_caught
        assert removed.is_gone(repository, "a")
        assert removed.any_found_gone(repository, ["a"])


async def test_put_back_is_read_again() -> None:
    """What a tag holds is put back only over what it is expected to hold, and read afterwards."""
    async with scene(TAGS) as here:
        repository, changer = app(here.sandbox), here.changer
        archived = await changer.whole(repository, here.held["a"])
        assert isinstance(archived, Manifest)

        assert await changer.put_back(repository, "b", here.held["b"], archived) == here.held["a"]
        assert await changer.put_back(repository, "c", here.held["b"], archived) == here.held["c"]

        assert here.now() == {"a": here.held["a"], "b": here.held["a"], "c": here.held["c"]}


@pytest.mark.parametrize(
    ("fault", "gone", "found"),
    [(None, True, False), (DropAfter(), True, True), (Reply(409), False, False)],
)
@pytest.mark.parametrize("look", [False, True])
async def test_ahead_of_its_manifest(fault: Reply | DropAfter | None, *, gone: bool, found: bool, look: bool) -> None:
    """A tag counts as gone after its DELETE, found gone without a clean answer, and as there where it was refused."""
    async with scene(TAGS) as here:
        removed, repository = here.context.removed_ahead, app(here.sandbox)
        item = Item(repository, Resolved(here.held["a"], OCI_MANIFEST, 3), (), Delete(), ("a",))
        if fault is not None:
            here.sandbox.faults.add(fault, method="DELETE", path="/a$", times=None)

        ahead = TagsAhead(here.changer, removed)
        await (ahead.remove_and_look if look else ahead.remove)(item, "a", ALWAYS)

        assert removed.is_gone(repository, "a") is gone
        assert removed.any_found_gone(repository, ["a"]) is found
        assert dict(removed.of(repository)) == ({"a": here.held["a"]} if gone else {})


async def test_an_effect_that_is_looked_up() -> None:
    """Where the manifest waits for a tag, it is read right away what a DELETE without an answer did."""
    for look, expected in ((False, Effect.OPEN), (True, Effect.NONE)):
        async with scene(TAGS) as here:
            item = Item(app(here.sandbox), Resolved(here.held["a"], OCI_MANIFEST, 3), (), Delete(), ("a",))
            here.sandbox.faults.add(Reply(503), method="DELETE", path="/a$", times=None)

            ahead = TagsAhead(here.changer, here.context.removed_ahead)
            changed = await (ahead.remove_and_look if look else ahead.remove)(item, "a", ALWAYS)

            assert isinstance(changed, FailedChange)
            assert changed.effect is expected
            assert here.context.removed_ahead.is_gone(app(here.sandbox), "a") is not look


async def test_what_cannot_be_read() -> None:
    """It is not changed, and the failure is that of the reading."""
    async with scene(TAGS) as here:
        here.sandbox.faults.add(Reply(403), method="GET|HEAD", path="/a$", times=None)

        changed = await here.changer.delete(removal(here))

        assert isinstance(changed, NotSent)
        assert changed.failure.code is FailureCode.NOT_PERMITTED
        assert sent(here.sandbox, "DELETE") == []
