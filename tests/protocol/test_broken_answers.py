"""Answers that no registry should send: a failure with a code each, in bounded time, and never a shorter list."""

import json

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.manifests.manifest import OCI_MANIFEST
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.settings import Pacing
from bulkrm.remote.registries import Registries
from tests.protocol.opening import app, failure_of, opened
from tests.support.clock import FakeClock
from tests.support.loop_time import LoopTime
from tests.support.scripted import Answer, Hang, Raw, ScriptedServer, Step, reply

PING = Step("GET /v2/", reply(200, body=b"{}"))
LIST = "GET /v2/team/app/tags/list?n=1000"
MANIFEST = "GET /v2/team/app/manifests/1"
TAGS = b'{"name": "team/app", "tags": ["a", "b"]}'
SENDS = 5  # of a request that gets no answer
LIMIT = 60.0  # seconds for one request
HTML = {"Content-Type": "text/html"}
LOST, STRANGE = FailureCode.CONNECTION_LOST, FailureCode.UNEXPECTED_ANSWER


async def asked(registries: Registries, place: Repository, line: str) -> object:
    """Make the call that sends a request."""
    registry = registries[place.host]
    return await (registry.tags(place) if line == LIST else registry.manifest(place, "1"))


def cut(whole: Raw, left: int) -> Raw:
    """The beginning of an answer; then the connection is closed."""
    return Raw(whole.content[:left], close=True)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Raw:
    """An answer in chunks, after which the connection is closed."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + end, close=True)


@pytest.mark.parametrize(
    ("line", "answer", "sends", "code"),
    [
        (LIST, cut(reply(200, body=TAGS), -5), SENDS, LOST),
        (LIST, chunked(TAGS[:20], end=b""), SENDS, LOST),
        (LIST, chunked(TAGS, end=b""), SENDS, LOST),
        (LIST, chunked(TAGS, end=b"zz\r\n"), SENDS, LOST),
        (LIST, reply(200, {"Content-Length": "12"}, TAGS[:12]), 1, STRANGE),
        (LIST, Raw(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), SENDS, LOST),
        (LIST, Raw(b"not HTTP at all\r\n\r\n"), SENDS, LOST),
        (LIST, Raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10**7 + b"\r\n\r\n", close=True), SENDS, LOST),
        (LIST, Raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 10**5 + b"\r\n", close=True), SENDS, LOST),
        (LIST, Raw(b"HTTP/1.1 200 OK\r\nLink: <\x00>\r\nContent-Length: 0\r\n\r\n"), SENDS, LOST),
        (LIST, reply(200, HTML, b"<html>"), 1, STRANGE),
        (LIST, reply(302, {"Location": "https://elsewhere.invalid/"}), 1, FailureCode.REDIRECTED),
        (LIST, reply(307, {"Location": "/v2/team/other/tags/list"}), 1, FailureCode.REDIRECTED),
        (LIST, reply(204), 1, STRANGE),
        (LIST, reply(200, body=b"[" * 10**6), 1, STRANGE),
        (MANIFEST, cut(reply(200, {"Content-Type": OCI_MANIFEST}, b'{"a": 1}'), -2), SENDS, LOST),
        (MANIFEST, reply(200, HTML, b"<html>"), 1, STRANGE),
        (MANIFEST, reply(302, {"Location": "/v2/team/app/manifests/2"}), 1, FailureCode.REDIRECTED),
        (MANIFEST, reply(200, {"Content-Type": OCI_MANIFEST}, b" " * (4 * 2**20 + 1)), 1, STRANGE),
        (
            MANIFEST,
            reply(200, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": Digest.of(b"b")}, b"{}"),
            1,
            FailureCode.DIGEST_MISMATCH,
        ),
    ],
    ids=str,
)
async def test_a_broken_answer(line: str, answer: Answer, sends: int, code: FailureCode) -> None:
    """It is sent again where no answer came, and is a failure in the end."""
    script = [PING, *([Step(line, answer)] * sends)]
    async with ScriptedServer(script) as server, opened(clock=FakeClock(auto=True)) as registries:
        with pytest.raises(RequestFailed) as caught:
            await asked(registries, app(server.host), line)

    assert failure_of(caught.value).code is code


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", reply(200, body=TAGS).content[:-3]])
async def test_an_answer_without_an_end(beginning: bytes) -> None:
    """However an answer stops in the middle, each send ends with the time limit."""
    answer = Raw(beginning) if beginning else Hang()
    script = [PING, *([Step(LIST, answer, check=LoopTime().passes(LIMIT))] * SENDS)]
    pacing = Pacing(timeout=LIMIT)
    async with ScriptedServer(script) as server, opened(clock=FakeClock(auto=True), pacing=pacing) as registries:
        with pytest.raises(RequestFailed) as caught:
            await registries[server.host].tags(app(server.host))

    assert failure_of(caught.value).code is FailureCode.TIMEOUT


async def test_line_ends_between_answers() -> None:
    """A registry that sends an empty line behind an answer can be read, and its connections are shared."""
    answer = Raw(reply(200, {"Content-Type": OCI_MANIFEST}, b"{}").content + b"\r\n")
    step = Step(MANIFEST, answer)
    async with (
        ScriptedServer([PING, step, step, PING]) as server,
        opened(clock=FakeClock(auto=True)) as registries,
    ):
        for _ in range(2):
            with registries.sharing.bulk():
                assert await registries[server.host].manifest(app(server.host), "1") is not None

        assert await registries.mixed_up() == []
        assert server.connections == 1


async def test_a_listing_that_is_endless() -> None:
    """Pages with ever new Links and nothing new in them end after ten minutes of the clock."""
    clock = FakeClock(auto=True)

    def page(number: int) -> Step:
        link = {"Link": f'<?p={number}>; rel="next"'}
        line = LIST if number == 1 else f"{LIST.partition('?')[0]}?p={number - 1}"
        return Step(line, reply(200, link, json.dumps({"tags": ["a"]}).encode()), check=lambda _: _later(clock))

    async with ScriptedServer([PING, *map(page, range(1, 5))]) as server, opened(clock=clock) as registries:
        with pytest.raises(RequestFailed) as caught:
            await registries[server.host].tags(app(server.host))

    assert "10 minutes" in failure_of(caught.value).message


def _later(clock: FakeClock) -> bool:
    clock.skip(250.0)
    return True
