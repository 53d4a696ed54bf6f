"""Tags before their manifests, by DELETE of each tag or by one decoy: every guard holds, and no outcome is untrue."""

from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.codec.plan_fields import requests_of
from bulkrm.engine.stop import Stop
from bulkrm.model.plan import Order, Plan
from bulkrm.model.result.outcome import Signal
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Login, Shared, Strategy
from bulkrm.sandbox import (
    Auth,
    Call,
    DropAfter,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    User,
    oci_image,
    oci_index,
    put_image,
)
from tests.cli.command import Result, bulkrm, killed
from tests.integration.engine import Done, Options, delete
from tests.support.admin import many_images
from tests.support.clock import FakeClock
from tests.support.registries import DISTRIBUTION_2, DISTRIBUTION_3, cases, running

APP = "team/app"
TAGS = SandboxSettings(tag_deletes=True)
NO_TAGS = SandboxSettings()
FIRST = Options(strategy=Strategy.TAGS_FIRST, allow_decoy=True)
BOTH = pytest.mark.parametrize("settings", [TAGS, NO_TAGS], ids=["tags", "decoy"])
LIST = f"- {APP}:pr-*"
REAL = r"sha256:(?!0{64})"


def fill(sandbox: Sandbox, number: int = 6) -> dict[str, str]:
    """So many images to delete, the first of them with two tags, and one to keep; return what each tag holds."""
    for seed in range(number):
        put_image(sandbox.store, APP, [f"pr-{seed}"], oci_image(seed=seed))
    sandbox.store.tag(APP, "pr-0-too", sandbox.store.digest_of(APP, "pr-0") or "")
    put_image(sandbox.store, APP, ["latest"], oci_image(seed=999))
    return {tag: sandbox.store.digest_of(APP, tag) or "" for tag in sandbox.store.tags(APP) or ()}


def order(done: Done) -> Order:
    """How the one repository was done."""
    assert done.plan is not None
    (found,) = {done.plan.order(item.repository) for item in done.plan.changed_items}
    return found


def deleted(done: Done) -> list[str]:
    """What was deleted by tag or digest, in order, without the questions to the registry."""
    paths = [path.rpartition("/")[2] for method, path in done.sent if method == "DELETE"]
    return [path for path in paths if not path.startswith("bulkrm-probe-") and path != "sha256:" + "0" * 64]


@BOTH
async def test_everything_goes_and_nothing_else(settings: SandboxSettings) -> None:
    """All tags go first, then the manifests; what is not listed stays."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)

        done = await delete(sandbox.host, LIST, FIRST)

        assert set(done.statuses.values()) == {"deleted"}
        assert (done.code, len(done.statuses)) == (0, 7)
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {held["latest"]}
        assert order(done) is (Order.TAGS_FIRST if settings.tag_deletes else Order.DECOY)
        gone = deleted(done)
        manifests = [name for name in gone if name in held.values()]
        assert sorted(manifests) == sorted(set(held.values()) - {held["latest"]})
        assert gone[-6:] == manifests
        assert len(gone) - 6 == (7 if settings.tag_deletes else 1)


@BOTH
async def test_the_requests_are_those_of_the_plan(settings: SandboxSettings) -> None:
    """What a dry run announces is what the run sends."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        dry = await delete(sandbox.host, LIST, replace(FIRST, dry_run=True))
        assert {tag: sandbox.store.digest_of(APP, tag) for tag in held} == held

        done = await delete(sandbox.host, LIST, FIRST)

        assert dry.plan is not None
        assert done.plan is not None
        assert (order(dry), requests_of(dry.plan)) == (order(done), requests_of(done.plan))
        # Beside them the first deletion is looked at, digest and tag, and one request to push reads the challenge once
        # more: the token must allow it.
        assert done.requests.registry - dry.requests.registry - requests_of(dry.plan) in (2, 3)


async def test_auto_asks_only_where_it_gains() -> None:
    """A small repository is deleted by digest without a question; a large one asks, and goes by tag."""
    for number, expected in ((20, Order.DIGEST), (150, Order.TAGS_FIRST)):
        async with Sandbox(TAGS) as sandbox:
            fill(sandbox, number)

            done = await delete(sandbox.host, LIST)

            assert order(done) is expected
            assert any("bulkrm-probe" in path for _, path in done.sent) is (expected is Order.TAGS_FIRST)
            assert sandbox.store.tags(APP) == ["latest"]


async def test_without_a_way() -> None:
    """Where tags cannot be deleted and no decoy is allowed, it is by digest; who asked for the other is told."""
    for strategy, warned in ((Strategy.TAGS_FIRST, True), (Strategy.AUTO, False), (Strategy.DIGEST, False)):
        async with Sandbox(NO_TAGS) as sandbox:
            fill(sandbox, 130)

            done = await delete(sandbox.host, LIST, Options(strategy=strategy))

            assert (order(done), done.code) == (Order.DIGEST, 0)
            assert any("deletes no tags" in text for text in done.said) is warned
            assert sandbox.store.tags(APP) == ["latest"]
            assert done.count("PUT") == 0


@BOTH
async def test_an_index_and_its_children(settings: SandboxSettings) -> None:
    """A child with a tag of its own keeps that until its index is gone; where the index stays, so does the tag."""
    for fails in (False, True):
        async with Sandbox(settings) as sandbox:
            index = oci_index(7)
            digest = put_image(sandbox.store, APP, ["multi"], index)
            child = index.children[0].digest
            sandbox.store.tag(APP, "child", child)
            put_image(sandbox.store, APP, ["other"], oci_image(seed=1))
            if fails:
                sandbox.faults.add(Reply(409), method="DELETE", path=digest, times=None)

            done = await delete(sandbox.host, f"- {APP}:*", FIRST)

            if fails:
                assert done.statuses == {
                    f"{APP}:child": "kept needed",
                    f"{APP}:multi": "failed refused",
                    f"{APP}:other": "deleted",
                }
                assert sandbox.store.digest_of(APP, "child") == child
                assert "the tag is gone already" in done.images[1]["error"]["message"]
                assert f"{APP}@{digest}" in done.images[1]["hint"]
            else:
                assert set(done.statuses.values()) == {"deleted"}
                assert child not in sandbox.store.digests(APP)


@BOTH
async def test_a_tag_that_moves_before_its_turn(settings: SandboxSettings) -> None:
    """A tag that somebody moved stays, with what it holds now; what only it led to stays as well."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        new = put_image(sandbox.store, APP, (), oci_image(seed=500))

        async def move(_: Plan) -> None:
            sandbox.store.tag(APP, "pr-3", new)
            sandbox.store.tag(APP, "pr-0", new)

        done = await delete(sandbox.host, LIST, replace(FIRST, before_delete=move))

        words = {name.rpartition(":")[2]: word for name, word in done.statuses.items()}
        assert words.pop("pr-3") == words.pop("pr-0") == "kept moved"
        assert set(words.values()) == {"deleted"}
        assert {sandbox.store.digest_of(APP, tag) for tag in ("pr-3", "pr-0")} == {new}
        assert held["pr-3"] in sandbox.store.digests(APP)
        assert held["pr-0"] not in sandbox.store.digests(APP)


@BOTH
async def test_another_tag_came_onto_it(settings: SandboxSettings) -> None:
    """The tags outside the list that go with a digest are read right before as well, and go first too."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        sandbox.store.tag(APP, "other", held["pr-1"])

        done = await delete(sandbox.host, LIST, replace(FIRST, shared=Shared.DELETE))

        assert set(done.statuses.values()) == {"deleted"}
        assert done.images[2]["also_removed"] == [f"{sandbox.host}/{APP}:other"]
        assert sandbox.store.tags(APP) == ["latest"]


@BOTH
@pytest.mark.parametrize("fault", [Reply(502), DropAfter(), Reply(409)])
async def test_trouble_with_tags_is_none_of_the_manifests(settings: SandboxSettings, fault: Reply | DropAfter) -> None:
    """A tag that cannot be taken off goes with its manifest."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        sandbox.faults.add(fault, method="DELETE" if settings.tag_deletes else "PUT", path="manifests/pr-[12]$")

        done = await delete(sandbox.host, LIST, replace(FIRST, clock=FakeClock(auto=True)))

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {held["latest"]}


async def test_who_may_not_push() -> None:
    """Without the permission to push it is by digest after all, and the user hears why."""
    users = {"cleaner": User.allowed("cleaner", {"*": ["pull", "delete"]})}
    async with Sandbox(users=users) as sandbox:
        held = fill(sandbox)

        done = await delete(sandbox.host, LIST, replace(FIRST, login=Login("cleaner", Secret("cleaner"))))

        assert set(done.statuses.values()) == {"deleted"}
        assert any("its tags could not go first" in text for text in done.said)
        assert sandbox.store.digests(APP) == {held["latest"]}
        assert done.count("PUT") <= 7


async def test_a_decoy_that_cannot_be_deleted() -> None:
    """Its tags get back what they held, and go with their manifests."""
    async with Sandbox(NO_TAGS) as sandbox:
        held = fill(sandbox)

        sandbox.faults.add(Reply(409), method="DELETE", path=REAL)

        done = await delete(sandbox.host, LIST, FIRST)

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert held["latest"] in sandbox.store.digests(APP)
        assert len(sandbox.store.digests(APP)) == 2  # the decoy without a tag


async def test_deletion_ends_in_the_middle() -> None:
    """Where nothing can be deleted any more, every tag that a decoy covered holds what it held."""
    async with Sandbox(NO_TAGS) as sandbox:
        held = fill(sandbox)

        async def switch(_: ServerRequest) -> None:
            sandbox.change(delete_enabled=False)

        sandbox.faults.add(Call(switch), method="DELETE", path=REAL)

        done = await delete(sandbox.host, LIST, FIRST)

        assert set(done.statuses.values()) == {"failed deletion-disabled"}
        assert {tag: sandbox.store.digest_of(APP, tag) for tag in held} == held


@BOTH
async def test_manifests_that_cannot_be_deleted(settings: SandboxSettings) -> None:
    """Where the tag went and the manifest did not, that is said, with what is left to do."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        sandbox.faults.add(Reply(409), method="DELETE", path=held["pr-2"], times=None)

        done = await delete(sandbox.host, LIST, FIRST)

        (failed,) = [image for image in done.images if image["status"] != "deleted"]
        assert failed["image"].endswith("pr-2")
        assert failed["error"]["code"] == "refused"
        assert "the tag is gone already" in failed["error"]["message"]
        assert sandbox.store.tags(APP) == ["latest"]


@BOTH
async def test_it_is_tagged_anew_meanwhile(settings: SandboxSettings) -> None:
    """A digest that got a tag between two judgements stays under it; that the listed tag is gone is told."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)

        async def tag(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "rescued", held["pr-4"])

        # A pause of the host of more than a minute: everything is judged again after it.
        sandbox.faults.add(Call(tag), method="DELETE", path=held["pr-0"])
        sandbox.faults.add(Reply(429, {"Retry-After": "90"}), method="DELETE", path=held["pr-0"])

        done = await delete(sandbox.host, LIST, replace(FIRST, clock=FakeClock(auto=True), concurrency=1))

        words = {name.rpartition(":")[2]: word for name, word in done.statuses.items()}
        assert words.pop("pr-4") == "untagged"
        assert set(words.values()) == {"deleted"}
        assert set(sandbox.store.tags(APP) or ()) == {"latest", "rescued"}


@BOTH
async def test_interrupted_between_the_phases(settings: SandboxSettings) -> None:
    """A signal while tags go: what lost its tag and not its manifest says so; no tag is left on a decoy."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox, 40)
        stop = Stop()

        async def interrupt(_: ServerRequest) -> None:
            stop.interrupt(Signal.INTERRUPT)

        sandbox.faults.add(Call(interrupt), method="DELETE" if settings.tag_deletes else "PUT", path="manifests/pr-20$")

        done = await delete(sandbox.host, LIST, replace(FIRST, concurrency=4, stop=stop))

        assert done.code == 130
        tags = {tag: sandbox.store.digest_of(APP, tag) for tag in sandbox.store.tags(APP) or ()}
        assert tags == {tag: held[tag] for tag in tags}
        for name, word in done.statuses.items():
            expected = "not-attempted interrupted" if name.rpartition(":")[2] in tags else "failed unfinished"
            assert word == expected
        assert "failed unfinished" in done.statuses.values()


async def killed_at(sandbox: Sandbox, env: dict[str, str], method: str, path: str, *, lost: bool = False) -> None:
    """Run until a request comes, and kill the process then. The request still takes effect later, unless it is lost."""
    arguments = (f"{sandbox.host}/{APP}:pr-*", "--strategy", "tags-first", "--allow-decoy", "-c", "4", "-y")
    release = await killed(sandbox, *arguments, method=method, path=path, env=env)
    if not lost:
        release.set()


@BOTH
@pytest.mark.parametrize("moment", ["tags", "decoy", "manifests"])
async def test_killed_and_resumed(settings: SandboxSettings, moment: str, tmp_path: Path) -> None:
    """Whenever it is killed, resume finishes it and reports all of it as deleted; undo brings everything back."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(settings, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox, 20)
        if moment == "tags":
            await killed_at(sandbox, env, "DELETE" if settings.tag_deletes else "PUT", "manifests/pr-5$")
        elif moment == "decoy":
            await killed_at(sandbox, env, "DELETE", REAL)
        else:
            await killed_at(sandbox, env, "DELETE", held["pr-10"])
        assert {tag: sandbox.store.digest_of(APP, tag) for tag in held} != held

        done = await resume(env)

        assert {image["status"] for image in done.images} == {"deleted"}, done
        assert {image["image"].rpartition(":")[2] for image in done.images} == set(held) - {"latest"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {held["latest"]}

        undone = await bulkrm("undo", "-y", "-o", "json", env=env)

        assert {image["status"] for image in undone.images} == {"restored"}, undone
        assert {tag: sandbox.store.digest_of(APP, tag) for tag in sandbox.store.tags(APP) or ()} == held


@BOTH
async def test_killed_and_undone(settings: SandboxSettings, tmp_path: Path) -> None:
    """Undo right after the kill, without resume, brings back every tag, those under the decoy too."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(settings, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox, 20)
        await killed_at(sandbox, env, "DELETE" if settings.tag_deletes else "PUT", "manifests/pr-5$")

        undone = await bulkrm("undo", "-y", "-o", "json", env=env)

        assert {image["status"] for image in undone.images} <= {"restored", "unchanged"}, undone
        assert {tag: sandbox.store.digest_of(APP, tag) for tag in sandbox.store.tags(APP) or ()} == held


async def test_resumed_where_the_decoy_stays(tmp_path: Path) -> None:
    """Where the decoy of a killed run cannot be deleted, its tags get back what they held, and go with that."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(NO_TAGS, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox, 20)
        await killed_at(sandbox, env, "PUT", "manifests/pr-5$")
        (decoy,) = set(sandbox.store.digests(APP)) - set(held.values())
        sandbox.faults.add(Reply(409), method="DELETE", path=decoy, times=None)

        done = await resume(env)

        assert {image["status"] for image in done.images} == {"deleted"}, done
        assert sandbox.store.tags(APP) == ["latest"]


async def test_resumed_where_nothing_helps(tmp_path: Path) -> None:
    """Where neither the decoy can be deleted nor anything be pushed, its tags are named, and another resume ends it."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(NO_TAGS, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox, 20)
        await killed_at(sandbox, env, "PUT", "manifests/pr-5$", lost=True)
        (decoy,) = set(sandbox.store.digests(APP)) - set(held.values())
        covered = {tag for tag in held if sandbox.store.digest_of(APP, tag) == decoy}
        sandbox.faults.add(Reply(409), method="DELETE", path=decoy, times=None)
        sandbox.faults.add(Reply(403), method="PUT", times=None)

        done = await resume(env)
        sandbox.faults.clear()
        again = await resume(env)

        words = {
            image["image"].rpartition(":")[2]: (image["error"] or {"code": image["status"]})["code"]
            for image in done.images
        }
        assert {tag for tag, word in words.items() if word == "unfinished"} == covered
        assert {word for tag, word in words.items() if tag not in covered} == {"deleted"}
        assert {image["status"] for image in again.images} == {"deleted"}, again
        assert sandbox.store.tags(APP) == ["latest"]


@BOTH
async def test_a_dry_resume_changes_nothing(settings: SandboxSettings, tmp_path: Path) -> None:
    """`resume -n` shows what would go, decoys or not, and leaves everything as the kill left it."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(settings, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox, 20)
        await killed_at(sandbox, env, "DELETE" if settings.tag_deletes else "PUT", "manifests/pr-5$", lost=True)
        before = {tag: sandbox.store.digest_of(APP, tag) for tag in held}
        manifests = sandbox.store.digests(APP)

        dry = await bulkrm("resume", "-n", "-o", "json", env=env)

        assert {image["status"] for image in dry.images} == {"would-delete"}, dry
        assert {tag: sandbox.store.digest_of(APP, tag) for tag in held} == before
        assert sandbox.store.digests(APP) == manifests


@BOTH
async def test_interrupted_and_resumed(settings: SandboxSettings, tmp_path: Path) -> None:
    """Even a run that only lost tags, and came to its end by --fail-fast, is unfinished and can be gone on with."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(settings, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox)
        sandbox.faults.add(Reply(409), method="DELETE", path=held["pr-2"], times=1)
        first = await bulkrm(
            f"{sandbox.host}/{APP}:pr-*", "--strategy", "tags-first", "--allow-decoy", "--fail-fast", "-c", "1", "-y",
            "-o", "json", env=env,
        )  # fmt: skip
        codes = {(image["error"] or {}).get("code") for image in first.images}

        done = await resume(env)

        assert first.code == 1
        assert {"refused", "unfinished"} <= codes
        assert {image["status"] for image in done.images} == {"deleted"}, done
        assert sandbox.store.digests(APP) == {held["latest"]}


async def resume(env: dict[str, str]) -> Result:
    """Go on with the run."""
    return await bulkrm("resume", "-y", "-o", "json", env=env)


@pytest.mark.parametrize("kind", cases([DISTRIBUTION_2, DISTRIBUTION_3]))
async def test_on_real_registries(kind: str, tmp_path: Path) -> None:
    """`auto` takes a decoy on 2.8.2 and deletes tags on 3.1.1; nothing else goes, and undo brings all of it back."""
    env = {
        "BULKRM_STATE_DIR": str(tmp_path / "state"),
        "REGISTRY_USERNAME": "admin",
        "REGISTRY_PASSWORD": "admin",
    }
    async with running(kind, tmp_path / "registry") as registry:
        images = many_images(f"pr-{number}" for number in range(320))
        await registry.admin.push_many(APP, images)
        kept = await registry.admin.push(APP, oci_image(seed=999), "latest")
        before = await registry.admin.tags(APP)

        planned = await bulkrm("plan", f"{registry.host}/{APP}:pr-*", "--allow-decoy", env=env)
        done = await bulkrm(f"{registry.host}/{APP}:pr-*", "--allow-decoy", "--verify", "-o", "json", env=env)
        left = await registry.admin.tags(APP)
        undone = await bulkrm("undo", "-o", "json", env=env)

        assert ("one decoy over all tags" if kind == DISTRIBUTION_2 else "tags first") in planned.out
        assert done.report["summary"]["deleted"] == 320, done
        assert done.report["verification"] == {"checked": 1, "differences": []}
        assert left == {"latest"}
        assert undone.report["summary"]["restored"] == 320, undone
        assert await registry.admin.tags(APP) == before
        assert await registry.admin.digest(APP, "latest") == kept


@BOTH
async def test_judged_again_while_tags_go(settings: SandboxSettings) -> None:
    """After a long pause in the middle, tags that went or stand under a decoy are taken for what they were."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        method = "DELETE" if settings.tag_deletes else "PUT"
        sandbox.faults.add(Reply(429, {"Retry-After": "90"}), method=method, path="manifests/pr-3$")

        done = await delete(sandbox.host, LIST, replace(FIRST, clock=FakeClock(auto=True), concurrency=1))

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {held["latest"]}


@pytest.mark.parametrize("refused", [False, True])
async def test_a_push_of_which_nobody_knows(*, refused: bool) -> None:
    """A decoy whose push took effect without anybody seeing it is deleted, or taken back, like all others."""
    async with Sandbox(NO_TAGS) as sandbox:
        fill(sandbox)

        async def blind(_: ServerRequest) -> None:
            sandbox.faults.add(Reply(503), method="HEAD|GET", path="manifests/pr-0$", times=10)

        sandbox.faults.add(Call(blind), method="PUT", path="manifests/pr-0$")
        sandbox.faults.add(DropAfter(), method="PUT", path="manifests/pr-0$")
        if refused:
            sandbox.faults.add(Reply(409), method="DELETE", path=REAL)

        done = await delete(sandbox.host, LIST, replace(FIRST, clock=FakeClock(auto=True), concurrency=1))

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]


@BOTH
async def test_tags_that_the_list_does_not_name_never_go_first(settings: SandboxSettings) -> None:
    """What became of them could not be told: where the manifest cannot be deleted, they are there still."""
    async with Sandbox(settings) as sandbox:
        held = fill(sandbox)
        sandbox.store.tag(APP, "another", held["pr-1"])
        sandbox.faults.add(Reply(409), method="DELETE", path=held["pr-1"], times=None)

        done = await delete(sandbox.host, LIST, replace(FIRST, shared=Shared.DELETE))

        assert done.statuses[f"{APP}:pr-1"] == "failed refused"
        assert sandbox.store.tags_on(APP, held["pr-1"]) == {"pr-1", "another"}


@BOTH
async def test_a_tag_that_was_only_going_to_go(settings: SandboxSettings, tmp_path: Path) -> None:
    """After a kill, a tag that was written ahead and is there still is no tag that is gone."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(replace(settings, auth=Auth.NONE)) as sandbox:
        held = fill(sandbox, 20)
        await killed_at(sandbox, env, "DELETE" if settings.tag_deletes else "PUT", "manifests/pr-5$", lost=True)
        sandbox.store.tag(APP, "rescued", held["pr-9"])

        done = await resume(env)

        words = {image["image"].rpartition(":")[2]: image["status"] for image in done.images}
        assert words["pr-9"] == ("kept" if sandbox.store.digest_of(APP, "pr-9") else "untagged")
        assert sandbox.store.digest_of(APP, "rescued") == held["pr-9"]
