"""`--shared untag`: listed tags go, the manifest and its other tags stay, on registries that delete tags and others."""

import asyncio
from dataclasses import replace

import pytest

from bulkrm.model.secret import Secret
from bulkrm.model.settings import Limit, Login, Shared
from bulkrm.sandbox import Call, DropAfter, Reply, Sandbox, SandboxSettings, ServerRequest, User, oci_image, put_image
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
UNTAG = Options(shared=Shared.UNTAG)
DECOY = Options(shared=Shared.UNTAG, allow_decoy=True)
TAGS = SandboxSettings(tag_deletes=True)


def fill(sandbox: Sandbox) -> str:
    """One image under two listed tags and one other; return its digest."""
    return put_image(sandbox.store, APP, ["pr-1", "pr-2", "latest"], oci_image(seed=1))


@pytest.mark.parametrize(("settings", "options"), [(TAGS, UNTAG), (SandboxSettings(), DECOY), (TAGS, DECOY)])
async def test_a_shared_digest_lives_on(settings: SandboxSettings, options: Options) -> None:
    """Listed tags go, one by one or by a decoy; the others still hold the manifest."""
    async with Sandbox(settings) as sandbox:
        digest = fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-*", options)

        assert done.statuses == {f"{APP}:pr-1": "untagged", f"{APP}:pr-2": "untagged"}
        assert done.code == 0
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {digest}
        assert {tuple(entry["because"]) for entry in done.images} == {(f"{sandbox.host}/{APP}:latest",)}


async def test_tags_are_deleted_where_that_works() -> None:
    """A registry that deletes tags gets no decoy, even where one is allowed, and nobody asks for push."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-*", DECOY)

        assert done.count("PUT") == 0
        assert not any("push" in str(request) for request in sandbox.tokens.log)


async def test_no_way() -> None:
    """Where a registry deletes no tags and no decoy is allowed, the image is shared, and its other tags are named."""
    async with Sandbox() as sandbox:
        digest = fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-1", UNTAG)

        assert done.statuses == {f"{APP}:pr-1": "kept shared"}
        assert done.images[0]["because"] == [f"{sandbox.host}/{APP}:latest", f"{sandbox.host}/{APP}:pr-2"]
        assert (done.code, sandbox.store.digest_of(APP, "pr-1")) == (3, digest)
        assert f"{sandbox.host} deletes no tags, so what has other tags too is kept; --allow-decoy permits" in str(
            done.said
        )


@pytest.mark.parametrize("options", [UNTAG, DECOY])
@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (SandboxSettings(delete_enabled=False), "deletion-disabled"),
        (SandboxSettings(delete_enabled=False, tag_deletes=True), "deletion-disabled"),
        (SandboxSettings(read_only=True), "read-only"),
    ],
)
async def test_deletion_disabled(settings: SandboxSettings, code: str, options: Options) -> None:
    """Where nothing is deleted at all, that is said, and nothing is pushed."""
    async with Sandbox(settings) as sandbox:
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-*", options)

        assert done.statuses == {f"{APP}:pr-1": f"failed {code}", f"{APP}:pr-2": f"failed {code}"}
        assert (done.count("PUT"), done.code) == (0, 1)


@pytest.mark.parametrize("settings", [TAGS, SandboxSettings()])
async def test_no_permission(settings: SandboxSettings) -> None:
    """Who may not delete is told so by the first question, and nothing happens."""
    users = {"reader": User.allowed("reader", {"*": ["pull"]})}
    async with Sandbox(settings, users=users) as sandbox:
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-*", replace(DECOY, login=Login("reader", Secret("reader"))))

        assert set(done.statuses.values()) == {"failed not-permitted"}
        assert done.count("PUT") == 0


@pytest.mark.parametrize("options", [replace(UNTAG, dry_run=True), replace(DECOY, dry_run=True)])
async def test_a_dry_run(options: Options) -> None:
    """A dry run asks with tags and digests that nobody has, changes nothing, and ends as the run would."""
    for settings in (TAGS, SandboxSettings()):
        async with Sandbox(settings) as sandbox:
            digest = fill(sandbox)

            done = await delete(sandbox.host, f"- {APP}:pr-1", options)

            possible = settings.tag_deletes or options.allow_decoy
            assert done.statuses == {f"{APP}:pr-1": "would-untag" if possible else "kept shared"}
            assert done.code == (0 if possible else 3)
            assert sandbox.store.tags_on(APP, digest) == {"pr-1", "pr-2", "latest"}
            deleted = [path for method, path in done.sent if method == "DELETE"]
            assert all("bulkrm-probe-" in path or path.endswith("0" * 64) for path in deleted)


async def test_protection_and_digests() -> None:
    """A listed tag goes from a digest that another tag protects; a digest reference is kept."""
    async with Sandbox(TAGS) as sandbox:
        digest = fill(sandbox)
        text = f'protect: ["*:pr-2"]\nimages:\n- {APP}:pr-*\n- {APP}@{digest}'

        done = await delete(sandbox.host, text, UNTAG)

        assert done.statuses == {
            f"{APP}:pr-1": "untagged",
            f"{APP}:pr-2": "kept protected",
            f"{APP}@{digest}": "kept protected",
        }
        assert sandbox.store.tags_on(APP, digest) == {"pr-2", "latest"}


async def test_the_limit() -> None:
    """--max-delete counts the tags that go."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-*", replace(UNTAG, max_delete=Limit(1)))

        assert set(done.statuses.values()) == {"kept limit"}


@pytest.mark.parametrize("answered", [True, False])
async def test_a_registry_that_takes_all(*, answered: bool) -> None:
    """Where the first tag takes its siblings with it, they are put back, the run stops, and nothing else is lost: also
    where the answer to the first DELETE was lost."""
    async with Sandbox(SandboxSettings(tag_deletes=True, tag_delete_takes_all=True)) as sandbox:
        if not answered:
            sandbox.faults.add(DropAfter(), method="DELETE", path="/pr-")
        digests = {}
        for number in range(20):
            tags = [f"pr-{number}", f"keep-{number}", f"also-{number}"]
            digests[number] = put_image(sandbox.store, APP, tags, oci_image(seed=number))

        done = await delete(sandbox.host, f"- {APP}:pr-*", replace(UNTAG, clock=FakeClock(auto=True)))

        words = sorted(done.statuses.values())
        assert words == ["failed siblings-removed", *["not-attempted fail-fast"] * 19]
        assert done.code == 1
        assert sandbox.store.digests(APP) == set(digests.values())
        kept = {f"{kind}-{number}" for number in range(20) for kind in ("keep", "also")}
        assert kept <= set(sandbox.store.tags(APP) or ())
        assert len(sandbox.store.tags(APP) or ()) == 59


async def test_siblings_that_cannot_be_put_back() -> None:
    """Who may not push is told which tags are lost."""
    users = {"cleaner": User.allowed("cleaner", {"*": ["pull", "delete"]})}
    settings = SandboxSettings(tag_deletes=True, tag_delete_takes_all=True)
    async with Sandbox(settings, users=users) as sandbox:
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-1", replace(UNTAG, login=Login("cleaner", Secret("cleaner"))))

        (image,) = done.images
        assert image["error"]["code"] == "siblings-removed"
        assert "LOST, push them again: latest, pr-2" in image["error"]["message"]


async def test_only_the_first_is_watched() -> None:
    """After the first tag of a place it and its siblings are read; after that a tag costs one HEAD and one DELETE."""
    async with Sandbox(TAGS) as sandbox:
        put_image(sandbox.store, APP, [f"pr-{number}" for number in range(10)] + ["latest"], oci_image(seed=1))

        done = await delete(sandbox.host, f"- {APP}:pr-*", UNTAG)

        after = done.sent[done.sent.index(next(sent for sent in done.sent if "bulkrm-probe" in sent[1])) + 1 :]
        assert sum(method == "DELETE" for method, _ in after) == 10
        assert sum(method == "HEAD" for method, _ in after) == 10 + 2 * 10 + 1
        assert sum(method == "GET" and "manifests" in path for method, path in after) == 1


async def test_a_tag_is_read_right_before() -> None:
    """Between the reading of a tag and its DELETE there is no other request for that tag; one that moved is kept."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        other = put_image(sandbox.store, APP, ["other"], oci_image(seed=9))

        async def move(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "pr-2", other)

        sandbox.faults.add(Call(move), method="DELETE", path="pr-1$")

        done = await delete(sandbox.host, f"- {APP}:pr-1\n- {APP}:pr-2", replace(UNTAG, concurrency=1))

        assert done.statuses == {f"{APP}:pr-1": "untagged", f"{APP}:pr-2": "kept moved"}
        assert done.images[1]["because"] == [f"{sandbox.host}/{APP}:pr-2@{other}"]
        assert sandbox.store.digest_of(APP, "pr-2") == other
        last = [sent for sent in done.sent if sent[1].endswith("/pr-1")][-3:]
        # The last look is at what came of it, because it is the first.
        assert [method for method, _ in last] == ["HEAD", "DELETE", "HEAD"]


async def test_a_tag_that_is_gone() -> None:
    """A tag that vanished before its DELETE is absent."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)

        async def remove(_: object) -> None:
            sandbox.store.delete_tag(APP, "pr-1")

        done = await delete(sandbox.host, f"- {APP}:pr-1", replace(UNTAG, before_delete=remove))

        assert done.statuses == {f"{APP}:pr-1": "absent"}


@pytest.mark.parametrize("acted", [True, False])
async def test_a_delete_without_an_answer(*, acted: bool) -> None:
    """After a 5xx the tag is read again before anything is sent again, and the outcome is true."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)

        async def act(_: ServerRequest) -> None:
            if acted:
                sandbox.store.delete_tag(APP, "pr-1")

        sandbox.faults.add(Call(act), method="DELETE", path="pr-1$")
        sandbox.faults.add(Reply(502), method="DELETE", path="pr-1$")

        done = await delete(sandbox.host, f"- {APP}:pr-1", replace(UNTAG, clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-1": "untagged"}
        assert [method for method, path in done.sent if path.endswith("/pr-1")].count("DELETE") == (1 if acted else 2)


async def test_a_push_between_two_attempts() -> None:
    """What somebody pushed under the tag after a DELETE that failed is not deleted by the next attempt."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        new = put_image(sandbox.store, APP, (), oci_image(seed=8))

        async def push(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "pr-1", new)

        sandbox.faults.add(Call(push), method="DELETE", path="pr-1$")
        sandbox.faults.add(Reply(502), method="DELETE", path="pr-1$")

        done = await delete(sandbox.host, f"- {APP}:pr-1", replace(UNTAG, clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-1": "kept moved"}
        assert sandbox.store.digest_of(APP, "pr-1") == new


async def test_after_the_first_one_they_go_together() -> None:
    """The first removal of a tag goes alone; once it was seen to work, those of other images do not wait for each other."""
    together, under_way = asyncio.Event(), 0

    async def meet(_: ServerRequest) -> None:
        """Hold a removal until another one is under way as well: alone it would wait for ever."""
        nonlocal under_way
        under_way += 1
        if under_way >= 2:
            together.set()
        await together.wait()

    async with Sandbox(TAGS) as sandbox:
        for number in range(4):
            put_image(sandbox.store, APP, [f"pr-{number}", f"keep-{number}"], oci_image(seed=number))
        for number in range(1, 4):
            sandbox.faults.add(Call(meet), method="DELETE", path=f"manifests/pr-{number}")

        done = await delete(sandbox.host, f"- {APP}:pr-*", UNTAG)

        assert set(done.statuses.values()) == {"untagged"}
        assert set(sandbox.store.tags(APP) or ()) == {f"keep-{number}" for number in range(4)}
