"""Tags that are listed and lead nowhere, on real registries whose files are damaged: they can be cleaned up."""

from pathlib import Path

import pytest

from bulkrm.model.settings import Strategy
from bulkrm.sandbox import oci_image
from tests.integration.engine import Done, Options, delete, lost
from tests.support.clock import FakeClock
from tests.support.damage import IS_BROKEN, LEADS_NOWHERE, damage, exists
from tests.support.real import RealRegistry
from tests.support.registries import DISTRIBUTION_2, DISTRIBUTION_3, Registry

APP = "team/app"
BAD, GOOD, KEPT = oci_image(1), oci_image(2), oci_image(3)


@pytest.fixture(params=(DISTRIBUTION_2, DISTRIBUTION_3))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """The real ones."""
    return str(request.param)


# One deletes tags, the other does not.
deletes_tags = pytest.mark.parametrize("registry_kind", [DISTRIBUTION_3])
deletes_no_tags = pytest.mark.parametrize("registry_kind", [DISTRIBUTION_2])


async def broken(registry: Registry, what: str) -> RealRegistry:
    """Three images, the tag of one of which is damaged; return the server."""
    assert isinstance(registry.server, RealRegistry)
    for tag, image in (("bad", BAD), ("good", GOOD), ("kept", KEPT)):
        await registry.admin.push(APP, image, tag)
    damage(registry.server, APP, "bad", BAD.digest, what)
    assert "bad" in await registry.admin.tags(APP)
    return registry.server


async def run(registry: Registry, text: str, tmp_path: Path, **options: object) -> Done:
    """A run that is recorded, on a clock that does not wait."""
    chosen = {"clock": FakeClock(auto=True), "state": tmp_path / "state", **options}
    return await delete(registry.host, text, Options(**chosen))  # type: ignore[arg-type]


@deletes_tags
@pytest.mark.parametrize("what", [*LEADS_NOWHERE, *IS_BROKEN])
async def test_a_listed_tag_goes_where_tags_can_be_deleted(registry: Registry, what: str, tmp_path: Path) -> None:
    """A tag that leads nowhere is deleted by DELETE of the tag: no digest, nothing to put back, and no longer listed."""
    server = await broken(registry, what)

    done = await run(registry, f"- {APP}:bad", tmp_path)

    assert (done.code, done.statuses) == (0, {f"{APP}:bad": "deleted"})
    assert (done.images[0]["digest"], done.images[0]["note"].partition(":")[0]) == (None, "cannot be undone")
    assert await registry.admin.tags(APP) == {"good", "kept"}
    assert not exists(server, APP, "bad")
    assert lost(tmp_path / "state") == []


@deletes_no_tags
@pytest.mark.parametrize("what", [*LEADS_NOWHERE, *IS_BROKEN])
async def test_a_listed_tag_goes_by_decoy(registry: Registry, what: str, tmp_path: Path) -> None:
    """Where tags cannot be deleted a decoy takes it away, if that is allowed; no decoy stays."""
    await broken(registry, what)

    done = await run(registry, f"- {APP}:bad", tmp_path, allow_decoy=True)

    assert (done.code, done.statuses) == (0, {f"{APP}:bad": "deleted"})
    assert await registry.admin.tags(APP) == {"good", "kept"}


@deletes_no_tags
@pytest.mark.parametrize("what", [*LEADS_NOWHERE, *IS_BROKEN])
async def test_a_listed_tag_stays_where_there_is_no_way(registry: Registry, what: str, tmp_path: Path) -> None:
    """Without a way it is kept, not `absent`, and the hint names the way out."""
    await broken(registry, what)

    done = await run(registry, f"- {APP}:bad", tmp_path)

    assert (done.code, done.statuses) == (3, {f"{APP}:bad": "kept unreadable"})
    assert done.images[0]["because"] == ["listed, but leads nowhere"]
    assert "--allow-decoy" in done.images[0]["hint"]
    assert done.count("PUT") == 0
    assert await registry.admin.tags(APP) == {"bad", "good", "kept"}


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("what", [*LEADS_NOWHERE, *IS_BROKEN])
async def test_it_goes_before_the_others(registry: Registry, what: str, strategy: Strategy, tmp_path: Path) -> None:
    """A damaged tag goes first: while its link is there distribution deletes no manifest of the repository."""
    await broken(registry, what)

    text = f"- {APP}:good\n- {APP}:bad"
    dry = await run(registry, text, tmp_path, allow_decoy=True, strategy=strategy, dry_run=True)
    done = await run(registry, text, tmp_path, allow_decoy=True, strategy=strategy)

    assert dry.statuses == {f"{APP}:good": "would-delete", f"{APP}:bad": "would-delete"}
    assert done.statuses == {f"{APP}:good": "deleted", f"{APP}:bad": "deleted"}
    assert await registry.admin.content(APP, GOOD.digest) == {GOOD.digest: None, "kept": KEPT.digest}


@pytest.mark.parametrize("what", IS_BROKEN)
async def test_one_broken_tag_holds_all_back(registry: Registry, what: str, tmp_path: Path) -> None:
    """A damaged tag outside the list keeps the repository, and the hint names both ways out."""
    await broken(registry, what)

    done = await run(registry, f"- {APP}:good", tmp_path)

    assert (done.code, done.statuses) == (3, {f"{APP}:good": "kept unreadable"})
    assert f"--ignore-unreadable {registry.host}/{APP}:bad" in done.images[0]["hint"]
    assert await registry.admin.digest(APP, "good") == GOOD.digest


@deletes_tags
@pytest.mark.parametrize("what", IS_BROKEN)
async def test_a_broken_tag_is_ignored(registry: Registry, what: str, tmp_path: Path) -> None:
    """With --ignore-unreadable it holds nothing back; where tags are deleted first, all goes that was to go."""
    await broken(registry, what)

    ignore = (f"{registry.host}/{APP}:bad",)
    done = await run(registry, f"- {APP}:good", tmp_path, ignore=ignore, strategy=Strategy.TAGS_FIRST)

    assert done.plan is not None
    assert done.plan.ignored == ignore
    assert done.statuses == {f"{APP}:good": "deleted"}
    assert await registry.admin.tags(APP) == {"bad", "kept"}
    assert await registry.admin.digest(APP, GOOD.digest) is None


@pytest.mark.parametrize("what", IS_BROKEN)
async def test_a_protected_tag_is_not_ignored(registry: Registry, what: str, tmp_path: Path) -> None:
    """What --protect matches holds everything back, whatever else is said of it, and does not go itself."""
    await broken(registry, what)

    text = f"protect: ['*:bad']\nimages:\n- {APP}:good\n- {APP}:bad"
    done = await run(registry, text, tmp_path, ignore=("*:bad",))

    assert done.statuses == {f"{APP}:good": "kept unreadable", f"{APP}:bad": "failed server-error"}
    assert await registry.admin.tags(APP) == {"bad", "good", "kept"}


@pytest.mark.parametrize("what", LEADS_NOWHERE)
async def test_a_protected_tag_that_leads_nowhere(registry: Registry, what: str, tmp_path: Path) -> None:
    """It is kept as protected, and holds nothing back: there is nothing that it could need."""
    await broken(registry, what)

    done = await run(registry, f"protect: ['*:bad']\nimages:\n- {APP}:good\n- {APP}:bad", tmp_path)

    assert done.statuses == {f"{APP}:good": "deleted", f"{APP}:bad": "kept protected"}
