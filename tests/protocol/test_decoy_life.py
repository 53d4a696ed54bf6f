"""The life of one decoy against the sandbox: journalled, pushed, deleted once, proved by the list, put back where it stays."""

import anyio
import pytest

from bulkrm.model.manifests.manifest import Manifest, decoy_run
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Signal
from bulkrm.planning.image_state import Unsent
from bulkrm.planning.tag_state import Moved, NotSent, Pushed, TagState
from bulkrm.remote.sending import ALWAYS
from bulkrm.sandbox import Auth, Call, Drop, Reply, SandboxSettings, ServerRequest
from bulkrm.state.errors import StateError
from tests.protocol.opening import app
from tests.protocol.tag_scene import APP, DAMAGE, REAL, RUN, Lost, scene, sent


async def test_from_the_journal_to_the_proof() -> None:
    """It is journalled before anything is pushed, read and pushed tag by tag, deleted once, and proved by one list."""
    async with scene() as here:
        decoy = await here.pushed("a", "b")
        before = len(here.sandbox.log)

        removal = await decoy.remove()

        ((tags, manifest, pushed),) = here.journal.heard
        assert (tags, manifest.digest, pushed) == (["a", "b"], decoy.digest, 0)
        assert decoy_run(manifest) == RUN
        assert decoy.digest in here.context.removed_ahead.decoys(app(here.sandbox))
        assert sent(here.sandbox, "PUT") == ["a", "b"]
        assert [(line.method, line.path.rpartition("/")[2]) for line in here.sandbox.log[before:]] == [
            ("DELETE", decoy.digest),
            ("GET", "list"),
        ]
        assert (removal.deleted, removal.failure) == (Removal.ACCEPTED, None)
        assert {tag: look.state for tag, look in removal.looks.items()} == dict.fromkeys("ab", TagState.GONE)
        assert here.now() == {"c": here.held["c"]}
        assert here.clock.slept == []


async def test_a_journal_that_is_full() -> None:
    """What cannot be journalled is never pushed."""
    async with scene() as here:
        here.journal.full = True

        with pytest.raises(StateError):
            async with here.decoys.make(app(here.sandbox), ["a"]):
                pytest.fail("it was made")

        assert sent(here.sandbox, "PUT", "DELETE") == []


async def test_only_what_holds_what_it_held() -> None:
    """A tag that moved, cannot be read, or is not wanted any more is not overwritten."""
    async with scene() as here, here.decoys.make(app(here.sandbox), ["a", "b", "c"]) as decoy:
        here.sandbox.store.tag(APP, "a", here.held["c"])
        here.sandbox.faults.add(DAMAGE, method="HEAD|GET", path="manifests/b$", times=None)

        moved = await decoy.push(decoy.change("a", here.held["a"], ALWAYS))
        unread = await decoy.push(decoy.change("b", here.held["b"], ALWAYS))
        unwanted = await decoy.push(decoy.change("c", here.held["c"], Lost()))

        assert (moved, unwanted) == (Moved(here.held["c"]), Unsent())
        assert isinstance(unread, NotSent)
        assert (decoy.under, sent(here.sandbox, "PUT")) == ({}, [])


@pytest.mark.parametrize("damaged", [True, False])
async def test_a_damaged_tag(*, damaged: bool) -> None:
    """A tag that the registry cannot read is overwritten only where the plan says that it is damaged."""
    async with scene() as here, here.decoys.make(app(here.sandbox), ["a"]) as decoy:
        here.sandbox.faults.add(DAMAGE, method="GET", path="manifests/a$", times=1)
        if not damaged:
            here.sandbox.faults.add(DAMAGE, method="HEAD|GET", path="manifests/a$", times=None)

        changed = await decoy.push(decoy.change("a", None, ALWAYS, damaged=damaged))

        assert isinstance(changed, Pushed if damaged else NotSent)
        assert sent(here.sandbox, "PUT") == (["a"] if damaged else [])


async def test_a_registry_that_works_in_the_background() -> None:
    """Tags that hold the decoy still are waited for, and nothing is put back over what is on its way out."""
    async with scene(SandboxSettings(auth=Auth.NONE, delete_lag=2.0)) as here:
        decoy = await here.pushed("a", "b", "c")

        removal = await decoy.remove()

        assert {look.state for look in removal.looks.values()} == {TagState.GONE}
        assert here.clock.slept == [1.0, 3.0]
        assert len(sent(here.sandbox, "PUT")) == 3
        assert here.now() == {}


async def test_tags_that_outlive_the_decoy() -> None:
    """Where the decoy stays under its tags although it was deleted, they get back what they held, and are read again."""
    async with scene(SandboxSettings(auth=Auth.NONE, tags_survive_digest_delete=True)) as here:
        decoy = await here.pushed("a", "b")

        removal = await decoy.remove()

        assert removal.deleted is Removal.ACCEPTED
        assert {tag: (look.state, look.held) for tag, look in removal.looks.items()} == {
            tag: (TagState.SERVES, here.held[tag]) for tag in "ab"
        }
        assert here.now() == here.held
        assert here.clock.slept == [1.0, 3.0, 9.0]


@pytest.mark.parametrize("readable", [True, False])
async def test_a_decoy_that_cannot_be_deleted(*, readable: bool) -> None:
    """After a refusal nobody waits: each tag gets back what it held, or is known to hold the decoy."""
    async with scene() as here:
        decoy = await here.pushed("a", "b")
        here.sandbox.faults.add(Reply(409), method="DELETE", path=REAL, times=None)
        if not readable:
            here.sandbox.faults.add(Reply(404), method="GET", path=here.held["b"], times=None)

        removal = await decoy.remove()

        assert removal.failure is not None
        assert here.clock.slept == []
        assert here.now()["a"] == here.held["a"]
        assert removal.looks["b"].held == here.now()["b"] == (here.held["b"] if readable else decoy.digest)


async def test_what_is_archived_is_not_read() -> None:
    """A manifest that is at hand is put back although the registry has lost it."""
    async with scene() as here:
        decoy = await here.pushed("a")
        archived = await here.changer.whole(app(here.sandbox), here.held["a"])
        assert isinstance(archived, Manifest)
        here.sandbox.store.delete_manifest(APP, here.held["a"])
        here.sandbox.faults.add(Reply(409), method="DELETE", path=REAL, times=None)

        removal = await decoy.remove({archived.digest: archived})

        assert removal.looks["a"].state is TagState.SERVES
        assert here.now()["a"] == here.held["a"]


async def test_somebody_pushes_over_it() -> None:
    """What somebody pushed since is neither overwritten nor waited for."""
    async with scene() as here:
        decoy = await here.pushed("a", "b")

        async def push(_: ServerRequest) -> None:
            here.sandbox.store.tag(APP, "a", here.held["c"])

        here.sandbox.faults.add(Call(push), method="DELETE", path=REAL)

        removal = await decoy.remove()

        assert (removal.looks["a"].state, removal.looks["a"].held) == (TagState.MOVED, here.held["c"])
        assert removal.looks["b"].state is TagState.GONE
        assert here.now() == {"a": here.held["c"], "c": here.held["c"]}
        assert here.clock.slept == []


async def test_a_registry_that_stops_half_way() -> None:
    """Tags that are listed and answer nothing are left to a later list, and not waited for."""
    async with scene() as here:
        decoy = await here.pushed("a", "b", "c")

        async def half(_: ServerRequest) -> None:
            here.sandbox.store.delete_manifest(APP, decoy.digest, only=1)

        here.sandbox.faults.add(Call(half), method="DELETE", path=REAL)
        here.sandbox.faults.add(Drop(), method="DELETE", path=REAL)

        removal = await decoy.remove()

        assert removal.deleted is Removal.FOUND_GONE
        states = [(look.state, look.held) for look in removal.looks.values()]
        assert sorted(state.value for state, _ in states) == ["dangling", "dangling", "gone"]
        assert {held for _, held in states} == {None}
        assert not {3.0, 9.0} & set(here.clock.slept)


async def test_a_list_that_cannot_be_read() -> None:
    """Each tag is asked for then; that nothing answers under it does not say that it is gone."""
    async with scene() as here:
        decoy = await here.pushed("a", "b")

        async def push(_: ServerRequest) -> None:
            here.sandbox.store.tag(APP, "b", here.held["c"])

        here.sandbox.faults.add(Call(push), method="DELETE", path=REAL)
        here.sandbox.faults.add(Reply(403), path="tags/list", times=None)

        removal = await decoy.remove()

        assert isinstance(removal.names, Failure)
        assert {tag: look.state for tag, look in removal.looks.items()} == {
            "a": TagState.DANGLING,
            "b": TagState.MOVED,
        }


async def test_a_stop_ends_the_waiting() -> None:
    """A stopped run waits for nothing, and still puts back what holds the decoy."""
    async with scene(SandboxSettings(auth=Auth.NONE, tags_survive_digest_delete=True)) as here:
        decoy = await here.pushed("a")
        here.stop.interrupt(Signal.INTERRUPT)

        removal = await decoy.remove()

        assert removal.looks["a"].state is TagState.SERVES
        assert here.now() == here.held
        assert here.clock.slept == []


async def test_cut_off_while_it_is_pushed() -> None:
    """A tag over which it was being pushed when the run ended counts as one that it is under."""
    async with scene() as here, here.decoys.make(app(here.sandbox), ["a"]) as decoy:
        with anyio.CancelScope() as scope:

            async def end(_: ServerRequest) -> None:
                scope.cancel()

            here.sandbox.faults.add(Call(end), method="PUT", path="a$")

            await decoy.push(decoy.change("a", here.held["a"], ALWAYS))

        assert scope.cancelled_caught
        assert decoy.under == {"a": here.held["a"]}


@pytest.mark.parametrize("deleted", [False, True])
async def test_one_of_an_earlier_part_of_the_run(*, deleted: bool) -> None:
    """It is known by its digest and the tags that it may be under; it lives on where the run before left it."""
    async with scene() as here:
        made = await here.pushed("a", "b")
        here.sandbox.store.tag(APP, "b", here.held["b"])
        if deleted:
            await made.delete()
        earlier = here.decoys.earlier(app(here.sandbox), made.digest, dict(here.held))

        removal = await earlier.remove_if_there({})

        assert removal.deleted is (Removal.WAS_GONE if deleted else Removal.ACCEPTED)
        assert {tag: look.state for tag, look in removal.looks.items()} == {
            "a": TagState.GONE,
            "b": TagState.SERVES,
            "c": TagState.SERVES,
        }
        assert here.now() == {tag: here.held[tag] for tag in "bc"}


@pytest.mark.parametrize("deleted", [False, True])
async def test_one_of_an_earlier_part_that_stays_under_its_tag(*, deleted: bool) -> None:
    """Where tags outlive their manifests its tag gets what it held, whoever deleted the decoy."""
    async with scene(SandboxSettings(auth=Auth.NONE, tags_survive_digest_delete=True)) as here:
        made = await here.pushed("a")
        if deleted:
            await made.delete()

        removal = await here.decoys.earlier(app(here.sandbox), made.digest, {"a": here.held["a"]}).remove_if_there({})

        assert here.now() == here.held
        assert removal.looks["a"].state is TagState.SERVES


async def test_one_of_an_earlier_part_that_cannot_be_deleted() -> None:
    """Its tag gets what it held."""
    async with scene() as here:
        made = await here.pushed("a")
        here.sandbox.faults.add(Reply(405), method="DELETE", times=None)

        removal = await here.decoys.earlier(app(here.sandbox), made.digest, {"a": here.held["a"]}).remove_if_there({})

        assert here.now() == here.held
        assert removal.failure is not None


async def test_it_is_in_flight_only_while_it_is_pushed() -> None:
    """A stopped run has nothing to wait for before the push and after its answer."""
    async with scene() as here:
        busy: list[bool] = []

        async def look(_: ServerRequest) -> None:
            busy.append(here.in_flight.busy())

        here.sandbox.faults.add(Call(look), method="HEAD|PUT", path="manifests/a$", times=None)

        await here.pushed("a")

        assert (busy[0], busy[-1], here.in_flight.busy()) == (False, True, False)


async def test_nobody_answers_any_more() -> None:
    """A tag that nobody can read afterwards may hold the decoy, and nothing more is pushed."""
    async with scene() as here:
        decoy = await here.pushed("a", "b")

        async def away(_: ServerRequest) -> None:
            here.sandbox.faults.add(Reply(503), method="GET|HEAD|PUT", times=None)

        here.sandbox.faults.add(Call(away), method="DELETE", path=REAL)
        before = len(sent(here.sandbox, "PUT"))

        removal = await decoy.remove()

        assert {look.state for look in removal.looks.values()} == {TagState.UNKNOWN}
        assert all(isinstance(look.held, Failure) for look in removal.looks.values())
        assert len(sent(here.sandbox, "PUT")) == before
