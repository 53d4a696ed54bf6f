"""Small blobs: from the registry, and from where it keeps them, bare of all that belongs to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.settings import Connection
from bulkrm.protocol.message import MAX_CONFIG, Answer
from bulkrm.protocol.redirect import next_url
from bulkrm.remote.registry import Registry
from bulkrm.sandbox import Auth, Drop, LieAboutBody, Reply, Sandbox, SandboxSettings, redirect
from tests.protocol.opening import app, failure_of, opened
from tests.support.clock import FakeClock

BLOB = b'{"created": "2026-01-01T00:00:00Z"}'
DIGEST = Digest.of(BLOB)


@asynccontextmanager
async def serving(settings: SandboxSettings, content: bytes = BLOB) -> AsyncIterator[tuple[Sandbox, Registry]]:
    """A sandbox with one blob, and a client of it."""
    async with Sandbox(settings) as sandbox:
        sandbox.store.put_blob("team/app", content)
        async with opened(clock=FakeClock(auto=True)) as registries:
            yield sandbox, registries[sandbox.host]


@pytest.mark.parametrize("auth", [Auth.TOKEN, Auth.BASIC, Auth.NONE])
async def test_no_credential_follows_a_redirect(auth: Auth) -> None:
    """The store hears neither token, nor password, nor cookie; the registry has had its own."""
    async with serving(SandboxSettings(auth=auth, blobs_elsewhere=True)) as (sandbox, registry):
        assert await registry.blob(app(sandbox), DIGEST) == BLOB

        (asked,) = sandbox.blobs.log
        assert not {"authorization", "cookie", "proxy-authorization"} & set(asked.headers)
        assert "admin" not in repr(asked)
        assert [line.status for line in sandbox.log if "/blobs/" in line.path] == [307]
        assert all(line.scheme for line in sandbox.log if "/blobs/" in line.path) or auth is Auth.NONE


async def test_without_a_redirect() -> None:
    """A registry that has its blobs itself answers at once; one that has none says so."""
    async with serving(SandboxSettings()) as (sandbox, registry):
        assert await registry.blob(app(sandbox), DIGEST) == BLOB
        assert await registry.blob(app(sandbox), Digest.of(b"none")) is None


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_the_digest_is_checked(elsewhere: bool) -> None:  # noqa: FBT001
    """Another blob than was asked for is no answer."""
    async with serving(SandboxSettings(blobs_elsewhere=elsewhere)) as (sandbox, registry):
        faults = sandbox.blobs.faults if elsewhere else sandbox.faults
        faults.add(LieAboutBody(b"{}"), path=DIGEST)
        with pytest.raises(RequestFailed) as caught:
            await registry.blob(app(sandbox), DIGEST)

        assert failure_of(caught.value).code is FailureCode.DIGEST_MISMATCH


@pytest.mark.parametrize("fault", [Reply(503), Reply(429), Drop()])
async def test_a_store_that_fails_once(fault: Reply | Drop) -> None:
    """It is asked again from the registry on: its leave may have run out."""
    async with serving(SandboxSettings(blobs_elsewhere=True)) as (sandbox, registry):
        sandbox.blobs.faults.add(fault)

        assert await registry.blob(app(sandbox), DIGEST) == BLOB
        assert [line.status for line in sandbox.log if "/blobs/" in line.path] == [307, 307]


@pytest.mark.parametrize("fault", [Reply(503), Reply(403), Reply(404), Drop()])
async def test_a_store_that_fails_for_good(fault: Reply | Drop) -> None:
    """The failure says nothing of the registry, which has answered, and it is no missing blob either."""
    async with serving(SandboxSettings(blobs_elsewhere=True)) as (sandbox, registry):
        sandbox.blobs.faults.add(fault, times=None)
        with pytest.raises(RequestFailed) as caught:
            await registry.blob(app(sandbox), DIGEST)

        assert failure_of(caught.value).reach is Reach.IMAGE
        assert len(sandbox.blobs.log) <= 3


async def test_redirects_end() -> None:
    """Five are followed, a sixth is not."""
    async with serving(SandboxSettings(blobs_elsewhere=True)) as (sandbox, registry):
        target = sandbox.blobs.url_of("team/app", DIGEST)
        sandbox.blobs.faults.add(redirect(302, target), times=4)
        assert await registry.blob(app(sandbox), DIGEST) == BLOB

        sandbox.blobs.faults.add(redirect(302, target), times=None)
        with pytest.raises(RequestFailed) as caught:
            await registry.blob(app(sandbox), DIGEST)
        assert failure_of(caught.value).code is FailureCode.REDIRECTED


async def test_a_large_blob_is_not_read() -> None:
    """More than 4 MiB is no configuration."""
    content = b"x" * (MAX_CONFIG + 1)
    async with serving(SandboxSettings(blobs_elsewhere=True), content) as (sandbox, registry):
        with pytest.raises(RequestFailed):
            await registry.blob(app(sandbox), Digest.of(content))
        assert len(sandbox.blobs.log) == 1


async def test_plain_http_only_where_the_user_permits_it() -> None:
    """Without --plain-http a redirect to HTTP is refused, on loopback too, and nothing is sent there."""
    async with Sandbox(SandboxSettings(blobs_elsewhere=True)) as sandbox:
        sandbox.store.put_blob("team/app", BLOB)
        async with opened(connection=Connection()) as registries:
            with pytest.raises(RequestFailed) as caught:
                await registries[sandbox.host].blob(app(sandbox), DIGEST)

        assert failure_of(caught.value).code is FailureCode.REDIRECTED
        assert sandbox.blobs.log == []


@pytest.mark.parametrize(
    ("location", "refused"),
    [
        ("https://store.example.com/x?sig=1", False),
        ("/elsewhere", False),
        ("http://store.example.com/x", True),
        ("https://127.0.0.1/x", True),
        ("https://10.0.0.1/x", True),
        ("https://[::1]/x", True),
        ("https://169.254.169.254/latest/meta-data", True),
        ("https://u:p@store.example.com/x", True),
        ("file:///etc/passwd", True),
        ("https://store.example.com:99999/", True),
        ("", True),
    ],
)
def test_where_a_redirect_may_lead(location: str, refused: bool) -> None:  # noqa: FBT001
    """From a public registry to a public HTTPS address; never into a private network, never to plain HTTP."""
    answer = Answer(307, CIMultiDictProxy(CIMultiDict({"Location": location})))
    if refused:
        with pytest.raises(RequestFailed):
            next_url(answer, "https://r.example.com/v2/a/blobs/b", registry="r.example.com", plain_http=False)
    else:
        assert next_url(answer, "https://r.example.com/v2/", registry="r.example.com", plain_http=False)
