"""What the sandbox does beyond distribution 2.8.2: faults, settings, its log."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bulkrm.sandbox import (
    Action,
    Auth,
    Call,
    Drop,
    DropAfter,
    LieAboutBody,
    LieAboutDigest,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    docker_image,
    empty_index,
    index_of,
    oci_image,
    oci_index,
    put_image,
    redirect,
)
from tests.support.admin import Admin, digest_of, many_images

APP = "team/app"


@asynccontextmanager
async def sandbox_with_admin(**settings: Any) -> AsyncIterator[tuple[Sandbox, Admin]]:
    """A sandbox and a client with all rights."""
    async with Sandbox(SandboxSettings(**settings)) as sandbox, Admin(sandbox.url, ca_pem=sandbox.ca_pem) as admin:
        yield sandbox, admin


async def test_tag_deletes() -> None:
    """Like distribution 3.x it can delete one tag: 202, and 404 for one that is not there; the manifest stays."""
    async with sandbox_with_admin(tag_deletes=True) as (sandbox, admin):
        digest = put_image(sandbox.store, APP, ["a", "b"], docker_image(1))

        statuses = [(await admin.delete(APP, tag)).status for tag in ("a", "a", "absent")]
        sandbox.change(delete_enabled=False)
        disabled = await admin.delete(APP, "b")

    assert statuses == [202, 404, 404]
    assert disabled.status == 405
    assert sandbox.store.tags_on(APP, digest) == {"b"}


async def test_tag_delete_takes_all() -> None:
    """It can be a registry whose DELETE of a tag takes the digest with all its tags; an absent tag is still 404."""
    async with sandbox_with_admin(tag_deletes=True, tag_delete_takes_all=True) as (sandbox, admin):
        digest = put_image(sandbox.store, APP, ["a", "b"], docker_image(1))
        put_image(sandbox.store, APP, ["other"], docker_image(2))

        absent = await admin.delete(APP, "absent")
        before = sandbox.store.tags_on(APP, digest)
        deleted = await admin.delete(APP, "a")
        again = await admin.delete(APP, "b")

    assert (absent.status, absent.codes) == (404, ["MANIFEST_UNKNOWN"])
    assert before == {"a", "b"}
    assert (deleted.status, again.status) == (202, 404)
    assert sandbox.store.tags(APP) == ["other"]
    assert sandbox.store.manifest(APP, digest) is None


@pytest.mark.parametrize("tag_delete_takes_all", [True, False])
async def test_keeps_children(*, tag_delete_takes_all: bool) -> None:
    """Like zot it can refuse to delete what an index of the repository names, until the index is gone."""
    settings = {"tag_deletes": True, "keeps_children": True, "tag_delete_takes_all": tag_delete_takes_all}
    async with sandbox_with_admin(**settings) as (sandbox, admin):
        inner = oci_index(1)
        outer, child = index_of([inner]), inner.children[0]
        put_image(sandbox.store, APP, ["outer"], outer)
        put_image(sandbox.store, "other/app", ["same"], child)
        sandbox.store.tag(APP, "child", child.digest)

        refused = [await admin.delete(APP, child.digest), await admin.delete(APP, inner.digest)]
        by_tag = await admin.delete(APP, "child")
        statuses = [(await admin.delete(APP, image.digest)).status for image in (outer, inner, child)]
        elsewhere = await admin.delete("other/app", child.digest)

    assert [(reply.status, reply.codes) for reply in refused] == [(405, ["DENIED"])] * 2
    assert refused[0].json["errors"][0]["detail"] == {"reference": child.digest}
    assert by_tag.status == (405 if tag_delete_takes_all else 202)
    assert (statuses, elsewhere.status) == ([202, 202, 202], 202)


async def test_immutable_tags() -> None:
    """Like Harbor it can refuse to push another digest over a tag; the same one, a new tag and a deletion pass."""
    async with sandbox_with_admin(immutable_tags=True) as (sandbox, admin):
        first, second = oci_image(1), oci_image(2)
        put_image(sandbox.store, APP, ["a"], first)
        put_image(sandbox.store, APP, [], second)

        refused = await admin.put(APP, "a", second)
        statuses = [(await admin.put(APP, *put)).status for put in (("a", first), ("b", second))]
        statuses.append((await admin.put(APP, second.digest, second)).status)
        held = await admin.digest(APP, "a")
        statuses.append((await admin.delete(APP, first.digest)).status)
        statuses.append((await admin.put(APP, "a", second)).status)

    assert (refused.status, refused.codes, held) == (412, ["PRECONDITION"], first.digest)
    assert "'app:a' configured as immutable" in refused.json["errors"][0]["message"]
    assert statuses == [201, 201, 201, 202, 201]


async def test_blobs_as_manifests() -> None:
    """Like distribution 3.x it can find no manifest under the digest of a blob."""
    async with sandbox_with_admin(blobs_as_manifests=False) as (sandbox, admin):
        image = oci_image(1)
        put_image(sandbox.store, APP, ["a"], image)
        digest = digest_of(image.blobs[0])

        replies = [await admin.get(APP, digest), await admin.delete(APP, digest)]

        assert [(reply.status, reply.codes) for reply in replies] == [(404, ["MANIFEST_UNKNOWN"])] * 2
        assert await admin.pulls(APP, "a")


@pytest.mark.parametrize("absolute_links", [True, False])
async def test_paging(*, absolute_links: bool) -> None:
    """With a page size the tag list comes sorted in pages, each but the last with a Link."""
    async with sandbox_with_admin(page_size=4, absolute_links=absolute_links) as (sandbox, admin):
        names = [f"v{number}" for number in range(10)]
        for tag, image in many_images(names).items():
            put_image(sandbox.store, APP, [tag], image)
        path, pages = f"/v2/{APP}/tags/list?n=100", []
        while path:
            reply = await admin.call("GET", path)
            pages.append(reply.json["tags"])
            path = reply.next_page
            assert not path or path.startswith("http://" if absolute_links else "/v2/")

    assert pages == [names[:4], names[4:8], names[8:]]


async def test_own_port_for_tokens() -> None:
    """The token server can have a port of its own."""
    async with sandbox_with_admin(own_token_port=True) as (sandbox, admin):
        assert sandbox.host not in sandbox.realm
        assert (await admin.call("GET", "/v2/")).status == 200
        assert (await admin.send("GET", "/token")).status == 404


@pytest.mark.parametrize("realm", ["/token", "https://elsewhere.example/token?x=1"])
async def test_realm(realm: str) -> None:
    """The realm of the challenge can be anything."""
    async with sandbox_with_admin(realm=realm) as (_, admin):
        reply = await admin.send("GET", "/v2/")

    assert f'realm="{realm}"' in reply.headers["WWW-Authenticate"]


async def test_delete_needs() -> None:
    """Like Quay it can want other actions for a DELETE."""
    async with sandbox_with_admin(delete_needs=("pull", "push")) as (_, admin):
        reply = await admin.send("DELETE", f"/v2/{APP}/manifests/a")

    assert f'scope="repository:{APP}:push,pull"' in reply.headers["WWW-Authenticate"]


async def test_revoke() -> None:
    """A token can be refused before its time, as `invalid_token`; the next one is good."""
    async with sandbox_with_admin() as (sandbox, admin):
        put_image(sandbox.store, APP, ["a"], oci_image(1))
        token = await admin.token(sandbox.realm, f"repository:{APP}:pull")
        headers = {"Authorization": f"Bearer {token}"}
        before = await admin.send("GET", f"/v2/{APP}/tags/list", headers=headers)
        sandbox.tokens.revoke()
        after = await admin.send("GET", f"/v2/{APP}/tags/list", headers=headers)

        assert (before.status, after.status) == (200, 401)
        assert 'error="invalid_token"' in after.headers["WWW-Authenticate"]
        assert await admin.tags(APP) == {"a"}


async def test_clock() -> None:
    """The clock is an argument: a token expires without anybody waiting."""
    now = [1_800_000_000.0]
    async with (
        Sandbox(SandboxSettings(leeway=0), clock=lambda: now[0]) as sandbox,
        Admin(sandbox.url) as admin,
    ):
        token = await admin.token(sandbox.realm)
        statuses = []
        for later in (300, 301):
            now[0] = 1_800_000_000.0 + later
            statuses.append((await admin.send("GET", "/v2/", headers={"Authorization": f"Bearer {token}"})).status)

    assert statuses == [200, 401]


@pytest.mark.parametrize(
    ("action", "status", "header"),
    [
        (Reply(429, {"Retry-After": "7"}, b"slow down"), 429, ("Retry-After", "7")),
        (redirect(303, "/v2/"), 303, ("Location", "/v2/")),
        (LieAboutDigest("sha256:" + "1" * 64), 200, ("Docker-Content-Digest", "sha256:" + "1" * 64)),
    ],
)
async def test_faults(action: Action, status: int, header: tuple[str, str]) -> None:
    """An ordered fault hits one request, and the next is answered rightly."""
    async with sandbox_with_admin(auth=Auth.NONE) as (sandbox, admin):
        put_image(sandbox.store, APP, ["a"], oci_image(1))
        sandbox.faults.add(action, path="/manifests/")

        hit, spared = await admin.get(APP, "a"), await admin.get(APP, "a")

    assert (hit.status, hit.headers[header[0]]) == (status, header[1])
    assert (spared.status, spared.headers["Docker-Content-Digest"]) == (200, oci_image(1).digest)


async def test_lies() -> None:
    """The digest header can be left away, for good or once, and the body can be another."""
    async with sandbox_with_admin(auth=Auth.NONE) as (sandbox, admin):
        put_image(sandbox.store, APP, ["a"], oci_image(1))
        sandbox.faults.add(LieAboutDigest(None))
        sandbox.faults.add(LieAboutBody(b"{}"))
        once = await admin.get(APP, "a")
        sandbox.change(digest_header=False)
        always = await admin.get(APP, "a")

    assert ("Docker-Content-Digest" in once.headers, once.body) == (False, b"{}")
    assert ("Docker-Content-Digest" in always.headers, always.body) == (False, oci_image(1).content)


@pytest.mark.parametrize(("action", "gone"), [(Drop(), False), (DropAfter(), True)])
async def test_drops(action: Action, gone: bool) -> None:  # noqa: FBT001
    """A dropped connection leaves the image or not, and the log has no status for it."""
    async with sandbox_with_admin(auth=Auth.NONE) as (sandbox, admin):
        digest = put_image(sandbox.store, APP, ["a"], oci_image(1))
        # Twice: aiohttp sends an idempotent request again by itself if the connection was a used one.
        sandbox.faults.add(action, method="DELETE", times=2)

        with pytest.raises(aiohttp.ClientConnectionError):
            await admin.delete(APP, digest)

        assert (sandbox.store.manifest(APP, digest) is None) == gone
        assert {line.status for line in sandbox.log} == {None}


async def test_state_changes_in_the_middle() -> None:
    """A hook can move a tag right before a DELETE."""
    async with sandbox_with_admin(auth=Auth.NONE) as (sandbox, admin):
        first = put_image(sandbox.store, APP, ["a"], oci_image(1))
        second = put_image(sandbox.store, APP, [], oci_image(2))

        async def move(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "a", second)

        sandbox.faults.add(Call(move), method="DELETE")

        assert (await admin.delete(APP, first)).status == 202
        assert await admin.digest(APP, "a") == second


async def test_log_and_counters() -> None:
    """The log tells method, path, query, status and scheme of each request, and a hash for a token, never the token."""
    async with sandbox_with_admin() as (sandbox, admin):
        await admin.call("GET", f"/v2/{APP}/tags/list?n=7")
        token = await admin.token(sandbox.realm, f"repository:{APP}:pull", anonymous=True)

    first, second = sandbox.log
    assert (first.method, first.path, first.query, first.status) == ("GET", f"/v2/{APP}/tags/list", "n=7", 401)
    assert (first.scheme, first.token) == (None, None)
    assert (second.status, second.scheme) == (404, "Bearer")
    assert second.token is not None
    assert len(second.token) == 16
    assert token not in repr(sandbox.log)
    scope = f"repository:{APP}:pull"
    asked = [(line.scope, line.account, line.status) for line in sandbox.tokens.log]
    assert asked == [(f"{scope},push,delete", "admin", 200), (scope, None, 200)]


async def test_in_flight() -> None:
    """The counters tell how many requests were in progress together, of the token server for each scope."""
    async with sandbox_with_admin() as (sandbox, admin):
        everybody = asyncio.Event()
        waiting = 0

        async def wait(_: ServerRequest) -> None:
            nonlocal waiting
            waiting += 1
            if waiting == 6:
                everybody.set()
            await everybody.wait()

        sandbox.faults.before = sandbox.tokens.faults.before = wait
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(admin.send("GET", "/v2/"))
                tasks.create_task(admin.token(sandbox.realm, "repository:a:pull"))

    assert (sandbox.max_in_flight, sandbox.tokens.max_in_flight) == (3, {"repository:a:pull": 3})


async def test_faults_of_the_token_server() -> None:
    """The token server has faults of its own, at the same host."""
    async with sandbox_with_admin() as (sandbox, admin):
        sandbox.tokens.faults.add(Reply(503), path="scope=repository%3Aa%3Apull")

        query = "?service=sandbox&scope=repository%3Aa%3Apull"
        statuses = [(await admin.send("GET", sandbox.realm + query)).status for _ in range(2)]

    assert statuses == [503, 200]


async def test_shutdown_waits_for_nobody() -> None:
    """Neither an open connection nor a request that hangs keeps the sandbox from stopping."""
    started = asyncio.Event()

    async def hang(_: ServerRequest) -> None:
        started.set()
        await asyncio.Event().wait()

    async with Admin("") as admin:
        async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
            await admin.send("GET", sandbox.url + "/v2/")
            sandbox.faults.add(Call(hang), times=2)
            request = asyncio.create_task(admin.send("GET", sandbox.url + "/v2/"))
            await started.wait()
            loop = asyncio.get_running_loop()
            begin = loop.time()
        assert loop.time() - begin < 5
        with pytest.raises(aiohttp.ClientConnectionError):
            await request


async def test_untrusted_certificate() -> None:
    """With TLS its certificate is its own, so a client that does not know it refuses."""
    async with Sandbox(SandboxSettings(tls=True)) as sandbox, Admin(sandbox.url) as admin:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await admin.send("GET", "/v2/")

    assert sandbox.ca_pem is not None
    assert ssl.create_default_context(cadata=sandbox.ca_pem.decode()).get_ca_certs()


async def test_large_manifest() -> None:
    """A manifest of 4 MiB goes in and out."""
    image = empty_index(1)
    content = image.content.ljust(4 * 1024 * 1024)
    async with sandbox_with_admin(auth=Auth.NONE) as (sandbox, admin):
        sandbox.store.put_manifest(APP, "big", content, image.media_type)

        assert (await admin.get(APP, "big")).body == content
