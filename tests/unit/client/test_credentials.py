"""Docker's `config.json`, and whose credentials go where."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bulkrm.client.credentials import Credentials, DockerConfig, config_path, read_docker_config
from bulkrm.model.errors import InputError
from bulkrm.model.secret import Secret
from bulkrm.model.settings import IdentityToken, Login

HUB_KEY = "https://index.docker.io/v1/"


def encoded(text: str) -> str:
    """What `docker login` writes."""
    return base64.b64encode(text.encode()).decode()


def read(tmp_path: Path, body: Any) -> DockerConfig:
    """Read a file with this content."""
    path = tmp_path / "config.json"
    path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return read_docker_config(path)


def logins(config: DockerConfig) -> dict[str, tuple[str, str]]:
    """Users and passwords by host."""
    return {
        host: (login.username, login.password.reveal())
        for host, login in config.logins.items()
        if isinstance(login, Login)
    }


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("registry.example", "registry.example"),
        ("registry.example:5000", "registry.example:5000"),
        ("Registry.Example:443", "registry.example"),
        ("https://registry.example", "registry.example"),
        ("https://registry.example/v2/", "registry.example"),
        ("http://localhost:5000/v1/", "localhost:5000"),
        (HUB_KEY, "docker.io"),
        ("docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("[2001:DB8::1]:5000", "[2001:db8::1]:5000"),
    ],
)
def test_keys(key: str, host: str, tmp_path: Path) -> None:
    """A key is a host in whatever form, legacy URLs and Docker Hub's included."""
    assert logins(read(tmp_path, {"auths": {key: {"auth": encoded("me:pw")}}})) == {host: ("me", "pw")}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"auth": encoded("me:p:w:")}, ("me", "p:w:")),
        ({"auth": encoded("me:pw\0\0")}, ("me", "pw")),
        ({"auth": encoded("m\u00fc:p\u00e4ss w\u00f6rd")}, ("m\u00fc", "p\u00e4ss w\u00f6rd")),
        ({"username": "me", "password": "pw"}, ("me", "pw")),
        ({"auth": "", "username": "me", "password": "pw"}, ("me", "pw")),
        ({"auth": encoded("me:new"), "username": "me", "password": "old"}, ("me", "new")),
        ({"auth": encoded("me:pw"), "email": "x", "identitytoken": "t"}, ("me", "pw")),
    ],
)
def test_entries(entry: dict[str, str], expected: tuple[str, str], tmp_path: Path) -> None:
    """An entry has user and password in `auth`, cut at the first colon, or in fields of their own."""
    assert logins(read(tmp_path, {"auths": {"r.example": entry}})) == {"r.example": expected}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        None,
        5,
        [],
        "me:pw",
        {"auth": "not base64!"},
        {"auth": "\u00fc\u00e4"},
        {"auth": encoded("me")},
        {"auth": encoded(":pw")},
        {"auth": encoded("me:")},
        {"auth": encoded("me:\0")},
        {"auth": base64.b64encode(b"\xff\xfe:x").decode()},
        {"auth": 5},
        {"username": "me"},
        {"username": 5, "password": "pw"},
        {"username": "me", "password": None},
    ],
)
def test_entries_without_a_password(entry: object, tmp_path: Path) -> None:
    """What holds no user and password is no login, and no error."""
    assert read(tmp_path, {"auths": {"r.example": entry}}) == DockerConfig()


@pytest.mark.parametrize(
    "body",
    [{}, {"auths": None}, {"auths": []}, {"auths": {"not a host!": {"auth": encoded("me:pw")}}}, {"credHelpers": 5}],
)
def test_nothing_in_it(body: object, tmp_path: Path) -> None:
    """A file without logins is an empty one."""
    assert read(tmp_path, body) == DockerConfig()


def test_the_exact_key_wins(tmp_path: Path) -> None:
    """A key that is exactly the host goes before a legacy one, in any order."""
    exact, legacy = {"auth": encoded("me:exact")}, {"auth": encoded("me:legacy")}
    for keys in (
        (("r.example", exact), ("https://r.example/v1/", legacy)),
        (("https://r.example/v1/", legacy), ("r.example", exact)),
    ):
        assert logins(read(tmp_path, {"auths": dict(keys)})) == {"r.example": ("me", "exact")}


@pytest.mark.parametrize(
    "entry",
    [
        {"identitytoken": "sesame"},
        {"auth": encoded("00000000-0000-0000-0000-000000000000:"), "identitytoken": "sesame"},
        {"auth": "not base64!", "identitytoken": "sesame"},
    ],
)
def test_an_identity_token(entry: dict[str, str], tmp_path: Path) -> None:
    """It stands beside a user without a password, as Azure's registries have it."""
    config = read(tmp_path, {"auths": {"r.example": entry}})

    assert config.logins == {"r.example": IdentityToken(Secret("sesame"))}
    assert "sesame" not in repr(config)


def test_what_cannot_be_used(tmp_path: Path) -> None:
    """An entry that cannot be used says why and what to do, and shows no secret."""
    config = read(tmp_path, {"auths": {"r.example": {"registrytoken": "sesame"}}})
    remark = Credentials({}, config).remark("r.example")

    assert remark is not None
    assert "holds a registry token" in remark
    assert "give -u" in remark
    assert "sesame" not in remark


def test_helpers(tmp_path: Path) -> None:
    """A host's own helper, the store for all others, and the hosts whose passwords were given to it."""
    body = {
        "auths": {"r.example": {"auth": encoded("me:pw")}, HUB_KEY: {}},
        "credHelpers": {"E.example:443": "ecr-login", "x!": "y", "z.example": 5, "none.example": ""},
        "credsStore": "desktop",
    }
    config = read(tmp_path, body)

    assert config.helpers == {"e.example": "ecr-login"}
    assert (config.store, config.marked) == ("desktop", {"docker.io": HUB_KEY})
    assert logins(config) == {"r.example": ("me", "pw")}


@pytest.mark.parametrize("store", [None, "", 5, []])
def test_no_store(store: object, tmp_path: Path) -> None:
    """Without one an empty entry says nothing."""
    assert read(tmp_path, {"auths": {"r.example": {}}, "credsStore": store}) == DockerConfig()


def test_no_file(tmp_path: Path) -> None:
    """A missing file is an empty one."""
    assert read_docker_config(tmp_path / "config.json") == DockerConfig()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"auths": sesame}'])
def test_a_broken_file(body: bytes, tmp_path: Path) -> None:
    """A file that is no JSON object is an input error that names it and quotes nothing of it."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, body)

    assert caught.value.problems[0].where == str(tmp_path / "config.json")
    assert "sesame" not in str(caught.value)


def test_a_folder(tmp_path: Path) -> None:
    """What cannot be read is an input error that says why."""
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_docker_config(tmp_path)


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in $DOCKER_CONFIG, else in ~/.docker."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DOCKER_CONFIG", "/etc/docker")

    assert config_path() == Path("/etc/docker/config.json")
    assert config_path({}) == config_path({"DOCKER_CONFIG": ""}) == Path("/home/me/.docker/config.json")
    assert config_path({"DOCKER_CONFIG": "/x"}) == Path("/x/config.json")


def test_whose_credentials() -> None:
    """Those of the command line go before Docker's, go to no other host, and one without any is anonymous."""
    mine, dockers = Login("me", Secret("a")), Login("docker", Secret("b"))
    config = DockerConfig({"r.example": dockers})

    given = Credentials({"r.example": mine}, config)
    assert given.login("r.example") == mine
    assert given.login("other.example") is None
    assert Credentials({}, config).login("r.example") == dockers
    assert Credentials({}, config).login("other.example") is None
    assert Credentials({}, config).remark("other.example") is None
