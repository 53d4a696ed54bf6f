"""The ways in which a hostile registry answers. Each gets the answer of a good registry, and decides whether it acts."""

import asyncio
import gzip
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX
from bulkrm.sandbox import ServerRequest
from bulkrm.sandbox.wire import ServerResponse

if TYPE_CHECKING:
    from tests.support.hostile import HostileServer

_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\u202egnp\x9b1m\r\nDELETED everything"
_NAMES = (
    "../../x",
    "..",
    "v1/../../../other/manifests/evil",
    "a\nb",
    "a b",
    "",
    "x" * 5000,
    "%2e%2e",
    "v1?x=1",
    "\x1b[2J",
)
_PIECE = b"x" * 65_536
_MANY = 64 * 1024 * 1024  # bytes after which an endless answer ends, so that the test does


@dataclass(frozen=True, slots=True)
class Hostility:
    """One request, and how to answer it. `act` lets it take effect, and returns the answer of a good registry."""

    server: "HostileServer"
    asked: ServerRequest
    random: Random
    act: Callable[[], ServerResponse]
    writer: asyncio.StreamWriter

    async def send(self, answer: ServerResponse, *, length: int | None = None, times: int = 1) -> None:
        """Send an answer; `length`, if given, is a wrong Content-Length."""
        stated = str(answer.headers.get("Docker-Content-Digest", ""))
        inside = {name.decode() for name in re.findall(rb"sha256:[0-9a-f]{64}", answer.body)}
        self.server.truth.note(self.asked, answer.status, {stated, str(Digest.of(answer.body)), *inside})
        headers = {**answer.headers, "Content-Length": str(len(answer.body) if length is None else length)}
        lines = [f"HTTP/1.1 {answer.status} Hostile", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        body = b"" if self.asked.method == "HEAD" else answer.body
        self.writer.write(("\r\n".join(lines).encode("utf-8", "surrogateescape") + body) * times)
        await self.writer.drain()

    async def stream(self, start: bytes, pieces: Iterable[bytes], pause: float = 0.0) -> bool:
        """Send pieces as long as the client reads them."""
        self.writer.write(start)
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(pause)
        return False

    def refusal(self, status: int, message: str = "no", headers: Mapping[str, str] | None = None) -> ServerResponse:
        """Make an answer with an error body."""
        body = json.dumps({"errors": [{"code": "DENIED", "message": message, "detail": message}]}).encode()
        return ServerResponse(status, {**_VERSION, "Content-Type": "application/json", **(headers or {})}, body)


async def plain(scene: Hostility) -> bool:
    """Answer as a good registry does."""
    await scene.send(scene.act())
    return True


async def other_digest(scene: Hostility) -> bool:
    answer = scene.act()
    await scene.send(replace(answer, headers={**answer.headers, "Docker-Content-Digest": "sha256:" + "0" * 64}))
    return True


async def other_body(scene: Hostility) -> bool:
    await scene.send(replace(scene.act(), body=b'{"schemaVersion":2,"manifests":[]}'))
    return True


async def odd_manifest(scene: Hostility) -> bool:
    """Answer with an index that is deep, names itself, names nothing, or names a malformed digest; its digest is right."""
    content = scene.random.choice(
        (
            b"[" * 100_000,
            b'{"manifests":null}',
            b'{"manifests":[' + b",".join([b'{"digest":"../../x","mediaType":"\\u001b[2J"}'] * 50) + b"]}",
            b'{"schemaVersion":2,"manifests":[{"digest":"sha256:'
            + b"1" * 64
            + b'"}],"layers":{},"config":3,"subject":[]}',
        )
    )
    headers = {**_VERSION, "Content-Type": OCI_INDEX, "Docker-Content-Digest": str(Digest.of(content))}
    await scene.send(ServerResponse(200, headers, content))
    return True


async def odd_names(scene: Hostility) -> bool:
    names = [*_NAMES, None, 3, ["x"], {"a": 1}]
    body = json.dumps({"name": "../x", "tags": names, "repositories": names, "manifests": names}).encode()
    await scene.send(ServerResponse(200, {**_VERSION, "Content-Type": "application/json"}, body))
    return True


async def odd_link(scene: Hostility) -> bool:
    target = scene.random.choice(
        (
            f"{scene.server.elsewhere}/v2/team/app/tags/list?n=1",
            scene.asked.target,
            "/v2/team/other/tags/list?last=a",
            "/v2/team/app/tags/list?last=" + "a" * 5000,
            "/v2/../../etc/passwd",
            "http://[::1",
            "//" + scene.server.elsewhere.partition("//")[2],
            "?n=1&last=" + str(scene.random.random()),
            "/v2/team/app/tags/list?\x1b[2J",
        )
    )
    style = scene.random.choice(
        ('<{}>; rel="next"', "<{}>; rel='next'", '<{}>; title="a, b"; rel=next', "{}; rel=next")
    )
    answer = scene.act()
    await scene.send(replace(answer, headers={**answer.headers, "Link": style.format(target)}))
    return True


async def redirect(scene: Hostility) -> bool:
    status = scene.random.choice((301, 302, 303, 307, 308))
    location = scene.random.choice(
        (
            f"{scene.server.elsewhere}/elsewhere",
            scene.asked.target,
            "",
            "ftp://x",
            "/v2/team/app/manifests/keep",
            "http://[",
        )
    )
    await scene.send(ServerResponse(status, {"Location": location, "Set-Cookie": "canary=1; Path=/"}))
    return True


async def challenge(scene: Hostility) -> bool:
    """Answer with a challenge, every time, with a realm that does not exist, or that of another server."""
    number = scene.random.random()
    text = scene.random.choice(
        (
            f'Bearer realm="{scene.server.url}/token?{number}",service="x{number}",scope="repository:a/b:pull"',
            f'Bearer realm="{scene.server.elsewhere}/realm",service="s",scope="repository:team/app:pull,delete"',
            'Bearer realm="file:///etc/passwd"',
            'Bearer realm="http://169.254.169.254/latest",service="s"',
            "Basic realm=x, Basic realm=y",
            "Bearer",
            'Bearer realm="' + "x" * 4000,
            'Negotiate, Bearer error="insufficient_scope"',
        )
    )
    await scene.send(scene.refusal(401, "who are you?", {"WWW-Authenticate": text}))
    return True


async def odd_token(scene: Hostility) -> bool:
    """Answer with a token that no header can have, or of endless or no life; other requests get that JSON too."""
    body = scene.random.choice(
        (
            '{"token":"a\\r\\nX-Evil: 1","expires_in":300}',
            '{"token":"' + "x" * 30_000 + '"}',
            f'{{"token":"{scene.server.new_token()}","expires_in":1e308,"issued_at":"9999-99-99"}}',
            f'{{"token":"{scene.server.new_token()}","expires_in":-5}}',
            '{"token":3,"access_token":[],"expires_in":"soon"}',
            '{"token":"\\ud800"}',
            "[]",
        )
    )
    await scene.send(ServerResponse(200, {**_VERSION, "Content-Type": "application/json"}, body.encode()))
    return True


async def echo(scene: Hostility) -> bool:
    """Repeat the request, with its credentials: in the message, the type and the challenge."""
    secret = scene.asked.headers.get("authorization", "nothing").replace("Bearer ", "").replace("Basic ", "")
    status = scene.random.choice((400, 401, 403, 405, 409, 500, 200))
    headers = {"WWW-Authenticate": f'Basic realm="{secret}"', "Content-Type": f"text/{secret[:40]}"}
    before = scene.server.password if any(one.authorization.startswith("Basic") for one in scene.server.heard) else ""
    await scene.send(scene.refusal(status, f"you said {secret} and {before}", headers))
    return True


async def escapes(scene: Hostility) -> bool:
    status = scene.random.choice((400, 403, 404, 405, 409, 500))
    await scene.send(scene.refusal(status, _ESCAPES, {"X-Reason": "\x1b[2J"}))
    return True


async def busy(scene: Hostility) -> bool:
    wait = scene.random.choice(("0", "1", "99999999999", "-1", "junk", "Fri, 31 Dec 9999 23:59:59 GMT", "0.5"))
    await scene.send(scene.refusal(scene.random.choice((429, 503)), "busy", {"Retry-After": wait}))
    return True


async def denied(scene: Hostility) -> bool:
    """Answer that the target is absent, forbidden or broken, and do nothing."""
    await scene.send(scene.refusal(scene.random.choice((400, 403, 404, 405, 410, 500, 502, 204, 206, 299, 418))))
    return True


async def done_and_denied(scene: Hostility) -> bool:
    """Let the request take effect, and answer that it failed."""
    scene.act()
    await scene.send(scene.refusal(scene.random.choice((429, 500, 503, 404, 405))))
    return True


async def hang_up(scene: Hostility) -> bool:
    if scene.random.random() < 0.5:
        scene.act()
    return False


async def late_duplicate(scene: Hostility) -> bool:
    """Send the answer twice, the second time a moment later."""
    answer = scene.act()
    await scene.send(answer)
    await asyncio.sleep(0.003)
    await scene.send(answer)
    return True


async def cut_short(scene: Hostility) -> bool:
    answer = scene.act()
    await scene.send(answer, length=len(answer.body) + 10)
    return False


async def too_long(scene: Hostility) -> bool:
    answer = scene.act()
    await scene.send(answer, length=max(0, len(answer.body) - 1))
    return True


async def endless_body(scene: Hostility) -> bool:
    start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    return await scene.stream(start, (_PIECE for _ in range(_MANY // len(_PIECE))))


async def bomb(scene: Hostility) -> bool:
    """Send a small compressed body, which has 64 MiB uncompressed."""
    packed = gzip.compress(b" " * _MANY, 1)
    await scene.send(ServerResponse(200, {**_VERSION, "Content-Type": OCI_INDEX, "Content-Encoding": "gzip"}, packed))
    return True


async def slow_drip(scene: Hostility) -> bool:
    start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    return await scene.stream(start, (b" " for _ in range(1000)), 0.02)


async def slow_headers(scene: Hostility) -> bool:
    return await scene.stream(b"HTTP/1.1 200 OK\r\n", (b"X-A: b\r\n" for _ in range(1000)), 0.02)


async def huge_headers(scene: Hostility) -> bool:
    return await scene.stream(b"HTTP/1.1 200 OK\r\nX-Huge: ", (_PIECE for _ in range(160)))


async def many_headers(scene: Hostility) -> bool:
    return await scene.stream(b"HTTP/1.1 200 OK\r\n", (b"X-Many: x\r\n" * 1000 for _ in range(1000)))


async def only_continue(scene: Hostility) -> bool:
    return await scene.stream(b"", (b"HTTP/1.1 100 Continue\r\n\r\n" for _ in range(20_000)))


async def no_http(scene: Hostility) -> bool:
    start = scene.random.choice(
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"SSH-2.0-x\r\n",
            b"\x15\x03\x01\x00\x02\x02\x46",
            b"HTTP/1.1 99999 x\r\n\r\n",
        )
    )
    return await scene.stream(start, ())


async def silence(_: Hostility) -> bool:
    await asyncio.Event().wait()
    return False


async def bad_chunks(scene: Hostility) -> bool:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
    return await scene.stream(start, (b"FFFFFFFFFFFFFFFF\r\nxx\r\n", b"-1\r\n", b"zz\r\n"))


Act = Callable[[Hostility], Awaitable[bool]]
_ALL: tuple[Act, ...] = (
    *(other_digest, other_body, odd_manifest, odd_names, odd_link, redirect, challenge, odd_token, echo, escapes),
    *(busy, denied, done_and_denied, hang_up, late_duplicate, cut_short, too_long, endless_body, bomb),
    *(slow_drip, slow_headers, huge_headers, many_headers, only_continue, no_http, silence, bad_chunks),
)
WAYS: dict[str, Act] = {re.sub("_", " ", act.__name__): act for act in _ALL}
