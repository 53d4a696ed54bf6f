"""Registries that deny what they have, half-work, or answer late: nothing goes by mistake, and no outcome is untrue."""

from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.plan import Plan
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Limit, Shared, Strategy
from bulkrm.sandbox import (
    Call,
    DropAfter,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    fallback_tag,
    index_of,
    oci_image,
    put_image,
)
from tests.integration.engine import Options, delete, lost
from tests.integration.resumed import resume
from tests.support.clock import FakeClock

APP, OTHER = "team/app", "team/other"
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
UNKNOWN = Reply(404, VERSION, b'{"errors":[{"code":"NAME_UNKNOWN"}]}')
UNSUPPORTED = Reply(405, VERSION, b'{"errors":[{"code":"UNSUPPORTED"}]}')
REAL = r"manifests/sha256:(?!0{64})"
DELETES_TAGS = SandboxSettings(tag_deletes=True)


def fill(sandbox: Sandbox, number: int, repository: str = APP, seed: int = 0) -> None:
    """So many images with a tag each, `pr-0` and so on."""
    for one in range(number):
        put_image(sandbox.store, repository, [f"pr-{one}"], oci_image(seed + one, config_seed=0))


def interrupting(stop: Stop, times: int = 1) -> Call:
    """Interrupt a run when a request comes; the second time aborts it."""

    async def interrupt(_: ServerRequest) -> None:
        for _time in range(times):
            stop.interrupt(Signal.INTERRUPT)

    return Call(interrupt)


@pytest.mark.parametrize("status", [405, 403, 307])
async def test_a_refusal_of_what_was_done(status: int, tmp_path: Path) -> None:
    """A DELETE that took effect without an answer is a deletion, whatever would be said to a second one."""
    async with Sandbox() as sandbox:
        fill(sandbox, 1)
        sandbox.faults.add(DropAfter(), method="DELETE", path=REAL)
        sandbox.faults.add(Reply(status), method="DELETE", path=REAL, times=None)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(state=tmp_path, clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-0": "deleted"}
        assert [loss.tags for loss in lost(tmp_path)] == [("pr-0",)]


async def test_a_pause_between_two_sends() -> None:
    """After a pause of more than a minute a DELETE that failed is judged again too: a protected tag came meanwhile."""
    async with Sandbox() as sandbox:
        digest = put_image(sandbox.store, APP, ["pr-0"], oci_image(1))

        async def happen(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "prod", digest)

        sandbox.faults.add(Call(happen), method="DELETE", path=REAL)
        sandbox.faults.add(Reply(503, {"Retry-After": "300"}), method="DELETE", path=REAL)

        done = await delete(
            sandbox.host, f"protect: ['*:prod']\nimages: ['{APP}:pr-0']", Options(clock=FakeClock(auto=True))
        )

        assert done.statuses == {f"{APP}:pr-0": "kept protected"}
        assert sandbox.store.tags(APP) == ["pr-0", "prod"]


async def test_one_repository_where_nothing_goes() -> None:
    """A 404 to a DELETE for what is there says nothing of other repositories: it may be the want of a permission."""
    async with Sandbox() as sandbox:
        fill(sandbox, 1)
        fill(sandbox, 2, OTHER, seed=5)
        sandbox.faults.add(UNKNOWN, method="DELETE", path=f"{OTHER}/", times=None)

        done = await delete(sandbox.host, f"- {OTHER}:pr-*\n- {APP}:pr-0", Options())

        assert done.statuses == {
            f"{APP}:pr-0": "deleted",
            f"{OTHER}:pr-0": "failed not-supported",
            f"{OTHER}:pr-1": "failed not-supported",
        }


@pytest.mark.parametrize("answer", [UNKNOWN, UNSUPPORTED])
async def test_tags_that_cannot_be_deleted_after_all(answer: Reply) -> None:
    """Where tags do not go first although the registry said so, the manifests go by their digests, as is promised."""
    async with Sandbox(DELETES_TAGS) as sandbox:
        fill(sandbox, 3)
        fill(sandbox, 1, OTHER, seed=5)
        sandbox.faults.add(answer, method="DELETE", path=r"manifests/pr-", times=None)

        done = await delete(sandbox.host, f"- {APP}:pr-*\n- {OTHER}:pr-0", Options(strategy=Strategy.TAGS_FIRST))

        assert set(done.statuses.values()) == {"deleted"}
        assert any("its manifests are deleted by digest" in line for line in done.said)


async def test_tags_go_although_deletion_is_disabled() -> None:
    """As in distribution 3.0.0 to 3.1.0: no tag is taken off a manifest that cannot go (commit 8baf3e082 there)."""
    async with Sandbox(DELETES_TAGS) as sandbox:
        fill(sandbox, 3)
        sandbox.faults.add(UNSUPPORTED, method="DELETE", path="manifests/sha256:", times=None)

        done = await delete(sandbox.host, f"- {APP}:pr-*", Options(strategy=Strategy.TAGS_FIRST))

        assert set(done.statuses.values()) == {"failed deletion-disabled"}
        assert sandbox.store.tags(APP) == ["pr-0", "pr-1", "pr-2"]


async def test_an_index_that_moves_while_it_is_read() -> None:
    """A tag that led to an index which is gone when it is asked for: what the tag needs now is not known."""
    one, two, three = (oci_image(seed) for seed in (1, 2, 3))
    old, new = index_of([one, two]), index_of([one, three])
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, [], three)
        put_image(sandbox.store, APP, ["multi"], old)
        put_image(sandbox.store, APP, ["amd64"], one)

        async def move(_: ServerRequest) -> None:
            put_image(sandbox.store, APP, ["multi"], new)
            sandbox.store.delete_manifest(APP, old.digest)

        sandbox.faults.add(Call(move), method="GET", path=old.digest)

        done = await delete(sandbox.host, f"- {APP}:amd64", Options())

        assert done.statuses == {f"{APP}:amd64": "kept unreadable"}
        assert one.digest in sandbox.store.digests(APP)


async def test_a_page_in_the_place_of_an_index() -> None:
    """A listed index that cannot be read stays, and so does a listed child of it: a login page is no proof of a blob."""
    one = oci_image(1)
    index = index_of([one, oci_image(2)])
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, [], index)
        put_image(sandbox.store, APP, ["x"], oci_image(5))
        sandbox.faults.add(Reply(200, {"Content-Type": "text/html"}, b"<html>"), method="GET", path=index.digest)

        done = await delete(sandbox.host, f"- {APP}@{index.digest}\n- {APP}@{one.digest}", Options())

        assert done.statuses == {
            f"{APP}@{index.digest}": "failed unexpected-answer",
            f"{APP}@{one.digest}": "kept unreadable",
        }


@pytest.mark.parametrize("trouble", ["referrers", "refused"])
async def test_what_is_attached_to_an_image_that_stays(trouble: str) -> None:
    """Its tag is not taken off either, though the list says to untag what is shared: two images have this one SBOM."""
    one, two, sbom = (oci_image(seed) for seed in (1, 2, 9))
    names = [f"{fallback_tag(image)}.sbom" for image in (one, two)]
    async with Sandbox(SandboxSettings(tag_deletes=True, referrers=True)) as sandbox:
        put_image(sandbox.store, APP, ["a"], one)
        put_image(sandbox.store, APP, ["b"], two)
        put_image(sandbox.store, APP, names, sbom)
        if trouble == "referrers":
            sandbox.faults.add(Reply(500), path="/referrers/", times=None)
        else:
            sandbox.faults.add(Reply(412), method="DELETE", path=one.digest, times=None)

        done = await delete(
            sandbox.host, f"- {APP}:a", Options(recursive=True, shared=Shared.UNTAG, clock=FakeClock(auto=True))
        )

        assert done.statuses[f"{APP}:a"].startswith("failed")
        assert set(sandbox.store.tags(APP) or ()) == {"a", "b", *names}


async def test_a_decoy_that_was_pushed_over() -> None:
    """A tag that nobody can read after its decoy was deleted is not said to be gone: somebody may have pushed it."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["pr-0", "keep"], oci_image(1))

        async def push(_: ServerRequest) -> None:
            put_image(sandbox.store, APP, ["pr-0"], oci_image(2))
            sandbox.faults.add(Reply(500), method="HEAD|GET", path="manifests/pr-0$", times=None)

        sandbox.faults.add(Call(push), method="DELETE", path=REAL)

        done = await delete(
            sandbox.host,
            f"- {APP}:pr-0",
            Options(shared=Shared.UNTAG, allow_decoy=True, clock=FakeClock(auto=True)),
        )

        assert done.statuses == {f"{APP}:pr-0": "failed unconfirmed"}


async def test_a_decoy_over_all_that_was_pushed_over() -> None:
    """Where the tags cannot be listed after the decoy of a whole repository was deleted, each is read: what was pushed anew
    stays, and of the others nobody says that they are gone before a list shows it."""
    async with Sandbox() as sandbox:
        fill(sandbox, 3)

        async def push(_: ServerRequest) -> None:
            put_image(sandbox.store, APP, ["pr-1"], oci_image(77))
            sandbox.faults.add(Reply(500), path="tags/list", times=None)

        sandbox.faults.add(Call(push), method="DELETE", path=REAL)

        done = await delete(
            sandbox.host,
            f"- {APP}:pr-*",
            Options(strategy=Strategy.TAGS_FIRST, allow_decoy=True, clock=FakeClock(auto=True)),
        )

        unknown = "failed unconfirmed"
        assert done.statuses == {f"{APP}:pr-0": unknown, f"{APP}:pr-1": "kept moved", f"{APP}:pr-2": unknown}
        assert sandbox.store.tags(APP) == ["pr-1"]


async def interrupted(sandbox: Sandbox, listed: str, options: Options) -> None:
    """Begin a run, and stop it before anything goes."""
    stop = Stop()

    async def act(_: Plan) -> None:
        stop.interrupt(Signal.INTERRUPT)

    done = await delete(sandbox.host, listed, replace(options, clock=Options().clock, before_delete=act, stop=stop))
    assert done.code == 130


async def test_the_limit_holds_for_all_parts_of_a_run(tmp_path: Path) -> None:
    """What could be resolved at first and what can be now go together, or not at all."""
    options = Options(max_delete=Limit(5), state=tmp_path, clock=FakeClock(auto=True))
    async with Sandbox() as sandbox:
        fill(sandbox, 4)
        fill(sandbox, 4, OTHER, seed=50)
        sandbox.faults.add(Reply(403), path=f"/{OTHER}/", times=None)
        names = [f"- {place}:pr-{number}" for place in (APP, OTHER) for number in range(4)]
        await interrupted(sandbox, "\n".join(names), options)
        sandbox.faults.clear()

        done = await resume(sandbox.host, options)

        assert set(done.statuses.values()) == {"kept limit"}
        assert "8 would disappear" in done.images[0]["because"][0]


async def test_what_went_before_counts_for_the_limit(tmp_path: Path) -> None:
    """An image that could not be resolved at first does not go where so much went already."""
    options = Options(max_delete=Limit(2), state=tmp_path, clock=FakeClock(auto=True))
    async with Sandbox() as sandbox:
        fill(sandbox, 2)
        fill(sandbox, 1, OTHER, seed=50)
        stop = Stop()

        sandbox.faults.add(Reply(403), path=f"/{OTHER}/", times=None)
        sandbox.faults.add(interrupting(stop), method="DELETE", path=REAL, skip=1)
        listed = f"- {APP}:pr-0\n- {APP}:pr-1\n- {OTHER}:pr-0"
        first = await delete(
            sandbox.host, listed, Options(max_delete=Limit(2), state=tmp_path, stop=stop, concurrency=1)
        )
        assert [first.statuses[f"{APP}:pr-{number}"] for number in range(2)] == ["deleted", "deleted"]
        sandbox.faults.clear()

        done = await resume(sandbox.host, options)

        assert done.statuses[f"{OTHER}:pr-0"] == "kept limit"
        assert "3 would disappear with the 2 that are gone already" in done.images[2]["because"][0]


async def test_a_repository_that_is_hidden_from_the_one_who_resumes(tmp_path: Path) -> None:
    """What was written ahead is not deleted because somebody with fewer rights gets a 404 for it."""
    options = Options(state=tmp_path, clock=FakeClock(auto=True))
    async with Sandbox() as sandbox:
        fill(sandbox, 4)
        stop = Stop()

        sandbox.faults.add(interrupting(stop), method="DELETE", path=REAL)
        sandbox.faults.add(Reply(409), method="DELETE", path=REAL)
        await delete(sandbox.host, f"- {APP}:pr-*", Options(state=tmp_path, stop=stop, concurrency=1))
        sandbox.faults.add(UNKNOWN, path=f"/{APP}/", times=None)

        hidden = await resume(sandbox.host, options)
        sandbox.faults.clear()
        seen = await resume(sandbox.host, options)

        assert "deleted" not in hidden.statuses.values()
        assert "failed unconfirmed" in hidden.statuses.values()
        assert set(seen.statuses.values()) == {"deleted"}


async def test_what_a_second_part_did_is_not_done_again_in_a_third(tmp_path: Path) -> None:
    """An image that could not be resolved at first and went in the second part is done with in the third."""
    options = Options(state=tmp_path, clock=FakeClock(auto=True))
    async with Sandbox() as sandbox:
        fill(sandbox, 2)
        fill(sandbox, 1, OTHER, seed=50)
        sandbox.faults.add(Reply(403), path=f"/{OTHER}/", times=None)
        await interrupted(sandbox, f"- {OTHER}:pr-0\n- {APP}:pr-0\n- {APP}:pr-1", options)
        sandbox.faults.clear()
        stop = Stop()

        sandbox.faults.add(interrupting(stop), method="DELETE", path=f"/{OTHER}/{REAL}")

        second = await resume(sandbox.host, Options(state=tmp_path, concurrency=1, stop=stop))
        third = await resume(sandbox.host, options)

        assert second.code == 130
        assert second.statuses[f"{OTHER}:pr-0"] == "deleted"
        assert third.stop.bug is None
        assert set(third.statuses.values()) == {"deleted"}


async def test_a_late_effect() -> None:
    """A DELETE that was answered with a 503 and takes effect while its image is judged again is a deletion."""
    async with Sandbox() as sandbox:
        image = oci_image(1)
        put_image(sandbox.store, APP, ["pr-0"], image)

        async def finish(_: ServerRequest) -> None:
            sandbox.store.delete_manifest(APP, image.digest)

        async def soon(_: ServerRequest) -> None:
            sandbox.faults.add(Call(finish), method="GET", path="tags/list")

        sandbox.faults.add(Call(soon), method="DELETE", path=REAL)
        sandbox.faults.add(Reply(503, {"Retry-After": "300"}), method="DELETE", path=REAL)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-0": "deleted"}


async def test_a_host_that_never_relents() -> None:
    """It is asked a few times, with pauses, and the failure is what it said."""
    async with Sandbox() as sandbox:
        fill(sandbox, 1)
        sandbox.faults.add(Reply(503, {"Retry-After": "61"}), method="DELETE", path=REAL, times=None)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-0": "failed server-error"}
        assert "503" in done.images[0]["error"]["message"]
        assert done.count("DELETE") <= 10


async def test_who_may_not_delete_tags() -> None:
    """Hears it once: the other tags of the repository are not tried."""
    async with Sandbox(DELETES_TAGS) as sandbox:
        for number in range(10):
            put_image(sandbox.store, APP, [f"pr-{number}", f"keep-{number}"], oci_image(number))
        sandbox.faults.add(Reply(403), method="DELETE", path="manifests/pr-", times=None)

        done = await delete(sandbox.host, f"- {APP}:pr-*", Options(shared=Shared.UNTAG, concurrency=1))

        assert set(done.statuses.values()) == {"failed not-permitted"}
        assert len([path for method, path in done.sent if method == "DELETE" and "/pr-" in path]) == 1
        assert done.sent[-1][0] == "DELETE"


async def test_a_limit_in_percent_is_that_of_the_first_part(tmp_path: Path) -> None:
    """Four tags of forty are a tenth, also for what is left of them when most are gone."""
    limit = Limit(10, percent=True)
    async with Sandbox() as sandbox:
        fill(sandbox, 20)
        fill(sandbox, 20, OTHER, seed=100)
        stop = Stop()

        sandbox.faults.add(interrupting(stop), method="DELETE", path=REAL, skip=2)
        listed = f"- {APP}:pr-[01]\n- {OTHER}:pr-[01]"
        await delete(sandbox.host, listed, Options(max_delete=limit, state=tmp_path, concurrency=1, stop=stop))

        done = await resume(sandbox.host, Options(state=tmp_path, clock=FakeClock(auto=True)))

        assert set(done.statuses.values()) == {"deleted"}


async def test_a_child_stays_with_its_index(tmp_path: Path) -> None:
    """An index that got a tag since it was judged stays, and with it what the list names of it."""
    one = oci_image(1)
    index = index_of([one, oci_image(2)])
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["multi"], index)
        options = Options(shared=Shared.DELETE, state=tmp_path)
        await interrupted(sandbox, f"- {APP}:multi\n- {APP}@{one.digest}", options)
        sandbox.store.tag(APP, "release", index.digest)

        done = await resume(sandbox.host, Options(state=tmp_path))

        assert done.statuses == {f"{APP}:multi": "kept shared", f"{APP}@{one.digest}": "kept needed"}
        assert one.digest in sandbox.store.digests(APP)


async def aborted(sandbox: Sandbox, listed: str, options: Options, path: str = REAL) -> None:
    """Begin a run, and abort it in the middle of its first DELETE."""
    stop = Stop()

    sandbox.faults.add(interrupting(stop, times=2), method="DELETE", path=path)
    await delete(sandbox.host, listed, replace(options, clock=Options().clock, stop=stop, concurrency=1))
    sandbox.faults.clear()


async def test_a_repository_without_tags_is_resumed(tmp_path: Path) -> None:
    """Where nothing ever had a tag the list is a 404, which is no reason to doubt what is gone."""
    options = Options(state=tmp_path, clock=FakeClock(auto=True))
    async with Sandbox() as sandbox:
        images = [oci_image(number) for number in range(3)]
        for image in images:
            put_image(sandbox.store, APP, [], image)
        await aborted(sandbox, "\n".join(f"- {APP}@{image.digest}" for image in images), options)

        done = await resume(sandbox.host, options)

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.digests(APP) == frozenset()


async def test_a_landing_lists_a_repository_once(tmp_path: Path) -> None:
    """However many tags of it may be gone."""
    options = Options(shared=Shared.UNTAG, state=tmp_path, clock=FakeClock(auto=True))
    async with Sandbox(DELETES_TAGS) as sandbox:
        names = [f"pr-{number}" for number in range(20)]
        put_image(sandbox.store, APP, ["keep", *names], oci_image(1))
        await aborted(sandbox, f"- {APP}:pr-*", options, path="manifests/pr-")
        for name in names:
            sandbox.store.delete_tag(APP, name)

        done = await resume(sandbox.host, options)

        assert set(done.statuses.values()) == {"untagged"}
        assert len([path for _, path in done.sent if "tags/list" in path]) <= 2


async def test_interrupted_while_it_is_judged_again(tmp_path: Path) -> None:
    """What was sent without an answer before that may have taken effect since: it is unconfirmed, and undo looks at it."""
    async with Sandbox() as sandbox:
        fill(sandbox, 1)
        stop = Stop()

        async def soon(_: ServerRequest) -> None:
            sandbox.faults.add(interrupting(stop), method="GET", path="tags/list")

        sandbox.faults.add(Call(soon), method="DELETE", path=REAL)
        sandbox.faults.add(Reply(503, {"Retry-After": "300"}), method="DELETE", path=REAL)

        options = Options(state=tmp_path, stop=stop, clock=FakeClock(auto=True))
        done = await delete(sandbox.host, f"- {APP}:pr-0", options)

        assert done.statuses == {f"{APP}:pr-0": "failed unconfirmed"}
        assert [loss.tags for loss in lost(tmp_path)] == [("pr-0",)]


async def test_nobody_knows_what_it_came_to() -> None:
    """Where the manifest cannot be read any more after a pause, it is not said to be kept."""
    async with Sandbox() as sandbox:
        fill(sandbox, 1)

        async def blind(_: ServerRequest) -> None:
            sandbox.faults.add(Reply(500), path="tags/list", times=None)
            sandbox.faults.add(Reply(500), method="HEAD|GET", path=REAL, times=None, skip=1)

        sandbox.faults.add(Call(blind), method="DELETE", path=REAL)
        sandbox.faults.add(Reply(503, {"Retry-After": "300"}), method="DELETE", path=REAL)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-0": "failed unconfirmed"}
