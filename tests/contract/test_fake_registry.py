"""The registry of the engine's tests and the sandbox answer alike: the same requests in the same order, to both.

One is asked over a socket, by the transport that bulkrm has; the other is not.
"""

from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Self

import pytest

from bulkrm.model.settings import Connection
from bulkrm.protocol.message import LOST, TIMEOUT, TOO_LARGE, Answer, NoAnswer
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.registries import Listeners
from bulkrm.remote.transport.sessions import Transport
from bulkrm.sandbox import (
    Call,
    Delay,
    Drop,
    DropAfter,
    Image,
    LieAboutBody,
    LieAboutDigest,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    Store,
    artifact,
    docker_list,
    oci_image,
    oci_index,
    put_image,
)
from bulkrm.sandbox.faults import Action
from tests.support.admin import ALL_TYPES
from tests.support.clock import FakeClock
from tests.support.fake_registry import OPEN, FakeRegistry, FakeTransport
from tests.support.registries import LIKE_CRANE, LIKE_DISTRIBUTION_3

APP = "team/app"
ONE, LIST, INDEX = oci_image(1), docker_list(2), oci_index(3)
# What HTTP adds on the way.
_OF_HTTP = frozenset({"date", "server", "content-length", "content-type", "connection"})
_SHORT = 0.1
MANIFEST = f"/v2/{APP}/manifests"


class Both:
    """A sandbox and a fake with the same images and host; `ask` sends the same to both and compares the answers."""

    def __init__(self, settings: SandboxSettings, timeout: float = 60.0) -> None:
        self._timeout = timeout
        self.sandbox = Sandbox(settings)
        self._settings = settings
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.sandbox)
        self.fake = FakeRegistry(FakeClock(auto=True), self._settings, self.sandbox.host)
        clock = SystemClock()
        self._real = await self._stack.enter_async_context(Transport(Connection(), self._timeout, clock))
        self._fake = FakeTransport({self.fake.host: self.fake}, self._timeout, clock, Listeners())
        for store in (self.sandbox.store, self.fake.store):
            put_image(store, APP, ["one", "two"], ONE)
            put_image(store, APP, ["list"], LIST)
            put_image(store, APP, ["index"], INDEX)
            put_image(store, APP, (), artifact(4, ONE))
            put_image(store, "team/other", [f"tag-{number}" for number in range(7)], ONE)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def ask(
        self, method: str, target: str, *, content: Image | None = None, accept: str = ALL_TYPES, max_body: int = 2**20
    ) -> Answer | NoAnswer:
        """Return the answer of both; `content` is what is pushed."""
        headers = {"Accept": accept} if content is None else {"Content-Type": content.media_type}
        url, body = f"http://{self.sandbox.host}{target}", None if content is None else content.content
        real, fake = [
            await transport.send(method, url, headers, max_body, body) for transport in (self._real, self._fake)
        ]
        assert _plain(fake) == _plain(real), (method, target)
        return fake

    def order(self, action: Action, *, method: str = ".*", path: str = "") -> None:
        """Order the same fault of both."""
        for faults in (self.sandbox.faults, self.fake.faults):
            faults.add(action, method=method, path=path)


def _plain(answer: Answer | NoAnswer) -> object:
    """What must be the same."""
    if isinstance(answer, NoAnswer):
        return answer.kind
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _OF_HTTP}
    kind = answer.headers.get("Content-Type") if answer.body else None
    return answer.status, headers, kind, answer.body


@pytest.mark.parametrize(
    "settings",
    [
        OPEN,
        replace(LIKE_DISTRIBUTION_3, auth=OPEN.auth),
        LIKE_CRANE,
        replace(OPEN, page_size=3, referrers=True),
        replace(OPEN, delete_enabled=False),
        replace(OPEN, read_only=True),
        replace(OPEN, tag_deletes=True, untagged_first=True),
        replace(OPEN, ignores_deletes=True),
    ],
    ids=["2.8", "3", "crane", "pages", "disabled", "read-only", "untagged-first", "ignores"],
)
async def test_they_answer_alike(settings: SandboxSettings) -> None:
    """Reading, listing, deleting and pushing, of what is there and what is not, in the manner of several registries."""
    nobody = "sha256:" + "dead" * 16
    async with Both(settings) as both:
        for target in ("/v2/", "/v2/_catalog", "/v2/_catalog?n=1", "/v2/nothing", f"/v2/{APP}/referrers/{ONE.digest}"):
            await both.ask("GET", target)
        for query in ("", "?n=2", "?n=2&last=tag-2", "?last=tag-6"):
            await both.ask("GET", f"/v2/team/other/tags/list{query}")
        await both.ask("GET", "/v2/team/none/tags/list")
        names = ("one", "list", "index", "gone", ONE.digest, INDEX.children[0].digest, nobody, "%2e%2e")
        for name in names:
            for method in ("GET", "HEAD"):
                await both.ask(method, f"{MANIFEST}/{name}")
        await both.ask("GET", f"{MANIFEST}/one", accept="text/html")
        await both.ask("GET", f"{MANIFEST}/one", max_body=5)
        for name in ("one", nobody, "gone", ONE.digest, LIST.digest, LIST.digest, "index"):
            await both.ask("DELETE", f"{MANIFEST}/{name}")
        for image, name in ((ONE, "again"), (LIST, LIST.digest), (oci_image(9), "no-blobs")):
            await both.ask("PUT", f"{MANIFEST}/{name}", content=image)
        for name in ("one", "two", "again", ONE.digest, LIST.digest):
            await both.ask("HEAD", f"{MANIFEST}/{name}")
        await both.ask("POST", f"{MANIFEST}/one")

        assert both.fake.store.tags(APP) == both.sandbox.store.tags(APP)
        assert both.fake.store.digests(APP) == both.sandbox.store.digests(APP)
        assert [line.partition(" ")[0] for line in both.fake.sent] == [asked.method for asked in both.sandbox.log]


@pytest.mark.parametrize(
    ("fault", "kind", "acts"),
    [
        (Drop(), LOST, False),
        (DropAfter(), LOST, True),
        (Delay(600.0), TIMEOUT, True),
        (Reply(429, {"Retry-After": "7"}), 429, False),
        (Reply(500, {"Content-Type": "text/plain"}, b"no"), 500, False),
    ],
)
async def test_they_fail_alike(fault: Action, kind: str | int, *, acts: bool) -> None:
    """What is ordered happens in both: nothing, an effect without an answer, an answer without an effect, silence."""
    async with Both(OPEN, timeout=_SHORT if isinstance(fault, Delay) else 60.0) as both:
        both.order(fault, method="DELETE")

        answer = await both.ask("DELETE", f"{MANIFEST}/{ONE.digest}")
        if isinstance(fault, Delay):
            both.sandbox.store.delete_manifest(APP, ONE.digest)  # it does so later

        assert (answer.kind if isinstance(answer, NoAnswer) else answer.status) == kind
        assert (ONE.digest in both.fake.store.digests(APP)) is not acts
        assert both.fake.store.tags(APP) == both.sandbox.store.tags(APP)


async def test_they_lie_alike() -> None:
    """A wrong digest, no digest and another body come as they were ordered."""
    async with Both(OPEN) as both:
        for lie in (LieAboutDigest(LIST.digest), LieAboutDigest(None), LieAboutBody(b"{}")):
            both.order(lie, path="one")

            answer = await both.ask("GET", f"{MANIFEST}/one")

            assert isinstance(answer, Answer)
            assert (answer.headers.get("Docker-Content-Digest"), answer.body) != (ONE.digest, ONE.content)


async def test_what_is_too_large_is_broken_in_both() -> None:
    """A success that is longer than the client wants is no answer."""
    async with Both(OPEN) as both:
        answer = await both.ask("GET", f"{MANIFEST}/one", max_body=3)

        assert isinstance(answer, NoAnswer)
        assert answer.kind == TOO_LARGE


async def test_a_hook_changes_what_is_answered_in_both() -> None:
    """Something can be made to happen between a request and its answer."""
    async with Both(OPEN) as both:

        async def move(store: Store, _: ServerRequest) -> None:
            store.tag(APP, "one", LIST.digest)

        for faults, store in ((both.sandbox.faults, both.sandbox.store), (both.fake.faults, both.fake.store)):
            faults.add(Call(partial(move, store)), path="one")

        answer = await both.ask("HEAD", f"{MANIFEST}/one")

        assert isinstance(answer, Answer)
        assert answer.headers["Docker-Content-Digest"] == LIST.digest
