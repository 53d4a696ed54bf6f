"""A registry that deletes tags, and no manifests: that is said, and `--strategy tags-first` does what can be done."""

from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Auth, Reply, Sandbox, SandboxSettings, oci_image, put_image
from tests.integration.engine import Done, Options, delete, lost, undo

APP = "team/app"
ONLY = SandboxSettings(deletes_digests=False, tag_deletes=True)
FIRST = Options(strategy=Strategy.TAGS_FIRST)
LIST = f"- {APP}:pr-*"
BODY = b'{"errors": [{"code": "UNSUPPORTED", "message": "no"}]}'


def fill(sandbox: Sandbox, number: int = 3) -> list[str]:
    """So many images to delete, the first with two tags, and one to keep; return their digests."""
    digests = [put_image(sandbox.store, APP, [f"pr-{seed}"], oci_image(seed=seed)) for seed in range(number)]
    sandbox.store.tag(APP, "pr-0-too", digests[0])
    put_image(sandbox.store, APP, ["latest"], oci_image(seed=999))
    return digests


def refuse(sandbox: Sandbox, status: int, *, plain: bool = False) -> None:
    """Let every DELETE of a digest be refused so."""
    reply = Reply(status) if plain else Reply(status, {"Content-Type": "application/json"}, BODY)
    sandbox.faults.add(reply, method="DELETE", path="sha256:", times=None)


@pytest.mark.parametrize("number", [3, 200])
@pytest.mark.parametrize("strategy", [Strategy.AUTO, Strategy.DIGEST])
@pytest.mark.parametrize(("status", "plain"), [(405, False), (405, True), (400, False)])
async def test_it_is_not_that_deletion_is_disabled(
    *, status: int, plain: bool, strategy: Strategy, number: int
) -> None:
    """Without tags-first nothing goes, found out once; the hint names the way that works."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox, number)
        refuse(sandbox, status, plain=plain)

        done = await delete(sandbox.host, LIST, Options(strategy=strategy))

        assert set(done.statuses.values()) == {"failed not-supported"}
        assert "--strategy tags-first" in done.images[0]["hint"]
        assert "deletes tags, and no manifests" in done.images[0]["error"]["message"]
        assert set(digests) <= sandbox.store.digests(APP)
        assert len(sandbox.store.tags(APP) or ()) == number + 2
        assert done.count("DELETE") <= 5


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("number", [3, 200])
@pytest.mark.parametrize(("status", "plain"), [(405, False), (405, True), (400, False)])
async def test_tags_first(*, status: int, plain: bool, number: int, dry_run: bool) -> None:
    """The tags go, and every image says that its manifest stays; a dry run says the same."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox, number)
        refuse(sandbox, status, plain=plain)

        done = await delete(sandbox.host, LIST, replace(FIRST, dry_run=dry_run))

        assert set(done.statuses.values()) == {"would-untag" if dry_run else "untagged"}
        assert done.images[0]["because"] == [f"{sandbox.host}/{APP}@{digests[0]}"]
        assert any("deletes tags, and no manifests" in text for text in done.said)
        assert done.code == 0
        assert set(digests) <= sandbox.store.digests(APP)
        if not dry_run:
            assert sandbox.store.tags(APP) == ["latest"]
            assert _real(done) <= number + 1


def _real(done: Done) -> int:
    """How many DELETEs were sent that were no questions."""
    asked = [path for method, path in done.sent if method == "DELETE" and "probe" not in path and "0" * 64 not in path]
    return len(asked)


async def test_a_digest_cannot_go() -> None:
    """What the list names by digest fails, whatever else goes, and its tag stays."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox)
        bare = put_image(sandbox.store, APP, [], oci_image(seed=77))

        done = await delete(sandbox.host, f"- {APP}@{bare}\n- {APP}:pr-1\n- {APP}@{digests[1]}", FIRST)

        assert done.statuses == {
            f"{APP}@{bare}": "failed not-supported",
            f"{APP}:pr-1": "untagged",
            f"{APP}@{digests[1]}": "failed not-supported",
        }
        assert sandbox.store.digest_of(APP, "pr-1") is None


async def test_an_unlisted_tag_stays() -> None:
    """`--shared delete` would take it with its manifest; where that stays, so does the tag."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-0", replace(FIRST, shared=Shared.DELETE))

        assert done.statuses == {f"{APP}:pr-0": "untagged"}
        assert done.images[0]["because"] == [f"{sandbox.host}/{APP}:pr-0-too"]
        assert sandbox.store.digest_of(APP, "pr-0-too") == digests[0]


async def test_what_is_attached_stays() -> None:
    """A signature stays with what it signs."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox)
        tag = f"{digests[1].replace(':', '-')}.sig"
        put_image(sandbox.store, APP, [tag], oci_image(seed=50))

        done = await delete(sandbox.host, f"- {APP}:pr-1", replace(FIRST, recursive=True))

        assert done.statuses[f"{APP}:pr-1"] == "untagged"
        assert sandbox.store.digest_of(APP, tag) is not None
        assert {"untagged", "kept needed"} == set(done.statuses.values())


async def test_untag() -> None:
    """`--shared untag` works as where manifests are deleted too."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(shared=Shared.UNTAG))

        assert done.statuses == {f"{APP}:pr-0": "untagged"}
        assert sandbox.store.digest_of(APP, "pr-0-too") == digests[0]


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_untag_beside_what_cannot_go(concurrency: int) -> None:
    """That no manifest is deleted is no reason to leave a tag that is to be taken off."""
    async with Sandbox(ONLY) as sandbox:
        fill(sandbox)
        for place in ("team/a", "team/z"):
            put_image(sandbox.store, place, ["one", "stays"], oci_image(seed=5))

        listed = f"{LIST}\n- team/a:one\n- team/z:one"
        done = await delete(sandbox.host, listed, Options(shared=Shared.UNTAG, concurrency=concurrency))

        assert (done.statuses["team/a:one"], done.statuses["team/z:one"]) == ("untagged", "untagged")
        assert {word for name, word in done.statuses.items() if APP in name} == {"failed not-supported"}
        assert _real(done) <= 3


async def test_undo(tmp_path: Path) -> None:
    """The tags are put back."""
    async with Sandbox(ONLY) as sandbox:
        digests = fill(sandbox)
        await delete(sandbox.host, LIST, replace(FIRST, state=tmp_path))

        back = await undo(lost(tmp_path))

        assert set(back.values()) == {"restored"}
        assert [sandbox.store.digest_of(APP, f"pr-{number}") for number in range(3)] == digests


@pytest.mark.parametrize(
    "settings", [SandboxSettings(auth=Auth.NONE, delete_enabled=False), SandboxSettings(auth=Auth.NONE, read_only=True)]
)
async def test_where_nothing_is_deleted(settings: SandboxSettings) -> None:
    """Where tags are not deleted either, it is still that deletion is disabled, or the registry read-only: one request more."""
    async with Sandbox(settings) as sandbox:
        fill(sandbox)
        sandbox.faults.add(
            Reply(200, {"Content-Type": "application/json"}, b'"another make"'), method="GET", path="/v2/$"
        )

        done = await delete(sandbox.host, LIST)

        code = "read-only" if settings.read_only else "deletion-disabled"
        assert set(done.statuses.values()) == {f"failed {code}"}
        assert done.count("DELETE") == 2
