"""Tags that are listed and cannot be read: what counts as damage, what is done about it, and what is never done."""

import json
from pathlib import Path

import pytest

from bulkrm.model.settings import Limit, Shared
from bulkrm.sandbox import (
    Call,
    Drop,
    DropAfter,
    LieAboutBody,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    index_of,
    oci_image,
    put_image,
)
from tests.integration.engine import Done, Options, delete, lost
from tests.support.clock import FakeClock

APP = "team/app"
BAD, GOOD, KEPT = oci_image(1), oci_image(2), oci_image(3)
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
UNKNOWN = Reply(404, VERSION, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
BROKEN = Reply(500, VERSION, b'{"errors":[{"code":"UNKNOWN","message":"invalid checksum digest format"}]}')
TAGS = SandboxSettings(tag_deletes=True)
IGNORE = ("*:bad",)


def fill(sandbox: Sandbox) -> None:
    """Three images with a tag each."""
    for tag, image in (("bad", BAD), ("good", GOOD), ("kept", KEPT)):
        put_image(sandbox.store, APP, [tag], image)


def lose(sandbox: Sandbox) -> None:
    """Let `bad` lead nowhere: the registry lists it and answers 404."""
    sandbox.store.tag(APP, "bad", "sha256:" + "9" * 64)


def broken(sandbox: Sandbox, answer: Reply = BROKEN, times: int | None = None) -> None:
    """Let the registry answer this whenever it is asked for `bad`."""
    sandbox.faults.add(answer, method="GET|HEAD", path="manifests/bad", times=times)


async def run(sandbox: Sandbox, text: str, **options: object) -> Done:
    """A run on a clock that does not wait."""
    chosen: dict[str, object] = {"clock": FakeClock(auto=True), **options}
    return await delete(sandbox.host, text, Options(**chosen))  # type: ignore[arg-type]


# A tag of the list


async def test_it_goes_and_is_not_looked_for_again(tmp_path: Path) -> None:
    """It is read once more, deleted and looked for in the list; the report says that this cannot be undone."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)

        done = await run(sandbox, f"- image: {APP}:bad\n  note: broken since May", state=tmp_path)

        assert done.statuses == {f"{APP}:bad": "deleted"}
        assert done.images[0]["note"].startswith("broken since May; cannot be undone")
        changed = [path for method, path in done.sent if method == "DELETE" and "bulkrm-probe" not in path]
        assert changed[1:] == [f"/v2/{APP}/manifests/bad"]
        assert sandbox.store.tags(APP) == ["good", "kept"]
        assert lost(tmp_path) == []


async def test_what_a_pattern_chose() -> None:
    """A pattern chooses it as any other tag, and a limit counts it."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)

        held = await run(sandbox, f"- {APP}:*", max_delete=Limit(2))
        done = await run(sandbox, f"- {APP}:*", max_delete=Limit(100, percent=True))

        assert set(held.statuses.values()) == {"kept limit"}
        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == []


async def test_one_that_leads_somewhere_again() -> None:
    """A tag that somebody pushed anew before its DELETE stays, and the report says where it leads."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)

        async def push(_: object) -> None:
            sandbox.store.tag(APP, "bad", GOOD.digest)

        done = await run(sandbox, f"- {APP}:bad", before_delete=push)

        assert done.statuses == {f"{APP}:bad": "kept moved"}
        assert done.images[0]["because"] == [f"{sandbox.host}/{APP}:bad@{GOOD.digest}"]
        assert sandbox.store.digest_of(APP, "bad") == GOOD.digest


class Pause(FakeClock):
    """Somebody pushes a tag while a request waits for longer than 20 seconds."""

    def __init__(self, sandbox: Sandbox, tag: str, digest: str) -> None:
        super().__init__(auto=True)
        self._sandbox, self._tag, self._digest = sandbox, tag, digest

    async def sleep(self, seconds: float) -> None:
        if seconds > 20.0:
            self._sandbox.store.tag(APP, self._tag, self._digest)
        await super().sleep(seconds)


@pytest.mark.parametrize("settings", [TAGS, SandboxSettings()], ids=["delete", "decoy"])
async def test_one_that_is_pushed_while_the_host_pauses(settings: SandboxSettings) -> None:
    """What waits for long after the tag was read is taken back: it is read again, and stays if it leads somewhere."""
    async with Sandbox(settings) as sandbox:
        fill(sandbox)
        lose(sandbox)
        clock = Pause(sandbox, "bad", GOOD.digest)

        async def limit(_: object) -> None:
            headers = {**VERSION, "RateLimit-Remaining": "0", "RateLimit-Reset": "30"}
            sandbox.faults.add(Reply(404, headers, UNKNOWN.body), method="GET", path="manifests/bad")

        done = await run(sandbox, f"- {APP}:bad", before_delete=limit, clock=clock, allow_decoy=True)

        assert any(seconds > 20.0 for seconds in clock.slept)
        assert done.statuses == {f"{APP}:bad": "kept moved"}
        assert sandbox.store.digest_of(APP, "bad") == GOOD.digest


async def test_a_decoy_behind_a_limit() -> None:
    """A push that took effect and was answered 429 is known by its digest, and no decoy stays behind."""
    clock = FakeClock(auto=True)
    async with Sandbox(clock=clock.wall) as sandbox:
        fill(sandbox)
        lose(sandbox)

        async def store(asked: ServerRequest) -> None:
            sandbox.store.put_manifest(APP, "bad", asked.body, asked.headers["content-type"])

        sandbox.faults.add(Call(store), method="PUT", path="manifests/bad")
        sandbox.faults.add(Reply(429, {"Retry-After": "1"}), method="PUT", path="manifests/bad")

        done = await run(sandbox, f"- {APP}:bad", allow_decoy=True, clock=clock)

        assert done.statuses == {f"{APP}:bad": "deleted"}
        assert sandbox.store.tags(APP) == ["good", "kept"]
        assert len(sandbox.store.digests(APP)) == 3


async def test_somebody_else_removed_it() -> None:
    """Where the registry refuses and the tag is not listed any more, it was somebody else: it is not `deleted`."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)

        async def remove(_: ServerRequest) -> None:
            sandbox.store.delete_tag(APP, "bad")

        sandbox.faults.add(Call(remove), method="DELETE", path="manifests/bad")
        sandbox.faults.add(Reply(403, VERSION), method="DELETE", path="manifests/bad")

        done = await run(sandbox, f"- {APP}:bad")

        assert done.statuses == {f"{APP}:bad": "absent"}


async def test_one_whose_type_is_not_accepted() -> None:
    """A tag that is hidden because its manifest's type is not accepted leads somewhere: it is read with any type."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        put_image(sandbox.store, APP, ["bad"], BAD)
        # The third reading accepts everything.
        broken(sandbox, UNKNOWN, times=1)

        done = await run(sandbox, f"- {APP}:bad")

        assert done.statuses == {f"{APP}:bad": "kept moved"}
        assert sandbox.store.digest_of(APP, "bad") == BAD.digest


@pytest.mark.parametrize("answer", [Reply(202), Reply(500, VERSION), Reply(404, VERSION, UNKNOWN.body)])
async def test_a_registry_that_does_not_remove_it(answer: Reply) -> None:
    """Whatever it answers, a tag that is listed still is not `deleted`: it is kept, and the hint names other ways."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)
        sandbox.faults.add(answer, method="DELETE", path="manifests/bad", times=None)

        done = await run(sandbox, f"- {APP}:bad\n- {APP}:good")

        assert done.statuses == {f"{APP}:bad": "kept unreadable", f"{APP}:good": "deleted"}
        assert "--allow-decoy" in done.images[0]["hint"]
        assert done.code == 3


async def test_a_refusal_is_a_failure() -> None:
    """Who may not delete is told so."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)
        denied = Reply(403, VERSION, b'{"errors":[{"code":"DENIED"}]}')
        sandbox.faults.add(denied, method="DELETE", path="manifests/bad", times=None)

        assert (await run(sandbox, f"- {APP}:bad")).statuses == {f"{APP}:bad": "failed not-permitted"}


async def test_an_answer_that_does_not_come() -> None:
    """A DELETE without an answer is not repeated: the list says what it came to."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)
        sandbox.faults.add(DropAfter(), method="DELETE", path="manifests/bad")

        done = await run(sandbox, f"- {APP}:bad")

        assert done.statuses == {f"{APP}:bad": "deleted"}
        assert sum(path.endswith("/bad") for method, path in done.sent if method == "DELETE") == 1


async def test_a_list_that_cannot_be_read_afterwards() -> None:
    """Where nobody can look what became of it, that is what the report says."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)
        sandbox.faults.add(Reply(503, VERSION), path="tags/list", skip=1, times=None)

        assert (await run(sandbox, f"- {APP}:bad")).statuses == {f"{APP}:bad": "failed unconfirmed"}


async def test_a_digest_with_it() -> None:
    """Whoever pins it wants it kept where it holds something else, which cannot be told."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)

        done = await run(sandbox, f"- {APP}:bad@{BAD.digest}\n- {APP}:bad")

        assert set(done.statuses.values()) == {"kept unreadable"}
        assert "bad" in (sandbox.store.tags(APP) or ())


async def test_a_tag_that_is_not_listed() -> None:
    """A tag that is neither there nor listed is absent, as ever."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)

        done = await run(sandbox, f"- {APP}:never")

        assert (done.code, done.statuses, done.count("DELETE")) == (0, {f"{APP}:never": "absent"}, 0)


async def test_unseen() -> None:
    """It goes with --shared delete-unseen as well."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        lose(sandbox)

        done = await run(sandbox, f"- {APP}:bad\n- {APP}:good", shared=Shared.DELETE_UNSEEN)

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["kept"]


async def test_a_decoy_that_cannot_be_deleted(tmp_path: Path) -> None:
    """Where the decoy stays under the tag, the report says so, and the same list removes it later."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        lose(sandbox)
        sandbox.faults.add(Reply(503, VERSION), method="DELETE", path=r"manifests/sha256:(?!0{64})", times=None)

        done = await run(sandbox, f"- {APP}:bad", allow_decoy=True, state=tmp_path)
        sandbox.faults.clear()
        again = await run(sandbox, f"- {APP}:bad")

        assert done.statuses == {f"{APP}:bad": "failed unfinished"}
        assert again.statuses == {f"{APP}:bad": "deleted"}
        assert sandbox.store.tags(APP) == ["good", "kept"]


async def test_a_broken_tag_of_the_list() -> None:
    """A 5xx that comes again while another tag can be read is damage: the tag goes, and holds nothing back."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        broken(sandbox)

        done = await run(sandbox, f"- {APP}:bad\n- {APP}:good")

        assert done.statuses == {f"{APP}:bad": "deleted", f"{APP}:good": "deleted"}
        assert sandbox.store.tags(APP) == ["kept"]


async def test_a_registry_in_trouble() -> None:
    """Where no other tag can be read either, a 5xx says nothing of the tag: nothing goes."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        sandbox.faults.add(BROKEN, method="GET|HEAD", path="manifests/", times=None)

        done = await run(sandbox, f"- {APP}:bad", ignore=IGNORE)

        assert done.statuses == {f"{APP}:bad": "failed server-error"}
        assert done.count("DELETE") == 0


async def test_trouble_that_passes() -> None:
    """A tag that can be read the second time is a tag like any other: it goes with its manifest, which can be put back."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        broken(sandbox, times=5)

        done = await run(sandbox, f"- {APP}:bad")

        assert (done.statuses, done.images[0]["digest"]) == ({f"{APP}:bad": "deleted"}, BAD.digest)


# A tag outside the list


@pytest.mark.parametrize("answer", [BROKEN, Reply(502), Reply(200, {"Content-Type": "text/html"}, b"<html>")])
async def test_what_may_be_ignored(answer: Reply) -> None:
    """The registry answered twice, with a 5xx or with something that is no manifest: the tag holds nothing back."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        broken(sandbox, answer)

        kept = await run(sandbox, f"- {APP}:good")
        done = await run(sandbox, f"- {APP}:good", ignore=IGNORE, verify=True)

        assert kept.statuses == {f"{APP}:good": "kept unreadable"}
        assert f"--ignore-unreadable {sandbox.host}/{APP}:bad" in kept.images[0]["hint"]
        assert done.statuses == {f"{APP}:good": "deleted"}
        assert done.plan is not None
        assert done.plan.ignored == (f"{sandbox.host}/{APP}:bad",)
        assert sandbox.store.tags(APP) == ["bad", "kept"]


def refuse(sandbox: Sandbox, status: int) -> None:
    """Refuse to show the tag."""
    broken(sandbox, Reply(status, VERSION, json.dumps({"errors": [{"code": "DENIED"}]}).encode()))


def drop(sandbox: Sandbox) -> None:
    """Drop the connection."""
    sandbox.faults.add(Drop(), method="GET|HEAD", path="manifests/bad", times=None)


def drop_later(sandbox: Sandbox) -> None:
    """Answer the first reading, and drop the connection in the second."""
    broken(sandbox, times=6)
    drop(sandbox)


@pytest.mark.parametrize("trouble", [401, 403, 404, 429, "drop", "drop-later"])
async def test_what_is_never_ignored(trouble: int | str) -> None:
    """No permission, too many requests, no answer: that says nothing of the tag, whatever the pattern."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        if isinstance(trouble, int):
            refuse(sandbox, trouble)
        else:
            (drop if trouble == "drop" else drop_later)(sandbox)

        done = await run(sandbox, f"- {APP}:good", ignore=IGNORE)

        assert done.statuses[f"{APP}:good"] in {"kept unreadable", "failed rate-limited", "not-attempted circuit-open"}
        assert GOOD.digest in sandbox.store.digests(APP)


async def test_a_protected_tag_is_never_ignored() -> None:
    """Protection always wins."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        broken(sandbox)

        done = await run(sandbox, f"protect: ['*:bad']\nimages: ['{APP}:good']", ignore=IGNORE)

        assert done.statuses == {f"{APP}:good": "kept unreadable"}
        assert "protected" in done.images[0]["hint"]


async def test_one_that_can_be_read_the_second_time() -> None:
    """A tag to be ignored that turns out to be an index holds what it names."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        put_image(sandbox.store, APP, ["bad"], index_of([GOOD]))
        sandbox.store.delete_tag(APP, "good")
        broken(sandbox, times=6)

        done = await run(sandbox, f"- {APP}@{GOOD.digest}", ignore=IGNORE)

        assert done.statuses == {f"{APP}@{GOOD.digest}": "kept needed"}


async def test_another_broken_tag() -> None:
    """Only what matches is ignored."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        put_image(sandbox.store, APP, ["worse"], oci_image(5))
        broken(sandbox)
        sandbox.faults.add(BROKEN, method="GET|HEAD", path="manifests/worse", times=None)

        done = await run(sandbox, f"- {APP}:good", ignore=IGNORE)

        assert done.statuses == {f"{APP}:good": "kept unreadable"}
        assert f"{APP}:worse" in done.images[0]["because"][0]


async def test_it_holds_nothing_back_when_judged_again() -> None:
    """A second judgement ignores it as the first one did, and so it does a damaged tag of the list that went first."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        put_image(sandbox.store, APP, ["worse"], oci_image(5))
        broken(sandbox)
        sandbox.faults.add(BROKEN, method="GET|HEAD", path="manifests/worse", times=None)
        clock = FakeClock(auto=True)

        async def wait(_: object) -> None:
            clock.skip(1000)

        options = {"ignore": IGNORE, "clock": clock, "before_delete": wait}
        done = await run(sandbox, f"- {APP}:good\n- {APP}:worse", **options)

        assert done.statuses == {f"{APP}:good": "deleted", f"{APP}:worse": "deleted"}


async def test_lies_about_the_bytes() -> None:
    """Bytes that do not fit their digest, twice, are damage that may be ignored, and are never deleted as it."""
    async with Sandbox(TAGS) as sandbox:
        fill(sandbox)
        sandbox.faults.add(LieAboutBody(b"{}"), method="GET", path="manifests/bad", times=None)

        done = await run(sandbox, f"- {APP}:good\n- {APP}:bad", ignore=IGNORE)

        assert done.statuses == {f"{APP}:good": "deleted", f"{APP}:bad": "failed digest-mismatch"}
