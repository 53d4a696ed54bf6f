"""The registry goes away, or the disk is full, while tags are taken off images: nothing false is said, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.errors import InputError
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Call, Drop, Reply, Sandbox, SandboxSettings, ServerRequest, oci_image, put_image
from tests.integration.engine import Done, Options, delete, lost, undo
from tests.integration.resumed import resume
from tests.support.admin import Admin, push_pairs
from tests.support.clock import FakeClock
from tests.support.disk import BEYOND_THE_FIRST_WRITE, Disk
from tests.support.executables import distribution_3_binary, real_registry_binary
from tests.support.outages import Outage, Patience, outage_of
from tests.support.real import RealRegistry

APP = "team/app"
FEW, MANY = 5, 17  # enough to go on with after an outage, and to give up in one
UNTAG = Options(shared=Shared.UNTAG, allow_decoy=True, concurrency=2)


@dataclass(frozen=True, slots=True)
class Moment:
    """A registry goes away with its third answer to such a request; only one that deletes tags is asked to."""

    method: str
    path: str
    deletes_tags: bool = False


TAG = Moment("DELETE", "/pr-", deletes_tags=True)
COVER = Moment("PUT", "/pr-")
UNCOVER = Moment("DELETE", "sha256:(?!0{64})")
OUTAGES = (
    pytest.param("name", TAG, id="name-tag", marks=pytest.mark.slow),
    pytest.param("name", COVER, id="name-cover"),
    pytest.param("killed-acting", TAG, id="killed-acting-tag", marks=pytest.mark.slow),
    pytest.param("killed-acting", COVER, id="killed-acting-cover"),
    pytest.param("killed-acting", UNCOVER, id="killed-acting-uncover"),
)


@dataclass(frozen=True, slots=True)
class RepositoryView:
    """A registry that is going to be away, somebody who looks at it, and what the listed tags held."""

    outage: Outage
    admin: Admin
    digests: Mapping[str, str]

    async def untag(self, options: Options) -> Done:
        """Take off the listed tags; nobody waits for a registry that is away."""
        text = "".join(f"- {APP}:{tag}\n" for tag in self.digests)
        return await delete(self.outage.host, text, replace(options, heard=self.outage.heard))


@asynccontextmanager
async def scene(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch, moment: Moment, number: int
) -> AsyncIterator[RepositoryView]:
    binary = distribution_3_binary() if moment.deletes_tags else real_registry_binary()
    async with RealRegistry(folder / "registry", binary=binary) as registry, Admin(registry.url) as admin:
        digests = await push_pairs(admin, APP, number)
        async with outage_of(registry, kind, monkeypatch) as outage:
            yield RepositoryView(outage, admin, digests)


async def check(admin: Admin, digests: Mapping[str, str], done: Done) -> None:
    """Every image has one outcome, every outcome is true, and nothing else was touched."""
    assert done.stop.bug is None
    assert [image["image"].rpartition(":")[2] for image in done.images] == list(digests)
    now = await admin.content(APP, *digests)
    for image, (tag, digest) in zip(done.images, digests.items(), strict=True):
        held = now.pop(tag)
        error = image["error"] or {"code": None, "message": ""}
        if image["status"] == "untagged":
            assert held is None, image
        elif held is None:
            assert error["code"] == "unconfirmed", image
        elif held != digest:
            assert (await admin.get(APP, tag)).json["manifests"] == [], image
            assert error["code"] == "unconfirmed" or "may hold an empty index" in error["message"], image
    assert now == {f"keep-{tag[3:]}": digest for tag, digest in digests.items()}


@pytest.mark.parametrize(("kind", "moment"), [*OUTAGES, pytest.param("killed", COVER, id="killed-cover")])
async def test_a_moment(kind: str, moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is away for no longer than anybody waits costs that wait, and nothing else."""
    async with scene(tmp_path, kind, monkeypatch, moment, FEW) as here:
        here.outage.arm(moment.method, moment.path, 3)

        done = await here.untag(replace(UNTAG, clock=Patience(here.outage)))

        assert here.outage.begun
        await check(here.admin, here.digests, done)
        assert set(done.statuses.values()) == {"untagged"}


@pytest.mark.parametrize(("kind", "moment"), OUTAGES)
async def test_an_outage(kind: str, moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that stays away is given up soon, all that is said of it is true, and `resume` does the rest."""
    async with scene(tmp_path, kind, monkeypatch, moment, MANY) as here:
        here.outage.arm(moment.method, moment.path, 3)
        clock = FakeClock(auto=True)
        options = replace(UNTAG, clock=clock, state=tmp_path / "state")

        done = await here.untag(options)
        await here.outage.end()

        words = list(done.statuses.values())
        assert "untagged" in words
        assert "not-attempted circuit-open" in words
        assert (done.code, clock.monotonic() < 200) == (1, True)
        await check(here.admin, here.digests, done)

        resumed = await resume(here.outage.host, options)

        await check(here.admin, here.digests, resumed)
        assert set(resumed.statuses.values()) == {"untagged"}


@pytest.mark.parametrize(
    "moment", [pytest.param(TAG, id="tag", marks=pytest.mark.slow), pytest.param(COVER, id="cover")]
)
async def test_somebody_is_faster(moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody pushes where an outage hid what became of a DELETE, or of a decoy, is left alone by the next try."""
    async with scene(tmp_path, "killed-acting", monkeypatch, moment, FEW) as here:
        other = oci_image(900, config_seed=0)

        async def push() -> None:
            async with Admin(here.admin.url) as admin:
                await admin.put(APP, "pr-3", other)

        here.outage.arm(moment.method, "/pr-3 ", 1)

        done = await here.untag(replace(UNTAG, clock=Patience(here.outage, push)))

        assert here.outage.begun
        assert done.statuses.pop(f"{APP}:pr-3") == "kept moved"
        assert await here.admin.digest(APP, "pr-3") == other.digest
        gone = await here.admin.content(APP, *here.digests)
        assert {tag for tag, held in gone.items() if held is None} == here.digests.keys() - {"pr-3"}


@pytest.mark.parametrize("kind", ["name", "killed"])
async def test_nobody_there(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the registry is away from the start every image fails with that, and the same list does it afterwards."""
    async with scene(tmp_path, kind, monkeypatch, COVER, FEW) as here:
        here.outage.begin()
        options = replace(UNTAG, clock=FakeClock(auto=True), state=tmp_path / "state")

        done = await here.untag(options)
        await here.outage.end()

        assert set(done.statuses.values()) == {"failed unreachable"}
        assert len(done.sent) < 10
        await check(here.admin, here.digests, done)

        again = await here.untag(options)

        assert set(again.statuses.values()) == {"untagged"}
        await check(here.admin, here.digests, again)


async def test_it_comes_back_while_the_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is away for a moment when a run begins costs that moment, and nothing else."""
    async with scene(tmp_path, "name", monkeypatch, COVER, FEW) as here:
        here.outage.begin()

        done = await here.untag(replace(UNTAG, clock=Patience(here.outage)))

        assert set(done.statuses.values()) == {"untagged"}


@pytest.mark.parametrize(
    "moment", [pytest.param(TAG, id="tag", marks=pytest.mark.slow), pytest.param(COVER, id="cover")]
)
async def test_resumed_too_early(moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `resume` that finds the registry still away changes nothing, also not that the run can be gone on with."""
    async with scene(tmp_path, "killed", monkeypatch, moment, MANY) as here:
        here.outage.arm(moment.method, moment.path, 3)
        options = replace(UNTAG, clock=FakeClock(auto=True), state=tmp_path / "state")
        await here.untag(options)

        early = await resume(here.outage.host, options)
        await here.outage.end()

        assert "untagged" in early.statuses.values()
        await check(here.admin, here.digests, early)
        resumed = await resume(here.outage.host, options)
        assert set(resumed.statuses.values()) == {"untagged"}


async def test_a_disk_without_room_for_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even what was asked can be written down, the registry hears of nothing."""
    disk = Disk(tmp_path, monkeypatch)
    disk.fill()
    async with Sandbox() as sandbox:
        with pytest.raises(InputError, match="No space left"):
            await delete(sandbox.host, f"- {APP}:pr-*", replace(UNTAG, state=tmp_path / "state"))

        assert sandbox.log == []


WAYS = pytest.mark.parametrize(
    "settings", [SandboxSettings(tag_deletes=True), SandboxSettings()], ids=["tags", "decoy"]
)


@WAYS
@pytest.mark.parametrize("files", ["plan.*", "manifests.*", "journal.*"])
async def test_a_disk_that_is_full(
    files: str, settings: SandboxSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be recorded is not sent, whichever file it is; when there is room again the same list goes through."""
    disk = Disk(tmp_path, monkeypatch, files)

    async def fill_it(_: object) -> None:
        disk.fill()

    async with Sandbox(settings) as sandbox, Admin(sandbox.url) as admin:
        digests = await push_pairs(admin, APP, 2)
        text = "".join(f"- {APP}:{tag}\n" for tag in digests)
        options = replace(UNTAG, state=tmp_path / "state")

        done = await delete(sandbox.host, text, replace(options, before_delete=fill_it))

        assert set(done.statuses.values()) == {"failed not-recorded"}
        assert done.count("PUT") == 0
        assert {path for method, path in done.sent if method == "DELETE" and not is_probe(path)} == set()
        await check(admin, digests, done)

        disk.make_room()
        again = await delete(sandbox.host, text, options)

        assert set(again.statuses.values()) == {"untagged"}
        await check(admin, digests, again)


def is_probe(path: str) -> bool:
    """Tell whether a DELETE is about something that nobody has."""
    return "bulkrm-probe-" in path or path.endswith("0" * 64)


@BEYOND_THE_FIRST_WRITE
async def test_a_disk_that_becomes_full(
    settings: SandboxSettings, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes after what could not be recorded; `resume` does the rest then, and undo brings all of it back."""
    disk = Disk(tmp_path, monkeypatch)

    async def fill_it(_: ServerRequest) -> None:
        disk.fill()

    async with Sandbox(settings) as sandbox, Admin(sandbox.url) as admin:
        digests = await push_pairs(admin, APP, number)
        sandbox.faults.add(Call(fill_it), method="DELETE", path="pr-|sha256:(?!0{64})", skip=4)
        text = "".join(f"- {APP}:{tag}\n" for tag in digests)
        options = replace(UNTAG, state=tmp_path / "state")

        done = await delete(sandbox.host, text, options)

        words = list(done.statuses.values())
        assert words.count("untagged") >= 5
        assert words.count("failed not-recorded") >= 1
        assert set(words) == {"untagged", "failed not-recorded", "not-attempted fail-fast"}
        assert "No space left" in done.said[-1]
        await check(admin, digests, done)

        disk.make_room()
        resumed = await resume(sandbox.host, options)

        assert set(resumed.statuses.values()) == {"untagged"}
        await check(admin, digests, resumed)
        assert await undo(lost(tmp_path / "state")) == dict.fromkeys(digests, "restored")
        for tag, digest in digests.items():
            assert await admin.digest(APP, tag) == await admin.digest(APP, f"keep-{tag[3:]}") == digest


@pytest.mark.parametrize("signals", [1, 2])
async def test_interrupted_at_the_first_tag(signals: int) -> None:
    """A stop right after the first tag went does not make it one that was not attempted, seen to its end or not."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        put_image(sandbox.store, APP, ["pr-1", "pr-2", "latest"], oci_image(seed=1))
        stop = Stop()

        async def interrupt(_: ServerRequest) -> None:
            for _number in range(signals):
                stop.interrupt(Signal.INTERRUPT)

        async def begin(_: ServerRequest) -> None:
            sandbox.faults.add(Call(interrupt), method="HEAD", path="latest")

        sandbox.faults.add(Call(begin), method="DELETE", path="pr-1")

        done = await delete(sandbox.host, f"- {APP}:pr-*", replace(UNTAG, stop=stop))

        # By the second signal nobody had looked yet whether the registry took the other tag along.
        first, second = (
            ("untagged", "not-attempted interrupted") if signals == 1 else ("failed unconfirmed", "failed unconfirmed")
        )
        assert done.statuses == {f"{APP}:pr-1": first, f"{APP}:pr-2": second}
        assert set(sandbox.store.tags(APP) or ()) == {"pr-2", "latest"}


async def test_siblings_that_nobody_could_look_at(tmp_path: Path) -> None:
    """Whether a registry took more than the first tag is asked again by `resume`, and what it took is named."""
    async with Sandbox(SandboxSettings(tag_deletes=True, tag_delete_takes_all=True)) as sandbox:
        for seed in range(MANY):
            put_image(sandbox.store, APP, [f"pr-{seed}", f"keep-{seed}"], oci_image(seed))

        async def go_away(_: ServerRequest) -> None:
            sandbox.faults.add(Drop(), times=None)

        sandbox.faults.add(Call(go_away), method="DELETE", path="pr-")
        options = replace(UNTAG, clock=FakeClock(auto=True), state=tmp_path / "state")

        done = await delete(sandbox.host, f"- {APP}:pr-*", options)
        sandbox.faults.clear()

        assert done.statuses[f"{APP}:pr-0"] == "failed unconfirmed"
        assert "is not known: keep-0" in done.images[0]["error"]["message"]

        resumed = await resume(sandbox.host, options)

        assert resumed.statuses[f"{APP}:pr-0"] == "failed siblings-removed"
        assert resumed.images[0]["error"]["message"].endswith(f"LOST, push them again: {sandbox.host}/{APP}:keep-0")
        lost_ones = {f"keep-{seed}" for seed in range(MANY)} - set(sandbox.store.tags(APP) or ())
        assert lost_ones == {"keep-0"}


async def test_siblings_that_nobody_could_read_before() -> None:
    """With nothing to compare afterwards, the first tag is not taken off, and the registry is proven to do nothing."""
    async with Sandbox(SandboxSettings(tag_deletes=True, tag_delete_takes_all=True)) as sandbox:
        for seed in range(FEW):
            put_image(sandbox.store, APP, [f"pr-{seed}", f"keep-{seed}"], oci_image(seed))

        async def look_away(_: object) -> None:
            sandbox.faults.add(Drop(), times=None, method="HEAD", path="keep-")

        done = await delete(
            sandbox.host, f"- {APP}:pr-*", replace(UNTAG, clock=FakeClock(auto=True), before_delete=look_away)
        )

        assert not {word for word in done.statuses.values() if word.startswith("untagged")}
        assert [line for line in sandbox.log if line.method == "DELETE" and "/pr-" in line.path] == []
        assert set(sandbox.store.tags(APP) or ()) == {
            f"{name}-{seed}" for name in ("pr", "keep") for seed in range(FEW)
        }


async def test_an_image_of_many_tags() -> None:
    """Where the registry is gone after a decoy was pushed over many tags, that is found out soon, and said of each."""
    async with Sandbox() as sandbox:
        tags = [f"pr-{number}" for number in range(60)]
        put_image(sandbox.store, APP, [*tags, "latest"], oci_image(seed=1))

        async def go_away(_: ServerRequest) -> None:
            sandbox.faults.add(Drop(), times=None)

        sandbox.faults.add(Call(go_away), method="PUT", path="/pr-", skip=59)
        clock = FakeClock(auto=True)

        done = await delete(sandbox.host, f"- {APP}:pr-*", replace(UNTAG, clock=clock))

        assert set(done.statuses.values()) == {"failed unconfirmed"}
        assert len(done.statuses) == 60
        assert all("may hold an empty index" in image["error"]["message"] for image in done.images)
        assert clock.monotonic() < 200


@pytest.mark.parametrize(
    ("fault", "path"), [(Drop(), ""), (Reply(503), "manifests")], ids=["nobody-answers", "its-storage-is-away"]
)
async def test_a_resume_of_many_tags(fault: Drop | Reply, path: str, tmp_path: Path) -> None:
    """Where the registry is still away when a run is gone on with that was killed under a decoy, that is found out soon."""
    async with Sandbox() as sandbox:
        for seed in range(40):
            put_image(sandbox.store, APP, [f"pr-{seed}"], oci_image(seed))
        reached, never = asyncio.Event(), asyncio.Event()

        async def hang(_: ServerRequest) -> None:
            reached.set()
            await never.wait()

        sandbox.faults.add(Call(hang), method="PUT", path="pr-30$")
        clock = FakeClock(auto=True)
        options = Options(strategy=Strategy.TAGS_FIRST, allow_decoy=True, clock=clock, state=tmp_path / "state")
        run = asyncio.create_task(delete(sandbox.host, f"- {APP}:pr-*", options))
        await reached.wait()
        run.cancel()
        await asyncio.wait([run])
        sandbox.faults.clear()
        sandbox.faults.add(fault, path=path, times=None)
        begin = clock.monotonic()

        early = await resume(sandbox.host, options)
        sandbox.faults.clear()

        assert set(early.statuses.values()) == {"failed unfinished"}
        assert clock.monotonic() - begin < 200

        resumed = await resume(sandbox.host, options)

        assert set(resumed.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == []
