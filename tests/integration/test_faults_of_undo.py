"""The registry goes away, or the disk is full, while a run is taken back: nothing false is said, and it can be repeated."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from bulkrm.engine.recover.undo import Loss
from bulkrm.model.settings import Shared
from bulkrm.sandbox import Auth, Call, Sandbox, SandboxSettings, ServerRequest, oci_image, oci_index, put_image
from tests.cli.command import Command, foreign, in_process, served
from tests.integration.engine import Options, delete, lost, undo
from tests.support.admin import Admin, many_images, push_pairs
from tests.support.clock import FakeClock
from tests.support.disk import BEYOND_THE_FIRST_WRITE, Disk
from tests.support.outages import KINDS, Outage, Patience, outage_of
from tests.support.real import RealRegistry

APP = "team/app"
FEW, MANY = 2, 8  # enough to go on with after an outage, and to give up in one
FIRST_CHILD = 3  # the PUT after which an index is half there
RUN = Options(shared=Shared.UNTAG, allow_decoy=True, recursive=True)


async def fill(admin: Admin, number: int = FEW) -> set[str]:
    """Push so many images, an index of two tags, and an image whose other tag nobody lists; return all digests."""
    images = many_images(f"pr-{seed}" for seed in range(number))
    index, shared = oci_index(500), oci_image(600)
    await admin.push_many(APP, images)
    await admin.push(APP, index, "pr-0-index", "pr-0-index-too")
    await admin.push(APP, shared, "pr-shared", "keep-shared")
    return {image.digest for image in (*images.values(), index, *index.children, shared)}


@dataclass(frozen=True, slots=True)
class RepositoryView:
    """A registry that is going to be away, what a run took away from it, and what was there before that."""

    outage: Outage
    admin: Admin
    losses: list[Loss]
    before: Mapping[str, str | None]

    async def undo(self, options: Options) -> dict[str, str]:
        # One at a time where processes are killed: what others write at that moment would be torn, and nobody's fault.
        return await undo(self.losses, options=replace(options, concurrency=1, heard=self.outage.heard))

    async def check(self, words: Mapping[str, str]) -> None:
        """Everything that went has one outcome, every outcome is true, and nothing else was touched."""
        names = [tag for loss in self.losses for tag in loss.tags or (loss.manifest.digest,)]
        assert sorted(words) == sorted(names)
        now = await self.admin.content(APP, *self.before)
        for name, word in words.items():
            if word in ("restored", "unchanged"):
                assert now[name] == self.before[name], name
            else:
                assert word.startswith(("failed", "not-attempted")), (name, word)
                assert now[name] in (None, self.before[name]), name
        gone = {*names, *(loss.manifest.digest for loss in self.losses)}
        assert {name for name, held in now.items() if held != self.before.get(name)} <= gone


@asynccontextmanager
async def scene(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch, number: int = FEW
) -> AsyncIterator[RepositoryView]:
    state = folder / "state"
    async with RealRegistry(folder / "registry") as registry, Admin(registry.url) as admin:
        digests = await fill(admin, number)
        before = await admin.content(APP, *digests)
        async with outage_of(registry, kind, monkeypatch) as outage:
            done = await delete(outage.host, f"- {APP}:pr-*", replace(RUN, state=state))
            assert {image["status"] for image in done.images} == {"deleted", "untagged"}
            yield RepositoryView(outage, admin, lost(state), before)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_moment(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is away for no longer than anybody waits costs that wait, and everything comes back."""
    async with scene(tmp_path, kind, monkeypatch) as here:
        here.outage.arm("PUT", "/manifests/", FIRST_CHILD)

        words = await here.undo(Options(clock=Patience(here.outage)))

        assert here.outage.begun
        assert set(words.values()) == {"restored"}
        await here.check(words)
        assert await here.admin.content(APP, *here.before) == here.before


@pytest.mark.parametrize(
    ("kind", "method", "path", "number"),
    [
        pytest.param("name", "PUT", "/manifests/", FIRST_CHILD, id="name-push"),
        pytest.param("killed-acting", "PUT", "/manifests/", FIRST_CHILD, id="killed-acting-push"),
        pytest.param("killed", "HEAD", "/manifests/sha256:", 4, id="killed-look"),
    ],
)
async def test_an_outage(
    kind: str, method: str, path: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that stays away is given up soon, all that is said of it is true, and the next `undo` does the rest."""
    async with scene(tmp_path, kind, monkeypatch, MANY) as here:
        here.outage.arm(method, path, number)
        clock = FakeClock(auto=True)

        words = await here.undo(Options(clock=clock))
        await here.outage.end()

        assert list(words.values()).count("restored") >= 2
        assert "not-attempted circuit-open" in words.values()
        assert clock.monotonic() < 200
        await here.check(words)

        again = await here.undo(Options(clock=FakeClock(auto=True)))

        assert set(again.values()) == {"restored", "unchanged"}
        assert await here.admin.content(APP, *here.before) == here.before


async def test_somebody_is_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody pushes where an outage hid what became of the push of a tag is not overwritten by the next try."""
    async with scene(tmp_path, "killed-acting", monkeypatch) as here:
        other = oci_image(900, config_seed=0)

        async def push() -> None:
            async with Admin(here.admin.url) as admin:
                await admin.put(APP, "pr-1", other)

        here.outage.arm("PUT", "/pr-1 ", 1)

        words = await here.undo(Options(clock=Patience(here.outage, push)))

        assert here.outage.begun
        assert words.pop("pr-1") == "kept moved"
        assert set(words.values()) == {"restored"}
        expected = {**here.before, "pr-1": other.digest}
        assert await here.admin.content(APP, *here.before) == expected


@pytest.mark.parametrize("kind", ["name", "killed"])
async def test_nobody_there(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the registry is away from the start everything fails with that, and the next `undo` does it."""
    async with scene(tmp_path, kind, monkeypatch) as here:
        here.outage.begin()

        words = await here.undo(Options(clock=FakeClock(auto=True)))
        await here.outage.end()

        assert set(words.values()) == {"failed unreachable"}
        await here.check(words)

        again = await here.undo(Options(clock=FakeClock(auto=True)))

        assert set(again.values()) == {"restored"}
        assert await here.admin.content(APP, *here.before) == here.before


async def test_it_comes_back_while_the_undo_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is away for a moment when an undo begins costs that moment, and nothing else."""
    async with scene(tmp_path, "killed", monkeypatch) as here:
        here.outage.begin()

        words = await here.undo(Options(clock=Patience(here.outage)))

        assert set(words.values()) == {"restored"}


async def test_instead_of_going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that an outage cut short between a decoy's push and its DELETE can be taken back as it is."""
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        await push_pairs(admin, APP, MANY)
        before = await admin.content(APP)
        async with outage_of(registry, "name", monkeypatch) as outage:
            outage.arm("PUT", "/manifests/", 5)
            options = replace(RUN, clock=FakeClock(auto=True), state=tmp_path / "state", heard=outage.heard)
            done = await delete(outage.host, f"- {APP}:pr-*", options)
            await outage.end()
            assert outage.begun
            assert await admin.content(APP, *before) != before

            words = await undo(lost(tmp_path / "state"))

            assert await admin.content(APP, *before) == before
            assert set(words.values()) == {"restored"}
            gone = {image.rpartition(":")[2] for image, word in done.statuses.items() if word == "untagged"}
            assert gone < set(words)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in this process, on a disk of the test's."""
    for name in foreign(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("BULKRM_STATE_DIR", str(tmp_path / "state"))
    return partial(in_process, capsys=capsys)


def test_a_disk_that_is_full(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything comes back where nothing can be written down, and the next `undo` finds that there is nothing to do."""
    disk = Disk(tmp_path, monkeypatch)
    with served(SandboxSettings(auth=Auth.NONE)) as sandbox:
        before = asyncio.run(look(sandbox, fill))
        run(f"{sandbox.host}/{APP}:pr-*", "-r", "--shared", "untag", "--allow-decoy")
        disk.fill()

        full = run("undo", "-o", "json")
        after = asyncio.run(look(sandbox))
        disk.make_room()
        again = run("undo", "-o", "json")
        none = run("undo")

    assert {image["status"] for image in full.images} == {"restored"}
    assert after == before
    assert {image["status"] for image in again.images} == {"unchanged"}
    assert (again.code, none.code) == (0, 2)
    assert "there is no run to undo" in none.err


def test_a_mark_that_is_missing(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be written down that a run was taken back, `undo` says so."""
    disk = Disk(tmp_path, monkeypatch)
    with served(SandboxSettings(auth=Auth.NONE)) as sandbox:
        put_image(sandbox.store, APP, ["pr-1"], oci_image(seed=1))
        run(f"{sandbox.host}/{APP}:pr-1")
        disk.fill()

        result = run("undo")

    assert result.code == 1
    assert "No space left" in result.err


async def look(sandbox: Sandbox, push: Callable[[Admin], Awaitable[object]] | None = None) -> dict[str, str | None]:
    """Push, and look at all tags."""
    async with Admin(sandbox.url) as admin:
        if push is not None:
            await push(admin)
        return await admin.content(APP, *(child.digest for child in oci_index(500).children))


@BEYOND_THE_FIRST_WRITE
async def test_a_run_that_filled_the_disk(
    settings: SandboxSettings, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went before the disk was full comes back, as long as it is full, and the rest is left alone."""
    disk = Disk(tmp_path, monkeypatch)

    async def fill_it(_: ServerRequest) -> None:
        disk.fill()

    async with Sandbox(settings) as sandbox, Admin(sandbox.url) as admin:
        await push_pairs(admin, APP, number)
        before = await admin.content(APP)
        sandbox.faults.add(Call(fill_it), method="DELETE", path="pr-|sha256:(?!0{64})", skip=4)
        done = await delete(sandbox.host, f"- {APP}:pr-*", replace(RUN, state=tmp_path / "state"))
        gone = {image.rpartition(":")[2] for image, word in done.statuses.items() if word == "untagged"}
        assert {tag for tag, held in (await admin.content(APP, *before)).items() if held is None} == gone

        words = await undo(lost(tmp_path / "state"))

        assert len(gone) >= 5
        assert {tag for tag, word in words.items() if word == "restored"} == gone
        assert set(words.values()) <= {"restored", "unchanged"}
        assert await admin.content(APP, *before) == before
