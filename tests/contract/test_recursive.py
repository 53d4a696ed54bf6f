"""What --recursive says it would delete, it can delete, and does: signatures, referrers of referrers, on every registry."""

from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.model.settings import Strategy
from bulkrm.sandbox import Image, Sandbox, SandboxSettings, artifact, fallback_index, fallback_tag, oci_image, oci_index
from bulkrm.sandbox import put_image as put
from tests.integration.engine import Done, Options, delete, lost, undo
from tests.support.registries import KINDS, KINDS_3, Registry

APP = "team/app"
DEEP = Options(recursive=True, allow_decoy=True, verify=True)


@pytest.fixture(params=(*KINDS, *KINDS_3))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """Both generations, each in the sandbox and for real."""
    return str(request.param)


def planned(dry: Done) -> dict[str, str]:
    """What a run has to say after this dry run."""
    return {name: status.replace("would-delete", "deleted") for name, status in dry.statuses.items()}


def signed(subject: Image) -> dict[str, Image]:
    """A signature, an attestation and an SBOM as cosign keeps them, and a signature of that signature; by tag."""
    base = fallback_tag(subject)
    found = {f"{base}{suffix}": oci_image(seed) for seed, suffix in enumerate((".sig", ".att", ".sbom"), 10)}
    return {**found, f"{fallback_tag(found[f'{base}.sig'])}.sig": oci_image(20)}


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("subject", [oci_image(1), oci_index(1)])
async def test_what_cosign_attached(registry: Registry, subject: Image, strategy: Strategy, tmp_path: Path) -> None:
    """An image with signatures goes with them, as the dry run said: all of it was kept before, and can be put back."""
    attached = signed(subject)
    await registry.admin.push(APP, subject, "signed")
    await registry.admin.push(APP, oci_image(30), "other", f"{fallback_tag(oci_image(31))}.sig")
    for tag, image in attached.items():
        await registry.admin.push(APP, image, tag)
    before = await registry.admin.content(APP)
    text = f"- {APP}:signed"

    dry = await delete(registry.host, text, replace(DEEP, strategy=strategy, dry_run=True))
    done = await delete(registry.host, text, replace(DEEP, strategy=strategy, state=tmp_path / "state"))

    assert set(attached) < {name.rpartition(":")[2] for name in dry.statuses}
    assert (done.code, done.statuses) == (0, planned(dry))
    assert await registry.admin.tags(APP) == {"other", f"{fallback_tag(oci_image(31))}.sig"}
    assert set((await undo(lost(tmp_path / "state"))).values()) == {"restored"}
    assert await registry.admin.content(APP) == before


async def test_what_the_fallback_tag_lists(registry: Registry, tmp_path: Path) -> None:
    """What the index under the fallback tag lists goes too, and what is attached to that; what lies about it stays."""
    subject = oci_image(1)
    first, foreign = artifact(1, subject), artifact(2, oci_image(9))
    second = artifact(3, first)
    await registry.admin.push(APP, subject, "signed")
    await registry.admin.push(APP, fallback_index([first, foreign]), fallback_tag(subject))
    await registry.admin.push(APP, fallback_index([second]), fallback_tag(first))
    text = f"- {APP}:signed"

    dry = await delete(registry.host, text, replace(DEEP, dry_run=True))
    done = await delete(registry.host, text, replace(DEEP, state=tmp_path / "state"))

    assert (done.code, done.statuses) == (0, planned(dry))
    digests = (subject.digest, first.digest, second.digest, foreign.digest)
    gone = {**dict.fromkeys(digests, None), foreign.digest: foreign.digest}
    assert await registry.admin.content(APP, *digests) == gone


async def test_referrers_of_referrers(tmp_path: Path) -> None:
    """Where there is an API for it, referrers go with their subject, level by level, whatever tags were read by HEAD."""
    async with Sandbox(SandboxSettings(referrers=True)) as sandbox:
        subject = oci_index(1)
        first = artifact(1, subject)
        second = artifact(2, first)
        put(sandbox.store, APP, ["signed"], subject)
        put(sandbox.store, APP, ["kept"], oci_image(9))
        for tags, image in (([], first), ([], second), ([f"{fallback_tag(second)}.sig"], oci_image(8))):
            put(sandbox.store, APP, tags, image)
        text = f"- {APP}:signed"

        dry = await delete(sandbox.host, text, replace(DEEP, dry_run=True))
        done = await delete(sandbox.host, text, replace(DEEP, state=tmp_path / "state"))

        assert (done.code, done.statuses) == (0, planned(dry))
        assert sandbox.store.digests(APP) == {oci_image(9).digest}
