"""Where each source of credentials looks."""

import json
from pathlib import Path

import anyio
import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.settings import Login
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.credentials.configured import configured
from bulkrm.remote.credentials.source import GivenCredentials, Surroundings, files_of_credentials, sources


def files(name: str, **environment: str) -> list[str]:
    """The files of the source whose name begins so, for the user 7."""
    surroundings = Surroundings(environment, user_id=7)
    return [
        str(path)
        for found in sources()
        if found.value.name.startswith(name)
        for path in found.value.files(surroundings)
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, ["/run/user/7/containers/auth.json", "/h/.config/containers/auth.json"]),
        ({}, ["/run/containers/7/auth.json", "/h/.config/containers/auth.json"]),
        ({"XDG_RUNTIME_DIR": "here"}, ["/run/containers/7/auth.json", "/h/.config/containers/auth.json"]),
        ({"XDG_CONFIG_HOME": "/c"}, ["/run/containers/7/auth.json", "/c/containers/auth.json"]),
        ({"XDG_CONFIG_HOME": "here"}, ["/run/containers/7/auth.json", "/h/.config/containers/auth.json"]),
    ],
)
def test_podman(environment: dict[str, str], expected: list[str]) -> None:
    """The session's file, then the one that stays; relative folders are ignored, as the XDG specification wants it."""
    assert files("podman", HOME="/h", **environment) == expected


def test_the_others() -> None:
    """Docker's, the one that a variable names, and the old one; a home folder that is relative has nothing."""
    assert files("REGISTRY_AUTH_FILE") == []
    assert files("REGISTRY_AUTH_FILE", REGISTRY_AUTH_FILE="x.json") == ["x.json"]
    assert files("Docker's", DOCKER_CONFIG="/d", HOME="/h") == ["/d/config.json"]
    assert files("Docker's", DOCKER_CONFIG="", HOME="/h") == ["/h/.docker/config.json"]
    assert files("~/.dockercfg", HOME="/h") == ["/h/.dockercfg"]
    assert files("~/.dockercfg", HOME="h") == ["/dev/null/.dockercfg"]


def test_all_files(tmp_path: Path) -> None:
    """All of them are known to whoever must not overwrite one."""
    found = files_of_credentials(Surroundings({"HOME": str(tmp_path)}))

    assert {path.name for path in found} == {"config.json", "auth.json", ".dockercfg"}


def test_a_later_source_is_not_read_in_vain(tmp_path: Path) -> None:
    """Once all hosts are known, a broken file further down is nobody's business; for another host it is named."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(json.dumps({"auths": {"a.example": {"auth": "bTpw"}}}))
    (tmp_path / ".dockercfg").write_text("{")
    surroundings = Surroundings({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)})

    login = Credentials({}, *configured(["a.example"], surroundings)).login("a.example")

    assert isinstance(login, Login)
    with pytest.raises(InputError, match="is no JSON object"):
        configured(["a.example", "b.example"], surroundings)


async def found_for(surroundings: Surroundings) -> None:
    """Find the credentials for a host; a source that has to be asked is, before anybody is refused."""
    await Credentials({}, *configured(["a.example"], surroundings)).refuse_users()


def test_a_user_of_a_later_source(tmp_path: Path) -> None:
    """A user who is named gets his own password, past entries of other users in earlier sources."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(json.dumps({"auths": {"a.example": {"auth": "bTpw"}}}))
    (tmp_path / ".dockercfg").write_text(json.dumps({"a.example": {"username": "n", "password": "x"}}))
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}

    found = configured(["a.example"], Surroundings(environment, given=GivenCredentials("a.example", "n")))

    login = Credentials({}, *found).login("a.example")
    assert isinstance(login, Login)
    assert login.password.reveal() == "x"
    with pytest.raises(InputError, match="no password for the user 'o'"):
        anyio.run(found_for, Surroundings(environment, given=GivenCredentials("a.example", "o")))
