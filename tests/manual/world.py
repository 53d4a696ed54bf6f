"""Where the blocks of the documentation run: a folder, a home, and a registry that answers as registry.example.com.

The commands run as they are printed. A proxy leads every connection to `registry.example.com` to the sandbox, over TLS
with a certificate that the home folder trusts, and Docker's configuration there has the credentials of the user `ci`.
"""

import asyncio
import base64
import datetime as dt
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bulkrm.sandbox import Image, Sandbox, SandboxSettings, User, built_image, docker_image, oci_index, put_image
from bulkrm.sandbox.auth.tokens import TOKEN_PATH
from tests.cli.command import foreign

HOST, USER, PASSWORD = "registry.example.com", "ci", "s3cr3t-Zebra"
_LIST = f"registry: {HOST}\nimages:\n  - team/app:pr-*\n"
_NIGHTLY = f"- {HOST}/team/web:nightly-*\n"
_KUBECTL = """\
#!/bin/sh
# What `kubectl get pods -o json` prints of a cluster with one pod.
echo '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "spec": {"containers":
  [{"name": "app", "image": "registry.example.com/team/app:main"}]}}]}'
"""


@dataclass(frozen=True, slots=True)
class World:
    """`folder` is the working folder of the commands, `environment` theirs."""

    folder: Path
    home: Path
    environment: dict[str, str]


@asynccontextmanager
async def world(place: Path, programs: Path) -> AsyncIterator[World]:
    """Make a folder, a home and a registry with images, as a reader of the documentation may have them.

    `programs`: the folder in which `bulkrm` is.
    """
    realm = f"https://{HOST}{TOKEN_PATH}"
    settings = SandboxSettings(realm=realm, tag_deletes=True)
    async with Sandbox(settings, users={USER: User(PASSWORD)}) as sandbox:
        _fill(sandbox)
        home = _home(place / "home")
        context = _certified(home)
        async with _proxy(sandbox.host, context) as proxy:
            folder = place / "work"
            _prepare(folder)
            yield World(folder, home, _environment(home, programs, proxy))


def _fill(sandbox: Sandbox) -> None:
    store = sandbox.store
    for number in range(38, 43):
        put_image(store, "team/app", [f"pr-{number}"], _dated(number))
    put_image(store, "team/app", ["pr-43-keep"], _dated(43))
    put_image(store, "team/app", ["1.10", "1.9"], _dated(110))
    put_image(store, "team/app", ["main"], _dated(200))
    put_image(store, "team/web", ["nightly-1"], docker_image(seed=1))
    put_image(store, "team/web", ["nightly-2"], oci_index(seed=2))
    put_image(store, "team/web", ["2.0", "stable"], oci_index(seed=3))
    put_image(store, "team/web", ["edge", "latest"], docker_image(seed=4))


def _dated(seed: int) -> Image:
    return built_image({"created": f"2026-01-{seed % 28 + 1:02}T12:00:00Z"}, {"seed": str(seed)})


def _home(home: Path) -> Path:
    (home / ".docker").mkdir(parents=True)
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {HOST: {"auth": auth}}}))
    (home / "bin").mkdir()
    (home / "bin/kubectl").write_text(_KUBECTL)
    (home / "bin/kubectl").chmod(0o755)
    return home


def _prepare(folder: Path) -> None:
    """Put files there that commands name and that the reader has from elsewhere."""
    (folder / "lists").mkdir(parents=True)
    (folder / "cleanup").mkdir()
    (folder / "images.yaml").write_text(_LIST)
    (folder / "list.txt").write_text(f"{HOST}/team/app:pr-41\n")
    for name in ("lists/nightly.yaml", "cleanup/nightly.yaml"):
        (folder / name).write_text(_NIGHTLY)


def _environment(home: Path, programs: Path, proxy: str) -> dict[str, str]:
    strange = {*foreign(os.environ), "CI", "PAGER", "LESS"}
    clean = {name: value for name, value in os.environ.items() if name not in strange}
    path = os.pathsep.join((str(home / "bin"), str(programs), clean["PATH"]))
    return {
        **clean,
        "PATH": path,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_RUNTIME_DIR": str(home / "session"),
        "HTTPS_PROXY": proxy,
        "COLUMNS": "80",
        "TERM": "xterm",
        "NO_COLOR": "1",
    }


# The way from registry.example.com to the sandbox


def _certified(home: Path) -> ssl.SSLContext:
    """Make a certificate for the host, and put it where docker and podman have those that they trust for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = home / ".config/containers/certs.d" / HOST
    folder.mkdir(parents=True)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.crt").write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both = home / "server.pem"
    both.write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


@asynccontextmanager
async def _proxy(upstream: str, context: ssl.SSLContext) -> AsyncIterator[str]:
    """Hold an HTTP proxy that takes CONNECT to the host alone, ends the TLS itself, and passes on to the sandbox."""
    ends: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ends.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            await _connected(reader, writer, upstream, context)
        writer.close()
        ends.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in ends:
            task.cancel()


async def _connected(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: str, context: ssl.SSLContext
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(f"CONNECT {HOST}:443 ".encode()):
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await writer.drain()
    await writer.start_tls(context)
    host, _, port = upstream.rpartition(":")
    far_reader, far_writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, far_writer))
            both.create_task(_copy(far_reader, writer))
    finally:
        far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()
