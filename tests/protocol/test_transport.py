"""Bytes over the network: nothing is sent twice, followed, kept or unpacked behind our back."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import getproxies_environment

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, RequestFailed
from bulkrm.model.manifests.manifest import OCI_MANIFEST
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.settings import Connection, Pacing
from bulkrm.protocol import message
from bulkrm.protocol.message import MAX_ERROR, Answer, NoAnswer
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.sending import Sending
from bulkrm.remote.transport import proxy
from bulkrm.remote.transport.connections import Reuse, Use
from bulkrm.remote.transport.sessions import Transport
from bulkrm.sandbox import Auth, Reply, Sandbox, SandboxSettings, SigningKey
from tests.protocol.opening import app, failure_of, fill, opened
from tests.support.clock import FakeClock
from tests.support.loop_time import LoopTime
from tests.support.scripted import Close, Hang, Heard, Raw, ScriptedServer, Step, reply

OPEN = SandboxSettings(auth=Auth.NONE)
DIGEST = Digest("sha256:" + "0" * 64)
DELETE = f"DELETE /v2/team/app/manifests/{DIGEST}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies, to put some in."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


async def sent(*steps: Step, **more: object) -> list[Answer | NoAnswer]:
    """What comes back when each step's request is sent, one after the other."""
    async with ScriptedServer(steps) as server, Transport(Connection(), 5, SystemClock()) as transport:
        answers = []
        for step in steps:
            method, _, target = step.line.partition(" ")
            answers.append(await transport.send(method, server.url + target, {}, **more))  # type: ignore[arg-type]
        return answers


# Nothing twice


async def test_a_delete_is_never_sent_twice() -> None:
    """A kept-alive connection that is closed after the DELETE was read: one request arrives, and it is broken.

    aiohttp would send it again by itself, and the caller would see only the second answer.
    """
    async with (
        ScriptedServer([Step("GET /", reply(200)), Step("DELETE /x", Close())]) as server,
        Transport(Connection(), 5, SystemClock()) as transport,
    ):
        reuse = Reuse()
        await transport.send("GET", f"{server.url}/", {}, use=Use(reuse))
        answer = await transport.send("DELETE", f"{server.url}/x", {}, use=Use(reuse))

        assert isinstance(answer, NoAnswer)
        assert answer.kind == message.LOST
        assert server.lines() == ["GET /", "DELETE /x"]
        assert server.connections == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT"])
@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200", b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc"])
async def test_a_broken_answer_is_no_answer(method: str, part: bytes) -> None:
    """An answer that stops in the middle is broken, whatever the method, and nothing is sent again."""
    if method == "HEAD" and b"\r\n\r\n" in part:
        return  # to HEAD that is whole
    (answer,) = await sent(Step(f"{method} /", Close(part)))

    assert isinstance(answer, NoAnswer)
    assert answer.kind == message.LOST


@pytest.mark.parametrize(
    "content",
    [
        b"\x15\x03\x01\x00\x02\x02F",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 50_000 + b"\r\n",
    ],
)
async def test_what_is_no_http(content: bytes) -> None:
    """Whatever a server sends, it is an answer or a broken one, and no exception."""
    (answer,) = await sent(Step("DELETE /", Raw(content, close=True)))

    assert isinstance(answer, NoAnswer)


async def test_a_server_that_hangs() -> None:
    """A server that does not answer within the time limit is a timeout."""
    async with (
        ScriptedServer([Step("DELETE /", Hang(), check=LoopTime().passes(60.0))]) as server,
        Transport(Connection(), 60.0, SystemClock()) as transport,
    ):
        answer = await transport.send("DELETE", f"{server.url}/", {})

        assert answer == NoAnswer(message.TIMEOUT, "no answer within the time limit")


async def test_nobody_there() -> None:
    """A port where nobody listens is unreachable, and the message has host and port."""
    async with ScriptedServer() as server:
        port = server.port
    async with Transport(Connection(), 5, SystemClock()) as transport:
        answer = await transport.send("GET", f"http://127.0.0.1:{port}/?secret=x", {})

    assert isinstance(answer, NoAnswer)
    assert answer.kind == message.UNREACHABLE
    assert f"127.0.0.1:{port}" in answer.message
    assert "secret" not in answer.message


async def test_a_name_that_does_not_resolve() -> None:
    """A name that leads nowhere is unreachable."""
    async with Transport(Connection(), 5, SystemClock()) as transport:
        answer = await transport.send("GET", "http://nowhere.invalid/", {})

    assert isinstance(answer, NoAnswer)
    assert answer.kind == message.UNREACHABLE


async def test_not_open() -> None:
    """A transport that was not opened is a bug of whoever uses it."""
    with pytest.raises(RuntimeError):
        await Transport(Connection(), 5, SystemClock()).send("GET", "http://127.0.0.1/", {})


# Nothing followed, kept or unpacked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirects(status: int) -> None:
    """A redirect is an answer: nothing is sent to where it leads."""
    async with ScriptedServer() as elsewhere:
        (answer,) = await sent(Step("DELETE /", reply(status, {"Location": f"{elsewhere.url}/"})))

        assert isinstance(answer, Answer)
        assert answer.status == status
        assert elsewhere.heard == []


async def test_no_cookies() -> None:
    """A cookie is not sent back."""

    def without(heard: Heard) -> bool:
        return "cookie" not in heard.headers

    step = Step("GET /", reply(200, {"Set-Cookie": "sid=1; Path=/"}), check=without)
    async with ScriptedServer([step, step]) as server, Transport(Connection(), 5, SystemClock()) as transport:
        for _ in range(2):
            # Not 127.0.0.1: aiohttp's own jar takes no cookies from addresses.
            answer = await transport.send("GET", f"http://localhost:{server.port}/", {})
            assert isinstance(answer, Answer)


async def test_the_headers_of_a_request() -> None:
    """A request names its program, asks for nothing packed, and carries no credentials of its own."""
    async with ScriptedServer([Step("GET /v2/?a=%2Fb%20c&d=%3D", reply(200))]) as server:
        async with Transport(Connection(), 5, SystemClock()) as transport:
            await transport.send("GET", f"{server.url}/v2/?a=%2Fb%20c&d=%3D", {"Accept": "x/y"})

        headers = server.heard[0].headers
        assert headers["user-agent"].startswith("bulkrm/")
        assert headers["accept-encoding"] == "identity"
        assert headers["accept"] == "x/y"
        assert "authorization" not in headers


async def test_netrc_is_not_read(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """A password in `.netrc` goes nowhere."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password sesame\n")
    environment.setenv("NETRC", str(netrc))

    await sent(Step("GET /", reply(200), authorization=None))


async def test_nothing_is_unpacked() -> None:
    """A body that says it is packed is handed over as it is: no bomb goes off."""
    (answer,) = await sent(Step("GET /", reply(200, {"Content-Encoding": "gzip"}, b"\x1f\x8bjunk")))

    assert isinstance(answer, Answer)
    assert answer.body == b"\x1f\x8bjunk"


# Limits


@pytest.mark.parametrize(("size", "fits"), [(0, True), (99, True), (100, True), (101, False), (300_000, False)])
@pytest.mark.parametrize("chunked", [True, False])
async def test_the_cap_of_a_success(size: int, fits: bool, chunked: bool) -> None:  # noqa: FBT001 (a table)
    """A success that is longer than allowed is broken, said to be or not."""
    body = b"x" * size
    raw = Raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body, close=True) if chunked else reply(200, body=body)

    (answer,) = await sent(Step("GET /", raw), max_body=100)

    assert isinstance(answer, Answer if fits else NoAnswer)
    assert not isinstance(answer, Answer) or answer.body == body
    assert not isinstance(answer, NoAnswer) or answer.kind == message.TOO_LARGE


async def test_a_large_success() -> None:
    """A manifest or list of several megabytes arrives whole."""
    body = bytes(range(256)) * 20_000

    (answer,) = await sent(Step("GET /", reply(200, body=body)), max_body=len(body))

    assert isinstance(answer, Answer)
    assert answer.body == body


async def test_the_cap_of_an_error() -> None:
    """Of an error's body the first 64 KiB are read, whatever is allowed for a success."""
    (answer,) = await sent(Step("GET /", reply(502, body=b"x" * 10_000_000)), max_body=4 * 2**20)

    assert isinstance(answer, Answer)
    assert answer.status == 502
    assert MAX_ERROR <= len(answer.body) <= MAX_ERROR + 1


async def test_a_huge_manifest() -> None:
    """A manifest of more than 4 MiB is a failure, and its connection is not used again."""
    big = reply(200, {"Content-Type": OCI_MANIFEST}, b" " * (4 * 2**20 + 1))
    script = [Step("GET /v2/", reply(200)), Step("GET /v2/team/app/manifests/1", big)]
    async with ScriptedServer(script) as server, opened() as registries:
        with pytest.raises(RequestFailed) as caught:
            await registries[server.host].manifest(app(server.host), "1")

        assert failure_of(caught.value).code is FailureCode.UNEXPECTED_ANSWER


async def test_the_trace() -> None:
    """Every send is told to the log: method, URL, and what came of it."""
    told: list[tuple[str, str, str]] = []

    def trace(method: str, url: str, result: str) -> None:
        told.append((method, url, result))

    async with ScriptedServer([Step("GET /a", reply(404)), Step("DELETE /b", Close())]) as server:
        async with Transport(Connection(), 5, SystemClock(), trace) as transport:
            await transport.send("GET", f"{server.url}/a", {"Authorization": "Bearer sesame"})
            await transport.send("DELETE", f"{server.url}/b", {})

        assert told == [
            ("GET", f"{server.url}/a", "404"),
            ("DELETE", f"{server.url}/b", "the connection broke (ServerDisconnectedError)"),
        ]


async def test_a_client_certificate(tmp_path: Path) -> None:
    """A certificate and its key are read; a key with a passphrase is refused without asking for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = tmp_path / "client.pem"
    certificate.write_bytes(self_signed(key))
    for encryption in (serialization.NoEncryption(), serialization.BestAvailableEncryption(b"sesame")):
        path = tmp_path / "client.key"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
        connection = Connection(client_cert=certificate, client_key=path)
        if isinstance(encryption, serialization.NoEncryption):
            Transport(connection, 5, SystemClock())
        else:
            with pytest.raises(InputError, match="--client-cert"):
                Transport(connection, 5, SystemClock())


def self_signed(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate for the key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    valid = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=365))
    signed = valid.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


async def test_the_time_of_receipt() -> None:
    """An answer has the wall clock's time."""
    clock = FakeClock(wall=1000.0)
    async with ScriptedServer([Step("GET /", reply(200))]) as server, Transport(Connection(), 5, clock) as transport:
        answer = await transport.send("GET", f"{server.url}/", {})

    assert isinstance(answer, Answer)
    assert answer.wall == 1000.0


# TLS


async def test_a_certificate_that_does_not_verify() -> None:
    """A self-signed certificate is refused, tried once, with what to do about it."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE, tls=True)) as sandbox, opened(connection=Connection()) as found:
        with pytest.raises(RequestFailed) as caught:
            await found[sandbox.host].manifest(app(sandbox), "1")

        failure = failure_of(caught.value)
        assert failure.code is FailureCode.CERTIFICATE
        assert "--ca-file" in str(failure.hint)
        assert "--insecure" in str(failure.hint)
        assert found[sandbox.host].host.base == sandbox.url  # and not plain HTTP, though it is loopback
        assert sandbox.log == []


@pytest.mark.parametrize("trust", ["insecure", "ca"])
async def test_a_certificate_that_is_accepted(trust: str, tmp_path: Path) -> None:
    """--insecure accepts it, and so does --ca-file, for the registry and its token server."""
    async with Sandbox(SandboxSettings(tls=True, own_token_port=True)) as sandbox:
        fill(sandbox, "1")
        ca_file = tmp_path / "ca.pem"
        ca_file.write_bytes(sandbox.ca_pem or b"")
        connection = Connection(insecure=True) if trust == "insecure" else Connection(ca_file=ca_file)
        async with opened(connection=connection) as registries:
            assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None
            assert registries[sandbox.host].host.base == sandbox.url
            assert len(sandbox.tokens.log) == 1


async def test_another_certificate_authority(tmp_path: Path) -> None:
    """--ca-file with another certificate does not make it good."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(SigningKey.generate().bundle_pem)
    async with (
        Sandbox(SandboxSettings(auth=Auth.NONE, tls=True)) as sandbox,
        opened(connection=Connection(ca_file=ca_file)) as registries,
    ):
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].manifest(app(sandbox), "1")

        assert failure_of(caught.value).code is FailureCode.CERTIFICATE


async def test_loopback_without_tls() -> None:
    """A loopback registry is tried with HTTPS first, and with HTTP where the answer is not TLS at all."""
    async with Sandbox(OPEN) as sandbox, opened(connection=Connection()) as registries:
        fill(sandbox, "1")

        assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None
        assert registries[sandbox.host].host.base == f"http://{sandbox.host}"


def test_the_default_port() -> None:
    """A host without a port has that of its scheme."""
    assert (Connection().default_port, Connection(plain_http=True).default_port) == (443, 80)


async def test_plain_http_is_said() -> None:
    """With --plain-http no HTTPS is tried: the first thing that the server hears is the request."""
    async with (
        ScriptedServer([Step("GET /v2/", reply(200)), Step(DELETE, reply(202))]) as server,
        opened() as registries,
    ):
        await registries[server.host].delete(app(server.host), DIGEST, Sending())

        assert server.connections == 2  # what deletes has one of its own


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
@pytest.mark.parametrize("option", ["ca_file", "client_cert"])
async def test_unusable_files(option: str, content: bytes | None, tmp_path: Path) -> None:
    """TLS material that cannot be used is an input error that names the option."""
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="--" + option.replace("_", "-")) as caught:
        Transport(Connection(ca_file=path) if option == "ca_file" else Connection(client_cert=path), 5, SystemClock())

    assert "PEM" in str(caught.value)


async def test_tls_that_fails() -> None:
    """A server that ends the TLS handshake is unreachable or lost, and is not spoken to in plain HTTP."""

    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(alert, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Transport(Connection(), 5, SystemClock()) as transport:
        answer = await transport.send("GET", f"https://127.0.0.1:{port}/", {})

    assert isinstance(answer, NoAnswer)
    assert answer.kind == message.UNREACHABLE
    assert "TLS" in answer.message


# Proxies


async def test_a_proxy_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is used for a host elsewhere: the proxy gets the whole URL."""
    script = [Step("GET http://registry.invalid/v2/", reply(200, body=b"from the proxy"))]
    async with ScriptedServer(script) as server:
        environment.setenv("HTTP_PROXY", server.url)
        async with Transport(Connection(proxies=getproxies_environment()), 5, SystemClock()) as transport:
            answer = await transport.send("GET", "http://registry.invalid/v2/", {})

    assert isinstance(answer, Answer)
    assert answer.body == b"from the proxy"


async def test_credentials_of_a_proxy(environment: pytest.MonkeyPatch) -> None:
    """User and password in the address of a proxy go to the proxy, and into no message."""
    traced: list[str] = []

    def trace(*words: str) -> None:
        traced.extend(words)

    script = [Step("GET http://registry.invalid/v2/", reply(200), authorization=None, check=_for_the_proxy)]
    async with ScriptedServer(script) as server:
        environment.setenv("HTTP_PROXY", f"http://user:s3cret@{server.host}")
        async with Transport(Connection(proxies=getproxies_environment()), 5, SystemClock(), trace) as transport:
            answer = await transport.send("GET", "http://registry.invalid/v2/", {})
    async with Transport(Connection(proxies=getproxies_environment()), 5, SystemClock(), trace) as transport:
        refused = await transport.send("GET", "http://registry.invalid/v2/", {})

    assert isinstance(answer, Answer)
    assert isinstance(refused, NoAnswer)
    assert "s3cret" not in f"{traced} {refused}"


def _for_the_proxy(heard: Heard) -> bool:
    return heard.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'user:s3cret').decode()}"


async def test_a_proxy_of_another_kind(environment: pytest.MonkeyPatch) -> None:
    """A proxy that is not spoken to is refused at once, by its kind."""
    environment.setenv("ALL_PROXY", "socks5://user:s3cret@127.0.0.1:1080")
    async with Transport(Connection(proxies=getproxies_environment()), 5, SystemClock()) as transport:
        refused = await transport.send("GET", "https://registry.invalid/v2/", {})

    assert refused == NoAnswer(message.PROXY, "ALL_PROXY names a socks5:// proxy, which is not supported")
    assert not refused.may_have_acted


async def test_a_proxy_that_refuses(environment: pytest.MonkeyPatch) -> None:
    """A proxy that does not let HTTPS through, or is not there, makes the registry unreachable."""
    async with ScriptedServer([Step("CONNECT registry.invalid:443", reply(403))]) as server:
        environment.setenv("HTTPS_PROXY", server.url)
        async with Transport(Connection(proxies=getproxies_environment()), 5, SystemClock()) as transport:
            refused = await transport.send("GET", "https://registry.invalid/v2/", {"Authorization": "Bearer t"})
        assert server.heard[0].authorization is None
    async with Transport(Connection(proxies=getproxies_environment()), 5, SystemClock()) as transport:
        not_there = await transport.send("GET", "https://registry.invalid/v2/", {})

    assert refused == not_there == NoAnswer(message.UNREACHABLE, "the proxy does not connect")


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, "https://r.example/", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://r.example/", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "https://r.example/", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://r.example/", None),
        ({"ALL_PROXY": "http://p:1"}, "https://r.example/", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "r.example"}, "https://r.example/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example"}, "https://r.example/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "r.example:5000"}, "https://r.example:5000/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://r.example/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other"}, "https://r.example/", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://127.0.0.1:5000/", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://localhost/", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://[::1]:5000/", None),
    ],
)
def test_proxy_for(variables: dict[str, str], url: str, expected: str | None, environment: pytest.MonkeyPatch) -> None:
    """The proxy is that of the scheme, else the one for all, never where NO_PROXY says or for loopback."""
    for name, value in variables.items():
        environment.setenv(name, value)

    assert proxy.proxy_for(url, getproxies_environment()) == expected


# Authorization


async def test_credentials_stay_at_home() -> None:
    """Neither the token nor the password goes to a host that a redirect or a Link names."""
    async with ScriptedServer() as thief, Sandbox() as sandbox, opened(pacing=Pacing(concurrency=2)) as registries:
        digests = fill(sandbox, "1")
        registry = registries[sandbox.host]
        link = {"Link": f'<{thief.url}/v2/>; rel="next"', "Content-Type": "application/json"}
        sandbox.faults.add(Reply(200, link, b'{"tags": ["1"]}'), path="tags/list")
        sandbox.faults.add(Reply(307, {"Location": f"{thief.url}/"}), path="manifests", times=2)
        sandbox.tokens.faults.add(Reply(307, {"Location": f"{thief.url}/token"}))
        calls = (
            lambda: registry.tags(app(sandbox)),
            lambda: registry.tags(app(sandbox)),
            lambda: registry.manifest(app(sandbox), "1"),
            lambda: registry.delete(app(sandbox), Digest(digests["1"]), Sending()),
        )
        for call in calls:
            with pytest.raises(RequestFailed):
                await call()

        assert thief.connections == 0
        assert len(sandbox.log) == 4


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
async def test_a_host_that_cannot_be(host: str) -> None:
    """A host that no network knows how to write down, say in a hostile realm, is an answer like any other."""
    async with Transport(Connection(), 5, SystemClock()) as transport:
        answer = await transport.send("GET", f"https://{host}/", {})

    assert isinstance(answer, NoAnswer)
    assert answer.kind == message.UNREACHABLE


def test_a_proxy_without_a_scheme(environment: pytest.MonkeyPatch) -> None:
    """`HTTPS_PROXY=proxy:3128` means an HTTP proxy, as it does for curl."""
    environment.setenv("HTTPS_PROXY", "proxy.example:3128")

    assert proxy.proxy_for("https://registry.example/v2/", getproxies_environment()) == "http://proxy.example:3128"
