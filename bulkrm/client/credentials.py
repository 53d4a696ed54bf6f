"""Whose credentials go to which registry: those of the command line, else Docker's `config.json`."""

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import HTTPS_PORT, parse_host
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login

_MAX_CONFIG = 16 * 2**20


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """What `config.json` says, hosts in normal form. `unusable` tells why a host's entry gives no password.

    `helpers`: which program keeps a host's password; `store`: which one keeps all others'. `marked`: hosts with an entry
    that holds nothing, which is how `docker login` notes that it gave the password to the store, by that entry's key.
    """

    logins: Mapping[str, Credential] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str | None = None
    marked: Mapping[str, str] = field(default_factory=dict)


class Credentials:
    """Looks up the login of a host."""

    def __init__(self, given: Mapping[str, Credential], config: DockerConfig) -> None:
        """`given`: the command line's, by the host that they are for; they go to no other."""
        self._given = given
        self._config = config

    def login(self, host: str) -> Credential | None:
        """Return the login for a host; None means anonymous."""
        return self._given.get(host) or self._config.logins.get(host)

    def remark(self, host: str) -> str | None:
        """Say why there is an entry for the host in `config.json` that does not help, if so."""
        return None if self.login(host) else self._config.unusable.get(host)


def config_path(environment: Mapping[str, str] | None = None) -> Path:
    """Return where Docker's configuration is: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`."""
    folder = (os.environ if environment is None else environment).get("DOCKER_CONFIG")
    try:
        return (Path(folder) if folder else Path("~/.docker").expanduser()) / "config.json"
    except RuntimeError:  # no HOME, and a user that the system does not know: a container's
        return Path(os.devnull) / "config.json"


def read_docker_config(path: Path, default_port: int = HTTPS_PORT) -> DockerConfig:
    """Read the file (format: docker/cli `cli/config/configfile`). A missing one is an empty one.

    Raises InputError when it cannot be read or is no JSON object. Nothing of its content stands in the message.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CONFIG)
    except (FileNotFoundError, NotADirectoryError):
        return DockerConfig()
    except OSError as error:
        remedy = "make it readable, or set DOCKER_CONFIG to another folder"
        raise InputError(Problem(str(path), f"cannot be read: {error.strerror}", remedy)) from error
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        remedy = "repair it, or give -u with -p or --password-stdin"
        raise InputError(Problem(str(path), "is no JSON object", remedy))
    return _parse(body, default_port)


def _parse(body: dict[str, Any], default_port: int) -> DockerConfig:
    logins: dict[str, Credential] = {}
    unusable: dict[str, str] = {}
    marked: dict[str, str] = {}
    auths = body.get("auths")
    # A key that is exactly the host beats a legacy key, which is a URL: it comes last and overwrites.
    entries = sorted(auths.items(), key=lambda entry: "/" not in entry[0]) if isinstance(auths, dict) else []
    for key, entry in entries:
        host = _host(key, default_port)
        if host is None or not isinstance(entry, dict):
            continue
        login = _login(entry)
        if login is not None:
            logins[host] = login
        elif entry.get("registrytoken"):
            unusable[host] = (
                "config.json holds a registry token for it, which bulkrm cannot use; give -u and a password"
            )
        else:
            marked[host] = key
    unusable = {host: why for host, why in unusable.items() if host not in logins}
    store = body.get("credsStore")
    helpers = dict(_helpers(body, default_port))
    store = store if isinstance(store, str) and store else None
    marked = {host: key for host, key in marked.items() if store and host not in logins}
    return DockerConfig(logins, unusable, helpers, store, marked)


def _helpers(body: dict[str, Any], default_port: int) -> Iterator[tuple[str, str]]:
    helpers = body.get("credHelpers")
    for key, name in helpers.items() if isinstance(helpers, dict) else ():
        host = _host(key, default_port)
        if host is not None and isinstance(name, str) and name:
            yield host, name


def _host(key: str, default_port: int) -> str | None:
    """Bring a key to a host's normal form; Docker Hub's is the URL `https://index.docker.io/v1/`."""
    text = key.partition("://")[2] or key
    try:
        return parse_host(text.partition("/")[0], default_port)
    except InputError:
        return None


def _login(entry: dict[str, Any]) -> Credential | None:
    """Read `auth` (base64 of `user:password`), else `username` and `password`, else `identitytoken`."""
    auth, user, password = entry.get("auth"), entry.get("username"), entry.get("password")
    if isinstance(auth, str) and auth:
        try:
            user, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except ValueError:
            user, colon, password = None, "", ""
        # docker/cli strips NULs that an old version appended.
        password = password.rstrip("\0") if colon else None
    if isinstance(user, str) and isinstance(password, str) and user and password:
        return Login(user, Secret(password))
    identity = entry.get("identitytoken")
    return IdentityToken(Secret(identity)) if isinstance(identity, str) and identity else None
