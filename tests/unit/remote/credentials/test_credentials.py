"""Docker's `config.json`, and whose credentials go where."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.secret import Secret
from bulkrm.model.settings import IdentityToken, Login, RegistryToken
from bulkrm.remote.credentials import Credentials, DockerConfig, read_docker_config
from bulkrm.remote.credentials.keys import normal_key

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
    "auth",
    [
        f"{encoded('me:a long password')[:8]}\n{encoded('me:a long password')[8:]}\n",
        f"  {encoded('me:a long password')}\r\n".replace("b", "b\t", 1),
        encoded("me:a long password").rstrip("="),
        encoded("me:a long password") + "==",
    ],
)
def test_an_auth_as_people_write_it(auth: str, tmp_path: Path) -> None:
    """Line ends and blanks in `auth` do not matter, nor does its padding."""
    assert logins(read(tmp_path, {"auths": {"r.example": {"auth": auth}}})) == {"r.example": ("me", "a long password")}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        None,
        {"auth": None, "username": None},
        {"auth": encoded(":pw")},
        {"auth": encoded("me:")},
        {"auth": encoded("me:\0")},
        {"username": "me"},
        {"username": "me", "password": None},
        {"email": 5, "unknown": []},
    ],
)
def test_entries_without_a_password(entry: object, tmp_path: Path) -> None:
    """What holds no user and password is no login, and no error."""
    assert read(tmp_path, {"auths": {"r.example": entry}}) == DockerConfig()


@pytest.mark.parametrize(
    ("auth", "what"),
    [
        ("not base64!", "is no base64"),
        ("\u00fc\u00e4", "is no base64"),
        ("QQQQQ", "is no base64"),
        (encoded("me"), "is base64 of something that is no `user:password`"),
        (base64.b64encode(b"\xff\xfe:x").decode(), "is base64 of what is no UTF-8"),
    ],
)
def test_an_auth_that_cannot_be_decoded(auth: str, what: str, tmp_path: Path) -> None:
    """It is named by file and key, and matters to nobody else."""
    config = read(tmp_path, {"auths": {"r.example/team": {"auth": auth}, "o.example": {"auth": encoded("me:pw")}}})

    assert logins(config) == {"o.example": ("me", "pw")}
    (problem,) = config.broken.values()
    assert problem.where == f'{tmp_path}/config.json: auths["r.example/team"].auth'
    assert problem.what == what
    assert "docker login" in problem.remedy
    assert auth not in str(problem)


@pytest.mark.parametrize("body", [{}, {"auths": None}, {"auths": {"not a host!": {"auth": encoded("me:pw")}}}])
def test_nothing_in_it(body: object, tmp_path: Path) -> None:
    """A file without logins is an empty one."""
    assert read(tmp_path, body) == DockerConfig()


@pytest.mark.parametrize("body", [b"", b" \r\n\t ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"\xef\xbb\xbf{}"])
def test_an_empty_file(body: bytes, tmp_path: Path) -> None:
    """A file without content is an empty one, with a byte order mark too."""
    assert read(tmp_path, body) == DockerConfig()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    """A file that an editor put its mark before is read as any other."""
    body = json.dumps({"auths": {"r.example": {"auth": encoded("me:pw")}}}).encode(encoding)

    assert logins(read(tmp_path, body)) == {"r.example": ("me", "pw")}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"auths": []}, ["auths"]),
        ({"auths": "x", "credHelpers": "x", "credsStore": 5}, ["auths", "credHelpers", "credsStore"]),
        ({"auths": {"r.example": []}}, ['auths["r.example"]']),
        ({"auths": {"r.example": "sesame"}}, ['auths["r.example"]']),
        ({"auths": {"r.example": {"auth": 5}}}, ['auths["r.example"].auth']),
        (
            {"auths": {"r.example": {"username": [], "password": {}, "identitytoken": True, "registrytoken": 1.5}}},
            [f'auths["r.example"].{name}' for name in ("username", "password", "identitytoken", "registrytoken")],
        ),
        ({"auths": {"me:sesame@r.example": 5}}, ['auths["***@r.example"]']),
        ({"auths": {"a\x1b[31m": 5}}, ['auths["a [31m"]']),
        ({"credHelpers": {"r.example": 5}}, ['credHelpers["r.example"]']),
        ({"auths": {"r.example": {"auth": "\ud800"}}}, ['auths["r.example"].auth']),
        ({"auths": {"r.example": {"username": "sesame\udfff", "password": "pw"}}}, ['auths["r.example"].username']),
        ({"credsStore": "\ud800"}, ["credsStore"]),
    ],
)
def test_wrong_types(body: object, places: list[str], tmp_path: Path) -> None:
    """What has the wrong type, or is half a character, is an input error with its place; all are shown at once."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, body)

    assert [problem.where for problem in caught.value.problems] == [
        f"{tmp_path}/config.json: {place}" for place in places
    ]
    assert all(problem.remedy for problem in caught.value.problems)
    assert "sesame" not in str(caught.value)


def test_half_a_character_in_a_key(tmp_path: Path) -> None:
    """A key that is no text is no registry's."""
    assert read(tmp_path, {"auths": {"r\ud800.example": {"auth": encoded("me:pw")}}}) == DockerConfig()


# Keys with a path


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("r.example/team-a", "r.example/team-a"),
        ("R.example:443/team-a/app/", "r.example/team-a/app"),
        ("localhost:5000/team", "localhost:5000/team"),
        ("docker.io/library", "docker.io/library"),
        ("index.docker.io/v1/", "docker.io"),
        ("r.example/v2/", "r.example"),
        ("r.example/v2", "r.example/v2"),
        ("https://r.example/team", "r.example"),
        ("https://r.example/v2/", "r.example"),
        ("[::1]:5000/a", "[::1]:5000/a"),
        ("/team", None),
        ("", None),
        ("r.example/" + "x" * 600, None),
    ],
)
def test_normal_keys(text: str, key: str | None) -> None:
    """A key is a host, or a host and the beginning of a path; written as a URL it is a host, whatever follows."""
    assert normal_key(text) == key


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("team-a", "a"),
        ("team-a/app", "a"),
        ("team-a/app/x", "app"),
        ("team-a/app/xy", "a"),
        ("team-a/application", "a"),
        ("team-ab", "host"),
        ("team-ab/app", "host"),
        ("team", "host"),
        ("other/team-a", "host"),
        ("", "host"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_most_specific_key_wins(path: str, expected: str, turned: bool, tmp_path: Path) -> None:  # noqa: FBT001 (a table)
    """It covers whole components of the path only, and the order in the file does not matter."""
    entries = {"r.example": "host", "r.example/team-a": "a", "r.example/team-b": "b", "r.example/team-a/app/x": "app"}
    pairs = [(key, {"auth": encoded(f"me:{password}")}) for key, password in entries.items()]
    config = read(tmp_path, {"auths": dict(reversed(pairs) if turned else pairs)})

    assert Credentials({}, config).login("r.example", path) == Login("me", Secret(expected))
    assert not Credentials({}, config).is_one_for_all("r.example")


def test_a_repository_that_no_key_covers(tmp_path: Path) -> None:
    """It has no credentials, and neither has the host itself."""
    config = Credentials({}, read(tmp_path, {"auths": {"r.example/team-a": {"auth": encoded("me:a")}}}))

    assert config.login("r.example", "team-b/app") is None
    assert config.login("r.example") is None
    assert config.login("team-a") is None


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


@pytest.mark.parametrize("more", [{}, {"auth": encoded("me:pw")}, {"identitytoken": "t"}])
def test_a_ready_token(more: dict[str, str], tmp_path: Path) -> None:
    """A registry token goes before everything else in its entry, and is not shown."""
    config = read(tmp_path, {"auths": {"r.example": {"registrytoken": "sesame", **more}}})

    assert config.logins == {"r.example": RegistryToken(Secret("sesame"))}
    assert "sesame" not in repr(config)


def test_helpers(tmp_path: Path) -> None:
    """A host's own helper, the store for all others, and the hosts whose passwords were given to it."""
    body = {
        "auths": {"r.example": {"auth": encoded("me:pw")}, HUB_KEY: {}},
        "credHelpers": {"E.example:443": "ecr-login", "x!": "y", "z.example": None, "none.example": ""},
        "credsStore": "desktop",
    }
    config = read(tmp_path, body)

    assert config.helpers == {"e.example": "ecr-login"}
    assert (config.store, config.marked) == ("desktop", {"docker.io": HUB_KEY})
    assert logins(config) == {"r.example": ("me", "pw")}


@pytest.mark.parametrize("store", [None, ""])
def test_no_store(store: object, tmp_path: Path) -> None:
    """Without one an empty entry says nothing."""
    assert read(tmp_path, {"auths": {"r.example": {}}, "credsStore": store}) == DockerConfig()


def test_no_file(tmp_path: Path) -> None:
    """A missing file is an empty one."""
    assert read_docker_config(tmp_path / "config.json") == DockerConfig()


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b"\xed\xa0\x80",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"auths": sesame}',
    ],
)
def test_a_broken_file(body: bytes, tmp_path: Path) -> None:
    """A file that is no JSON object is an input error that names it and quotes nothing of it."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, body)

    assert caught.value.problems[0].where == str(tmp_path / "config.json")
    assert "sesame" not in str(caught.value)


def test_where_it_is_broken(tmp_path: Path) -> None:
    """A mistake in the JSON is named by line and column."""
    with pytest.raises(InputError, match=r"is no JSON object \(line 2, column 3\)"):
        read(tmp_path, b'{"auths": {},\n  auths}')


def test_a_file_without_end(tmp_path: Path) -> None:
    """A file that is larger than any configuration is not read to its end."""
    with pytest.raises(InputError, match="has more than 4 MiB"):
        read(tmp_path, b" " * (4 * 2**20 + 1))


def test_a_folder(tmp_path: Path) -> None:
    """What cannot be read is an input error that says why."""
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_docker_config(tmp_path)


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
    assert Credentials({}, DockerConfig(unusable={"r.example": "why"})).remark("r.example") == "why"
