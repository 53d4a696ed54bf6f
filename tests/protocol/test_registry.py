"""What a run asks of a registry, against the sandbox and against scripts: resolve, list, delete."""

import json
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Children
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.protocol.message import delete_manifest
from bulkrm.remote.sending import Sending, Withdrawn
from bulkrm.sandbox import (
    Auth,
    Drop,
    DropAfter,
    Image,
    LieAboutBody,
    LieAboutDigest,
    Reply,
    Sandbox,
    SandboxSettings,
    docker_list,
    oci_index,
    put_image,
    redirect,
)
from tests.protocol.opening import app, failure_of, fill, opened
from tests.protocol.tag_scene import Lost
from tests.support.clock import FakeClock
from tests.support.scripted import Close, Raw, ScriptedServer, Step, reply

OPEN = SandboxSettings(auth=Auth.NONE)
BODY = b'{"schemaVersion": 2}'
DIGEST = Digest.of(BODY)
HEAD = f"HEAD /v2/team/app/manifests/{DIGEST}"
GET = f"GET /v2/team/app/manifests/{DIGEST}"
DELETE = f"DELETE /v2/team/app/manifests/{DIGEST}"
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
UNKNOWN = b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'
GONE = reply(404, VERSION, head=True)
THERE = reply(200, {"Docker-Content-Digest": DIGEST, "Content-Type": OCI_MANIFEST, "Content-Length": "20"}, head=True)
PING = Step("GET /v2/", reply(200, body=b"{}"))


async def deleted(*steps: Step, clock: FakeClock | None = None) -> tuple[Removal | Failure, ScriptedServer]:
    """What comes of a DELETE of DIGEST where the registry answers like this."""
    async with ScriptedServer([PING, *steps]) as server, opened(clock=clock or FakeClock(auto=True)) as registries:
        try:
            return await registries[server.host].delete(app(server.host), DIGEST, Sending()), server
        except RequestFailed as error:
            return error.failure, server


# Resolving


@pytest.mark.parametrize("settings", [OPEN, SandboxSettings(auth=Auth.NONE, digest_header=False)])
async def test_resolve(settings: SandboxSettings) -> None:
    """A tag resolves to the digest of its bytes, by GET and by HEAD, also where no header says it."""
    async with Sandbox(settings) as sandbox, opened() as registries:
        digest = fill(sandbox, "1")["1"]

        manifest = await registries[sandbox.host].manifest(app(sandbox), "1")
        head = await registries[sandbox.host].head(app(sandbox), "1")

        assert manifest is not None
        assert head is not None
        assert manifest.digest == head.digest == digest
        assert (manifest.media_type, head.media_type) == (OCI_MANIFEST, OCI_MANIFEST)
        assert head.size == len(manifest.content)


@pytest.mark.parametrize("build", [docker_list, oci_index])
async def test_an_index_is_no_child(build: Callable[[int], Image]) -> None:
    """An index resolves to itself, with its children, and not to the child of some platform."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        image = build(1)
        put_image(sandbox.store, "team/app", ["1"], image)

        manifest = await registries[sandbox.host].manifest(app(sandbox), "1")

        assert manifest is not None
        assert manifest.digest == image.digest
        assert manifest.resolved.children == Children(tuple(Digest(child.digest) for child in image.children))


@pytest.mark.parametrize("reference", ["nope", Digest("sha256:" + "0" * 64)])
async def test_nothing_there(reference: str) -> None:
    """What the registry does not know is None, by GET and by HEAD, one request each."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        fill(sandbox, "1")

        assert await registries[sandbox.host].manifest(app(sandbox), reference) is None
        assert await registries[sandbox.host].head(app(sandbox), reference) is None
        assert [line.method for line in sandbox.log] == ["GET", "GET", "HEAD"]


async def test_lies() -> None:
    """Bytes or a digest that do not fit are a failure, and the bytes count."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        fill(sandbox, "1")
        for lie in (LieAboutDigest("sha256:" + "0" * 64), LieAboutBody(b"{}")):
            sandbox.faults.add(lie, path="manifests")
            with pytest.raises(RequestFailed) as caught:
                await registries[sandbox.host].manifest(app(sandbox), "1")

            assert failure_of(caught.value).code is FailureCode.DIGEST_MISMATCH


async def test_an_image_id() -> None:
    """The digest of a blob, on distribution a 500, is explained; a real 500 stays one."""
    clock = FakeClock(auto=True)
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        digests = fill(sandbox, "1")
        manifest = sandbox.store.manifest("team/app", digests["1"])
        assert manifest is not None
        config = Digest(json.loads(manifest.content)["config"]["digest"])
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].manifest(app(sandbox), config)
        sandbox.faults.add(Reply(500), path="manifests", times=None)
        with pytest.raises(RequestFailed) as other:
            await registries[sandbox.host].manifest(app(sandbox), Digest(digests["1"]))

        assert failure_of(caught.value).code is FailureCode.NOT_A_MANIFEST
        assert "image ID" in str(failure_of(caught.value).hint)
        assert failure_of(other.value).code is FailureCode.SERVER_ERROR


async def test_head_in_doubt() -> None:
    """A HEAD that does not tell is followed by a GET, which does."""
    script = [
        PING,
        Step(HEAD, reply(405, head=True)),
        Step(GET, reply(200, {"Content-Type": OCI_MANIFEST}, BODY)),
        Step(HEAD, reply(404, head=True)),
        Step(GET, reply(404, body=UNKNOWN)),
        Step(HEAD, reply(404, head=True)),
        Step(GET, reply(404, body=b"<html>")),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        registry, repository = registries[server.host], app(server.host)
        found = await registry.head(repository, DIGEST)
        assert found is not None
        assert found.digest == DIGEST
        assert await registry.head(repository, DIGEST) is None
        with pytest.raises(RequestFailed) as caught:
            await registry.head(repository, DIGEST)

        assert failure_of(caught.value).code is FailureCode.NOT_A_REGISTRY


# Deletion


async def test_delete() -> None:
    """A 202 is a deletion, with one request and no Accept of manifests."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        digests = fill(sandbox, "1")

        removal = await registries[sandbox.host].delete(app(sandbox), Digest(digests["1"]), Sending())

        assert removal is Removal.ACCEPTED
        assert [(line.method, line.status, line.accept) for line in sandbox.log[1:]] == [("DELETE", 202, "*/*")]
        assert sandbox.store.tags("team/app") == []


async def test_already_gone() -> None:
    """A 404 to the first DELETE, proved by HEAD, was gone before."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        fill(sandbox, "1")

        assert await registries[sandbox.host].delete(app(sandbox), DIGEST, Sending()) is Removal.WAS_GONE
        assert [line.method for line in sandbox.log[1:]] == ["DELETE", "HEAD"]


@pytest.mark.parametrize("status", [500, 502, 503, 408])
async def test_an_effect_without_an_answer(status: int) -> None:
    """A DELETE whose answer was lost is sent again; the 404 then is this run's own deletion."""
    async with Sandbox(OPEN) as sandbox, opened(clock=FakeClock(auto=True)) as registries:
        digests = fill(sandbox, "1", "2")
        registry = registries[sandbox.host]
        sandbox.faults.add(DropAfter(), method="DELETE")
        assert await registry.delete(app(sandbox), Digest(digests["1"]), Sending()) is Removal.FOUND_GONE
        sandbox.faults.add(Reply(status), method="DELETE")
        sandbox.faults.add(DropAfter(), method="DELETE")

        assert await registry.delete(app(sandbox), Digest(digests["2"]), Sending()) is Removal.FOUND_GONE
        assert sandbox.store.digests("team/app") == frozenset()


async def test_no_effect_and_no_answer() -> None:
    """A DELETE that was dropped before its effect is sent again, after a look whether that is needed."""
    async with Sandbox(OPEN) as sandbox, opened(clock=FakeClock(auto=True)) as registries:
        digests = fill(sandbox, "1")
        sandbox.faults.add(Drop(), method="DELETE", times=4)

        assert await registries[sandbox.host].delete(app(sandbox), Digest(digests["1"]), Sending()) is Removal.ACCEPTED
        assert [line.method for line in sandbox.log[1:]] == [*["DELETE", "HEAD"] * 4, "DELETE"]


ACCEPTED = Step(DELETE, reply(202))
NOT_FOUND = Step(DELETE, reply(404, VERSION, UNKNOWN))
BROKEN = Step(DELETE, Close())
FAULT = Step(DELETE, reply(500))
LIMITED = Step(DELETE, reply(429, {"Retry-After": "1"}))
STILL = Step(HEAD, THERE)
# ServerRequest where a digest is refused: a tag that nobody made.
PROBE = "DELETE /v2/team/app/manifests/bulkrm-probe-*"
OFF_BODY = b'{"errors": [{"code": "UNSUPPORTED"}]}'
OFF, READ_ONLY = reply(405, body=OFF_BODY), reply(405, body=b"Method not allowed")
NONE_THERE = reply(404, VERSION, UNKNOWN)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([ACCEPTED], Removal.ACCEPTED),
        ([NOT_FOUND, Step(HEAD, GONE)], Removal.WAS_GONE),
        ([NOT_FOUND, Step(HEAD, THERE)], FailureCode.NOT_SUPPORTED),
        (
            [Step(DELETE, reply(404)), Step(HEAD, reply(404, head=True)), Step(GET, reply(404))],
            FailureCode.NOT_A_REGISTRY,
        ),
        ([Step(DELETE, reply(200)), Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([Step(DELETE, reply(204)), Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([Step(DELETE, reply(200, body=b"<html>")), Step(HEAD, THERE)], FailureCode.UNEXPECTED_ANSWER),
        (
            [Step(DELETE, reply(202, body=b'{"errors": [{"code": "X"}]}')), Step(HEAD, THERE)],
            FailureCode.UNEXPECTED_ANSWER,
        ),
        ([Step(DELETE, reply(202, body=b'{"errors": [{"code": "X"}]}')), Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([BROKEN, STILL, ACCEPTED], Removal.ACCEPTED),
        ([BROKEN, Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([BROKEN, STILL, NOT_FOUND, Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([BROKEN, STILL, NOT_FOUND, STILL], FailureCode.NOT_SUPPORTED),
        ([BROKEN, STILL] * 4 + [BROKEN, Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([BROKEN, STILL] * 5, FailureCode.CONNECTION_LOST),
        ([BROKEN] + [Step(HEAD, Close())] * 5, FailureCode.UNCONFIRMED),
        ([BROKEN, STILL] * 4 + [BROKEN] + [Step(HEAD, Close())] * 5, FailureCode.UNCONFIRMED),
        ([BROKEN, STILL, Step(DELETE, reply(429, {"Retry-After": "9999"})), Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([BROKEN, STILL, Step(DELETE, reply(405, body=b"no")), Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([BROKEN, STILL, Step(DELETE, reply(403)), STILL], FailureCode.NOT_PERMITTED),
        ([FAULT] + [Step(HEAD, Close())] * 5, FailureCode.UNCONFIRMED),
        ([Step(DELETE, reply(202, body=b'{"errors":[]}'))] + [Step(HEAD, Close())] * 5, FailureCode.UNCONFIRMED),
        ([FAULT, STILL] * 4 + [FAULT, Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([FAULT, STILL] * 5, FailureCode.SERVER_ERROR),
        ([Step(DELETE, reply(403, body=b'{"errors": [{"code": "DENIED"}]}'))], FailureCode.NOT_PERMITTED),
        ([Step(DELETE, OFF), Step(PROBE, OFF)], FailureCode.DELETION_DISABLED),
        ([Step(DELETE, OFF), Step(PROBE, reply(404, body=b"no such page"))], FailureCode.DELETION_DISABLED),
        (
            [Step(DELETE, OFF), Step(PROBE, reply(403, body=b'{"errors": [{"code": "DENIED"}]}'))],
            FailureCode.DELETION_DISABLED,
        ),
        ([Step(DELETE, OFF), Step(PROBE, NONE_THERE)], FailureCode.NOT_SUPPORTED),
        ([Step(DELETE, reply(400, body=OFF_BODY)), Step(PROBE, NONE_THERE)], FailureCode.NOT_SUPPORTED),
        ([Step(DELETE, reply(400, body=OFF_BODY)), Step(PROBE, OFF)], FailureCode.DELETION_DISABLED),
        ([Step(DELETE, READ_ONLY), Step(PROBE, READ_ONLY)], FailureCode.READ_ONLY),
        ([Step(DELETE, READ_ONLY), Step(PROBE, NONE_THERE)], FailureCode.NOT_SUPPORTED),
        ([LIMITED, NOT_FOUND, Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([LIMITED, ACCEPTED], Removal.ACCEPTED),
        ([Step(DELETE, reply(429, {"Retry-After": "601"})), Step(HEAD, GONE)], Removal.FOUND_GONE),
        ([Step(DELETE, reply(429, {"Retry-After": "601"})), STILL], FailureCode.RATE_LIMITED),
    ],
)
async def test_what_answers_to_delete_prove(steps: list[Step], expected: Removal | FailureCode) -> None:
    """A deletion is believed when it is proved, and a failure says what is known."""
    result, _ = await deleted(*steps)

    assert (result.code if isinstance(result, Failure) else result) is expected
    assert not isinstance(result, Failure) or result.hint or result.code is FailureCode.UNCONFIRMED


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A redirect of a DELETE or GET is a failure, and nothing is sent elsewhere."""
    async with ScriptedServer() as elsewhere, Sandbox(OPEN) as sandbox, opened() as registries:
        digests = fill(sandbox, "1")
        sandbox.faults.add(redirect(status, f"{elsewhere.url}/v2/"), path="manifests", times=None)
        registry = registries[sandbox.host]
        for call in (
            registry.delete(app(sandbox), Digest(digests["1"]), Sending()),
            registry.manifest(app(sandbox), "1"),
        ):
            with pytest.raises(RequestFailed) as caught:
                await call
            assert failure_of(caught.value).code is FailureCode.REDIRECTED

        assert elsewhere.heard == []
        assert [line.method for line in sandbox.log[1:]] == ["DELETE", "GET"]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"delete_enabled": False}, FailureCode.DELETION_DISABLED), ({"read_only": True}, FailureCode.READ_ONLY)],
)
async def test_deletion_is_off(change: dict[str, bool], code: FailureCode) -> None:
    """A registry that does not delete says so for the whole host."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        digests = fill(sandbox, "1")
        sandbox.change(**change)
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].delete(app(sandbox), Digest(digests["1"]), Sending())

        assert (failure_of(caught.value).code, failure_of(caught.value).reach) == (code, Reach.HOST)


async def test_withdrawn() -> None:
    """A request that is taken back before its first send is not sent, and has no sending."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        digests = fill(sandbox, "1")
        sending = Sending(Lost())
        with pytest.raises(Withdrawn):
            await registries[sandbox.host].delete(app(sandbox), Digest(digests["1"]), sending)

        assert [line.method for line in sandbox.log] == ["GET"]
        assert not sending.is_open
        assert registries.requests.registry == 1
        assert registries[sandbox.host].host.limiter._in_flight == 0


@pytest.mark.parametrize(
    ("steps", "possible"),
    [
        ([ACCEPTED], True),
        ([Step(DELETE, reply(403))], False),
        ([Step(DELETE, reply(307, {"Location": "/"}))], False),
        ([BROKEN, STILL] * 5, True),
        ([BROKEN, STILL, Step(DELETE, reply(403)), STILL], True),
    ],
)
async def test_the_footprint(steps: list[Step], possible: bool) -> None:  # noqa: FBT001 (a table)
    """A request leaves a sending unless the registry refused it, and silence is never forgotten."""
    sending = Sending()
    async with ScriptedServer([PING, *steps]) as server, opened(clock=FakeClock(auto=True)) as registries:
        with suppress(RequestFailed):
            await registries[server.host].delete(app(server.host), DIGEST, sending)
        assert sending.is_open is possible


# Listing

LIST = "GET /v2/team/app/tags/list"
FIRST = f"{LIST}?n=1000"


@pytest.mark.parametrize(
    "settings",
    [
        OPEN,
        SandboxSettings(auth=Auth.NONE, page_size=7),
        SandboxSettings(auth=Auth.NONE, page_size=7, absolute_links=True),
        SandboxSettings(auth=Auth.NONE, page_size=5),
        SandboxSettings(page_size=7),
    ],
)
async def test_all_tags(settings: SandboxSettings) -> None:
    """All tags are listed, each once, in however many pages."""
    async with Sandbox(settings) as sandbox, opened() as registries:
        digests = fill(sandbox, *(f"t{number}" for number in range(25)))

        tags = await registries[sandbox.host].tags(app(sandbox))

        assert tags is not None
        assert sorted(tags) == sorted(digests)


async def test_no_tags() -> None:
    """A repository without tags has none, and one that is not known is None."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        digests = fill(sandbox, "1")
        sandbox.store.delete_manifest("team/app", digests["1"])

        assert await registries[sandbox.host].tags(app(sandbox)) == ()
        assert await registries[sandbox.host].tags(app(sandbox, "nope")) is None


async def listing(*steps: Step) -> tuple[str, ...] | Failure | None:
    """What comes of listing the tags where the registry answers like this."""
    async with ScriptedServer([PING, *steps]) as server, opened(clock=FakeClock(auto=True)) as registries:
        try:
            return await registries[server.host].tags(app(server.host))
        except RequestFailed as error:
            return error.failure


async def test_the_cursor_goes_back_as_it_came() -> None:
    """What a Link holds is passed on to the letter."""
    following = "/v2/team/app/tags/list?last=a%2Fb%20c%3D&next_page=gAAA%3D%3D&n=2"

    tags = await listing(
        Step(FIRST, reply(200, {"Link": f'<{following}>; rel="next"'}, b'{"tags": ["a"]}')),
        Step(f"GET {following}", reply(200, body=b'{"tags": ["b", "a"]}')),
    )

    assert tags == ("a", "b")


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (reply(404, VERSION, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'), FailureCode.UNEXPECTED_ANSWER),
        (reply(404), FailureCode.NOT_A_REGISTRY),
        (reply(403), FailureCode.NOT_PERMITTED),
        (reply(200, body=b"<html>"), FailureCode.UNEXPECTED_ANSWER),
    ],
)
async def test_never_a_part_of_a_listing(second: Raw, code: FailureCode) -> None:
    """A listing whose second page fails is a failure, and never the first page."""
    result = await listing(
        Step(FIRST, reply(200, {"Link": '<?p=2>; rel="next"'}, b'{"tags": ["a"]}')),
        Step(f"{LIST}?p=2", second),
    )

    assert isinstance(result, Failure)
    assert result.code is code


async def test_pages_in_a_circle() -> None:
    """Pages that lead back to one that was read are a failure, after each was read once."""
    to_b, to_first = {"Link": '<?n=1&last=a>; rel="next"'}, {"Link": '<?last=a&n=1>; rel="next"'}

    result = await listing(
        Step(FIRST, reply(200, to_b, b'{"tags": ["a"]}')),
        Step(f"{LIST}?n=1&last=a", reply(200, to_first, b'{"tags": ["b"]}')),
    )

    assert isinstance(result, Failure)
    assert "circle" in result.message


LINKS_TO_OURS = [
    '<ELSEWHERE/v2/team/app/tags/list?last=a>; rel="next"',
    '<https://nexus.example/repository/docker/v2/team/app/tags/list?last=a>; rel="next"',
    "</v2/app/tags/list?last=a>; rel='next'",
    '</v2/team/app/tags/list?last=a>; title="a, b"; rel="next"',
    "/v2/team/app/tags/list?last=a; rel=next",
]


@pytest.mark.parametrize("link", LINKS_TO_OURS)
async def test_the_next_page_of_ours(link: str) -> None:
    """However a Link is written, and wherever it leads beside our list: our own list is asked on, and no other host."""
    async with ScriptedServer() as elsewhere:
        header = {"Link": link.replace("ELSEWHERE", elsewhere.url)}

        result = await listing(
            Step(FIRST, reply(200, header, b'{"tags": ["a"]}')),
            Step(f"{LIST}?last=a", reply(200, body=b'{"tags": ["b"]}')),
        )

        assert result == ("a", "b")
        assert elsewhere.heard == []


@pytest.mark.parametrize(
    "link",
    [
        '</v2/team/other/tags/list?last=a>; rel="next"',
        '</v2/team/app/tags/list>; rel="next"',
        '</v2/team/app/tags/list?last=a>; rel="next',
        "</v2/team/app/tags/list?last=a>",
        "next page, please",
    ],
)
async def test_a_link_that_is_not_understood(link: str) -> None:
    """A Link to another list, or one that cannot be read, is a failure, and nothing more is asked."""
    result = await listing(Step(FIRST, reply(200, {"Link": link}, b'{"tags": ["a"]}')))

    assert isinstance(result, Failure)
    assert (result.code, result.reach) == (FailureCode.UNEXPECTED_ANSWER, Reach.REPOSITORY)


async def test_a_page_size_that_is_refused() -> None:
    """Where the registry refuses the size of the page, less is asked for, and in the end no size at all."""
    refused = reply(400, body=b'{"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}')

    result = await listing(
        Step(FIRST, refused),
        Step(f"{LIST}?n=100", reply(413)),
        Step(f"{LIST}", reply(200, body=b'{"tags": ["a", "b"]}')),
        Step(f"{LIST}?last=b", reply(200, body=b'{"tags": ["c"]}')),
        Step(f"{LIST}?last=c", reply(200, body=b'{"tags": []}')),
    )

    assert result == ("a", "b", "c")


async def test_any_page_size_is_refused() -> None:
    """A registry that refuses every size and none is asked three times, and the listing is a failure."""
    result = await listing(Step(FIRST, reply(400)), Step(f"{LIST}?n=100", reply(400)), Step(f"{LIST}", reply(400)))

    assert isinstance(result, Failure)
    assert result.status == 400


async def test_the_listing_of_another_repository() -> None:
    """A listing that is another repository's, as its name says, is a failure."""
    result = await listing(Step(FIRST, reply(200, body=b'{"name": "team/other", "tags": ["a"]}')))

    assert isinstance(result, Failure)
    assert "another repository" in result.message


async def test_a_registry_without_links() -> None:
    """A full page without a Link is followed by its last tag, until a page brings nothing new."""
    names = [f"t{number:04}" for number in range(1000)]
    full = reply(200, body=json.dumps({"tags": names}).encode())
    rest = reply(200, body=b'{"tags": ["u1", "u2"]}')
    after = f"{FIRST}&last={quote(names[-1])}"

    assert await listing(Step(FIRST, full), Step(after, rest)) == (*names, "u1", "u2")
    assert await listing(Step(FIRST, full), Step(after, full)) == tuple(names)


async def test_a_huge_page() -> None:
    """A listing that is larger than any registry should send is a failure."""
    result = await listing(Step(FIRST, reply(200, body=b'{"tags": ["' + b"a" * (33 * 2**20) + b'"]}')))

    assert isinstance(result, Failure)
    assert result.code is FailureCode.UNEXPECTED_ANSWER


# Repositories


async def test_repositories() -> None:
    """The catalog is read page by page."""
    async with Sandbox(OPEN) as sandbox, opened() as registries:
        for number in range(3):
            fill(sandbox, "1", repository=f"app{number}")

        assert await registries[sandbox.host].repositories() == ("app0", "app1", "app2")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(404, {}, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'), FailureCode.NO_CATALOG),
        (Reply(404), FailureCode.NO_CATALOG),
        (Reply(403), FailureCode.NO_CATALOG),
        (Reply(405), FailureCode.NO_CATALOG),
        (Reply(500), FailureCode.SERVER_ERROR),
    ],
)
async def test_no_catalog(answer: Reply, code: FailureCode) -> None:
    """A registry that does not list its repositories says so, with what to do instead."""
    async with Sandbox(OPEN) as sandbox, opened(clock=FakeClock(auto=True)) as registries:
        sandbox.faults.add(answer, path="_catalog", times=None)
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].repositories()

        failure = failure_of(caught.value)
        assert failure.code is code
        assert code is not FailureCode.NO_CATALOG or "by name" in str(failure.hint)


# What a backend asks in its own words


async def test_a_change_of_a_backend_needs_its_sending() -> None:
    """Without one nobody could tell a stopped run that it was sent: it is refused, and nothing reaches the registry."""
    request = delete_manifest(app("registry.test"), DIGEST)

    async with ScriptedServer([PING, Step(DELETE, reply(202))]) as server, opened() as registries:
        registry, sending = registries[server.host], Sending()
        with pytest.raises(TypeError, match="DELETE"):
            await registry.ask(request)
        await registry.ask(request, sending)

    assert sending.effect is Effect.OPEN
