"""A registry that breaks down in the middle: bounded time, true outcomes, and a run that can be gone on with."""

from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Drop, DropAfter, Reply, Sandbox, SandboxSettings, oci_image, put_image
from tests.cli.command import bulkrm, fill, tags
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock

APP = "team/app"


@pytest.mark.parametrize("fault", [Reply(503), Drop()])
async def test_it_is_not_asked_for_ever(fault: Reply | Drop) -> None:
    """After eight failures in a row the rest is not attempted, however many images there are."""
    async with Sandbox() as sandbox:
        for number in range(100):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number, config_seed=0))
        sandbox.faults.add(fault, method="DELETE|HEAD", path="sha256:", times=None, skip=10)

        done = await delete(sandbox.host, f"- {APP}:pr-*", Options(clock=FakeClock(auto=True), concurrency=4))

        words = sorted(done.statuses.values())
        left = set(sandbox.store.tags(APP) or ())
        assert words.count("deleted") == 100 - len(left)
        assert words.count("not-attempted circuit-open") >= 70
        failed = {"failed server-error", "failed connection-lost", "failed unconfirmed"}
        assert set(words) <= {"deleted", "not-attempted circuit-open", *failed}
        assert done.code == 1
        assert len(done.sent) < 600  # a look, itself repeated, before each of the five sends of a DELETE


async def test_an_answer_about_one_image_does_not_count() -> None:
    """Digests that are no manifests, which distribution 2.8 answers with 500, open no circuit."""
    async with Sandbox() as sandbox:
        image = oci_image(seed=1)
        put_image(sandbox.store, APP, ["pr-1"], image)
        blobs = [sandbox.store.put_blob(APP, bytes([number])) for number in range(12)]
        text = "\n".join(f"- {APP}@{digest}" for digest in blobs) + f"\n- {APP}:pr-1"

        done = await delete(sandbox.host, text, Options(clock=FakeClock(auto=True)))

        assert list(done.statuses.values()) == ["failed not-a-manifest"] * 12 + ["deleted"]


async def test_a_host_that_never_answers() -> None:
    """Where nothing ever listened every image fails with that; other registries go on."""
    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["pr-1"], oci_image(seed=1))
        text = f"- {APP}:pr-1\n- 127.0.0.1:1/{APP}:a\n- 127.0.0.1:1/{APP}:b"

        done = await delete(sandbox.host, text, Options(clock=FakeClock(auto=True), login=None))

        words = [f"{entry['status']} {(entry['error'] or {}).get('code')}" for entry in done.images]
        assert words[1:] == ["failed unreachable"] * 2


async def test_gone_on_with_when_it_works_again(tmp_path: Path) -> None:
    """What was not attempted is deleted by `resume`, what failed while planning too, and nothing twice."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, *(f"pr-{number}" for number in range(40)), "latest")
        sandbox.faults.add(Reply(400), method="GET", path="manifests/pr-7$")
        sandbox.faults.add(DropAfter(), method="DELETE", every=3, times=3)
        first = await bulkrm(f"{sandbox.host}/{APP}:pr-*", "--fail-fast", "-o", "json", env=env)
        sandbox.faults.clear()
        result = await bulkrm("resume", "-o", "json", env=env)

    assert first.code == 1
    assert result.code == 0
    assert len(result.images) == 40
    assert {image["status"] for image in result.images} == {"deleted"}
    assert tags(sandbox) == {"latest"}
