"""A proxy that repeats answers on kept-alive connections: no outcome is false, whatever came twice."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bulkrm.sandbox import Image, Reply, Sandbox, put_image
from tests.integration.engine import Done, Options, delete, lost, undo
from tests.support.admin import Admin, many_images
from tests.support.clock import FakeClock
from tests.support.real import RealRegistry
from tests.support.repeating import repeating

APP = "team/app"
IMAGES = 120
ABSENT = 12


@dataclass(frozen=True, slots=True)
class Filled:
    """What was pushed: the digest of each listed tag, and of each unlisted one."""

    listed: dict[str, str]
    kept: dict[str, str]

    def shared(self, tag: str) -> bool:
        """Tell whether an unlisted tag is on the digest of a listed one."""
        return self.listed[tag] in self.kept.values()


async def fill(admin: Admin) -> Filled:
    """Push images to go, every fourth with an unlisted tag on it, and others that stay."""
    going = many_images(f"pr-{number:03}" for number in range(IMAGES))
    staying = many_images((f"v{number}" for number in range(20)), start=1000)
    staying |= {f"keep-{number:03}": going[f"pr-{number:03}"] for number in range(0, IMAGES, 4)}
    await admin.push_many(APP, going)
    await admin.push_many(APP, staying)
    return Filled(_digests(going), _digests(staying))


def _digests(images: dict[str, Image]) -> dict[str, str]:
    return {tag: image.digest for tag, image in images.items()}


def false_outcomes(done: Done, filled: Filled, now: dict[str, str]) -> list[str]:
    """Return what the report says and is not so; `now`: what each tag leads to afterwards."""
    wrong = [f"lost: {tag}" for tag, digest in filled.kept.items() if now.get(tag) != digest]
    for image, word in done.statuses.items():
        tag = image.rpartition(":")[2]
        if word.startswith("failed"):
            continue
        right = "absent" if tag not in filled.listed else "kept shared" if filled.shared(tag) else "deleted"
        if word != right or (right == "deleted") != (tag in filled.listed and tag not in now):
            wrong.append(f"{tag}: {word} instead of {right}")
    return wrong


@pytest.mark.parametrize(("share", "seed"), [(0.05, 1), (0.15, 2), (0.3, 3)])
async def test_answers_that_come_twice(share: float, seed: int, tmp_path: Path) -> None:
    """Every image has a true outcome, nothing unlisted goes, and undo gets back all that went."""
    registry = RealRegistry(tmp_path / "registry")
    async with registry, Admin(registry.url) as admin, repeating(registry.host, share, seed) as proxy:
        filled = await fill(admin)
        absent = "".join(f"- {APP}:absent-{number}\n" for number in range(ABSENT))
        options = Options(clock=FakeClock(auto=True), state=tmp_path / "state")

        done = await delete(proxy.host, f"- {APP}:pr-*\n{absent}", options)

        now = {tag: digest for tag in await admin.tags(APP) if (digest := await admin.digest(APP, tag))}
        assert proxy.repeated > 0
        assert false_outcomes(done, filled, now) == []
        assert sum(word == "deleted" for word in done.statuses.values()) >= IMAGES // 2

        words = await undo(lost(tmp_path / "state"))

        assert set(words.values()) == {"restored"}
        assert {tag: await admin.digest(APP, tag) for tag in filled.listed} == filled.listed


@pytest.mark.parametrize(("share", "delay"), [(0.05, 0.0), (0.3, 0.0), (0.3, 0.003)])
async def test_refusals_among_answers_that_come_twice(share: float, delay: float) -> None:
    """Where answers come twice only while it deletes, a success does not hide the refusal behind it."""
    policy = Reply(409, {}, json.dumps({"errors": [{"code": "DENIED_BY_POLICY", "message": "immutable"}]}).encode())
    async with Sandbox() as sandbox, repeating(sandbox.host, share, delay=delay) as proxy:
        proxy.active = False
        images = many_images(f"pr-{number:03}" for number in range(240))
        for tag, image in images.items():
            put_image(sandbox.store, APP, [tag], image)
        refused = {tag for number, tag in enumerate(images) if number % 5 == 0}
        for tag in refused:
            sandbox.faults.add(policy, method="DELETE", path=images[tag].digest, times=None)

        async def begin(_: object) -> None:
            proxy.active = True

        done = await delete(proxy.host, f"- {APP}:pr-*", Options(clock=FakeClock(auto=True), before_delete=begin))

        assert proxy.repeated > 0 or delay
        expected = {f"{APP}:{tag}": "failed refused" if tag in refused else "deleted" for tag in images}
        assert done.statuses == expected
