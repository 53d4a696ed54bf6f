"""The front door does nothing behind one's back: it prints nothing, handles no signal, and reads no environment."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bulkrm import Client, Connection, Settings, parse_images
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from tests.api.opening import APP, Journal, fill, listed, opened, tags, words
from tests.support.clock import FakeClock

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment full of what the command line would heed, and a home folder with configuration for it."""
    home = tmp_path / "home"
    for folder, name, text in (
        (".docker", "config.json", '{"credsStore": "nothing-there", "auths": '),
        (".config/bulkrm", "config.toml", "max-delete = 0\nno such key = 1\n"),
    ):
        (home / folder).mkdir(parents=True)
        (home / folder / name).write_text(text)
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / "state"),
        "DOCKER_CONFIG": str(home / ".docker"),
        "DOCKER_AUTH_CONFIG": "{",
        "REGISTRY_AUTH_FILE": str(home / "nothing"),
        "REGISTRY_USERNAME": "mallory",
        "REGISTRY_PASSWORD": "wrong",
        "BULKRM_STATE_DIR": str(home / "records"),
        "BULKRM_CONFIG": str(home / "none.toml"),
        "BULKRM_MAX_DELETE": "0",
        "BULKRM_PROTECT": "*:*",
        "BULKRM_DRY_RUN": "1",
        "NETRC": str(home / "netrc"),
    }.items():
        monkeypatch.setenv(name, value)
    (home / "netrc").write_text("default login mallory password wrong\n")
    return home


async def test_nothing_is_printed_and_no_signal_is_handled(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A plan, a deletion and an undo leave standard output, standard error and the signal handlers alone."""
    before = [signal.getsignal(number) for number in SIGNALS]
    during: list[list[object]] = []
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b")
        journal = Journal(lambda _: during.append([signal.getsignal(number) for number in SIGNALS]))
        async with opened(sandbox, journal, tmp_path) as client:
            images = listed(sandbox, "*", "none", protect='["*:latest"]')
            await client.apply(await client.plan(images))
            await client.undo()

    assert capfd.readouterr() == ("", "")
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert all(handlers == before for handlers in during)


async def test_a_hostile_environment_has_no_effect(hostile: Path) -> None:
    """Neither variables nor files of the home folder change what a run does, and it changes neither."""
    environment, files = dict(os.environ), _files(hostile)
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        fill(sandbox, "a", "b")
        async with opened(sandbox) as client:
            report = await client.delete(listed(sandbox, "a", "b"))

        assert words(report.images) == [("a", "deleted"), ("b", "deleted")]
        assert tags(sandbox) == []
    assert dict(os.environ) == environment
    assert _files(hostile) == files


@pytest.mark.usefixtures("hostile")
async def test_no_credentials_means_anonymous() -> None:
    """A client without credentials sends none, whatever the environment has."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        fill(sandbox, "a")
        async with Client() as client:
            report = await client.delete(listed(sandbox, "a"))

        assert words(report.images) == [("a", "failed bad-credentials")]
        assert {request.scheme for request in sandbox.log} == {None}


@pytest.mark.parametrize("is_given", [False, True])
async def test_proxies_are_a_value(monkeypatch: pytest.MonkeyPatch, *, is_given: bool) -> None:
    """A proxy of the environment is not used, one of the settings is."""
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        settings = Settings(connection=Connection(plain_http=True, proxies={"http": proxy} if is_given else {}))
        async with Client(settings=settings, clock=FakeClock(auto=True)) as client:
            report = await client.delete(parse_images([f"registry.invalid/{APP}:a"], default_port=80))

    assert [word.partition(" ")[0] for _, word in words(report.images)] == ["failed"]
    assert heard[:1] == ([b"GET http://registry.invalid/v2/ HTTP/1.1"] if is_given else [])


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
