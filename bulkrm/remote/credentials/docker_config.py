"""Parses Docker's `config.json` (format: docker/cli `cli/config/configfile`).

Known keys must have the right type, as in Docker itself; null counts as missing. All values of a wrong type are reported
at once, with their place but without their content. An `auth` that cannot be decoded is only an error if a run needs
that entry.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import HTTPS_PORT, mask_credentials
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login, RegistryToken
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.explanation import clean
from bulkrm.remote.credentials.keys import host_of, is_url, normal_key

_MAX_CONFIG = 4 * 2**20
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_GIVE = "or give -u with -p or --password-stdin"
_AUTH_REMEDY = f"`docker login` again, {_GIVE}"
_TYPE_REMEDY = f"repair it, {_GIVE}"


@valueclass
class DockerConfig:
    """The credentials of one source.

    By key in normal form (`keys.normal_key`): `logins`; `broken`: entries with an `auth` that cannot be decoded;
    `written`: the key as it is written in the source. By host: `helpers`: the helper that has its password; `marked`: the
    written key of an empty entry, by which `docker login` marks that the `store` has the password; `helped`: credentials
    that a helper returned; `unusable`: why an entry has no password. `store`: the helper for all other hosts. `source`:
    the file or variable. `is_lenient`: mistakes are `warnings`, and the next sources are read.
    """

    logins: Mapping[str, Credential] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str | None = None
    marked: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, Problem] = field(default_factory=dict)
    helped: Mapping[str, Credential] = field(default_factory=dict)
    source: str = field(default="", compare=False)
    written: Mapping[str, str] = field(default_factory=dict, compare=False)
    is_lenient: bool = False
    warnings: tuple[str, ...] = ()

    def has(self, host: str) -> bool:
        """Tell whether the source has credentials for a host, or for some of its repositories."""
        return host in self.helped or any(host_of(key) == host for key in self.logins)

    def helper_of(self, host: str) -> tuple[str, str] | None:
        """Return the name of the helper that may have a host's password, and the key to ask it for; None: no helper."""
        name = self.helpers.get(host, self.store)
        return None if name is None else (name, self.marked.get(host, host))


def read_docker_config(
    path: Path, default_port: int = HTTPS_PORT, *, may_be_forbidden: bool = False, is_old: bool = False
) -> DockerConfig:
    """Read and parse a file. A missing or empty file has no credentials.

    `may_be_forbidden`: nor has a file without permission to read it, which belongs to another user. `is_old`: the whole
    file is `auths`. Raises InputError, without any content of the file, if it cannot be read, is not a JSON object, or has
    a value of a wrong type.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CONFIG + 1)
    except (FileNotFoundError, NotADirectoryError):
        return DockerConfig(source=str(path))
    except OSError as error:
        if may_be_forbidden and isinstance(error, PermissionError):
            return DockerConfig(source=str(path))
        remedy = f"make it readable, {_GIVE}"
        raise InputError(Problem(str(path), f"cannot be read: {error.strerror}", remedy)) from error
    if len(content) > _MAX_CONFIG:
        what = f"has more than {_MAX_CONFIG >> 20} MiB, which no configuration of Docker's has"
        raise InputError(Problem(str(path), what, f"look into it, {_GIVE}"))
    return parse_docker_config(content, str(path), default_port, is_old=is_old)


def parse_docker_config(
    content: bytes, source: str, default_port: int = HTTPS_PORT, *, is_lenient: bool = False, is_old: bool = False
) -> DockerConfig:
    """Parse the text of a configuration. Raises InputError as `read_docker_config`; if lenient, only for bad JSON."""
    if not content.removeprefix(_BOM).strip(_BLANK):
        return DockerConfig(source=source)
    body = _json_object(source, content)
    return _ConfigReader(source, default_port, is_lenient=is_lenient).config({"auths": body} if is_old else body)


def _json_object(where: str, content: bytes) -> dict[str, Any]:
    place = ""
    try:
        body = json.loads(content)
    except json.JSONDecodeError as error:
        body, place = None, f" (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):  # bytes that are not text, a number or a nesting without end
        body = None
    if not isinstance(body, dict):
        raise InputError(Problem(where, f"is no JSON object{place}", _TYPE_REMEDY))
    return body


class _ConfigReader:
    """Parses one file, and collects every mistake in it."""

    def __init__(self, where: str, default_port: int, *, is_lenient: bool) -> None:
        self._where = where
        self._is_lenient = is_lenient
        self._port = default_port
        self._problems: list[Problem] = []
        self._broken: dict[str, Problem] = {}

    def config(self, body: dict[str, Any]) -> DockerConfig:
        """Return the configuration. Raises InputError with every value of a wrong type, unless it is lenient."""
        logins: dict[str, Credential] = {}
        marked: dict[str, str] = {}
        written: dict[str, str] = {}
        for text, key, entry in self._entries(body):
            login = self._login(text, key, entry)
            if login is not None:
                logins[key] = login
                written[key] = mask_credentials(clean(text, 120))
                self._broken.pop(key, None)
            elif key not in self._broken and "/" not in key:
                marked[key] = text
        helpers = dict(self._helpers(body))
        store = self._text(body, "credsStore", "credsStore") or None
        if self._problems and not self._is_lenient:
            raise InputError(*self._problems)
        marked = {host: text for host, text in marked.items() if store and host not in logins}
        warnings = tuple(map(str, self._problems))
        known = DockerConfig(logins, {}, helpers, store, marked, self._broken)
        return replace(known, source=self._where, written=written, is_lenient=self._is_lenient, warnings=warnings)

    def _entries(self, body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the entries of registries: the key as written, the key in normal form, and the fields.

        Keys that are URLs come first, so that a key that is exactly the host overwrites them.
        """
        auths = self._object(body, "auths", "auths")
        for text in sorted(auths, key=lambda text: not is_url(text)):
            entry = self._object(auths, text, _named("auths", text))
            key = normal_key(text, self._port)
            if key is not None:
                yield text, key, entry

    def _helpers(self, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
        helpers = self._object(body, "credHelpers", "credHelpers")
        for text in helpers:
            name = self._text(helpers, text, _named("credHelpers", text))
            key = normal_key(text, self._port)
            if name and key is not None and "/" not in key:  # helpers know hosts only
                yield key, name

    def _login(self, text: str, key: str, entry: dict[str, Any]) -> Credential | None:
        """Return the credentials of one entry; None: it has none, or its `auth` cannot be decoded.

        `registrytoken` takes precedence over a password, as in Docker's engine (`registry/auth.go`) and
        go-containerregistry (`transport/bearer.go`).
        """
        place = _named("auths", text)
        fields = {
            name: self._text(entry, name, f"{place}.{name}")
            for name in ("auth", "username", "password", "identitytoken", "registrytoken")
        }
        ready, identity = fields["registrytoken"], fields["identitytoken"]
        user, password = fields["username"], fields["password"]
        if fields["auth"]:
            try:
                user, password = _decoded(fields["auth"])
            except ValueError as error:
                self._broken[key] = Problem(f"{self._where}: {place}.auth", str(error), _AUTH_REMEDY)
                user, password = None, None
        if ready:
            return RegistryToken(Secret(ready))
        if user and password:
            return Login(user, Secret(password))
        return IdentityToken(Secret(identity)) if identity else None

    def _object(self, parent: dict[str, Any], name: str, place: str) -> dict[str, Any]:
        value = parent.get(name)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self._problems.append(self._wrong(place, "is no JSON object"))
        return {}

    def _text(self, parent: dict[str, Any], name: str, place: str) -> str | None:
        value = parent.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._problems.append(self._wrong(place, "is no text"))
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            self._problems.append(self._wrong(place, "holds half a character (a lone surrogate, such as \\ud800)"))
            return None
        return value

    def _wrong(self, place: str, what: str) -> Problem:
        return Problem(f"{self._where}: {place}", what, _TYPE_REMEDY)


def _named(parent: str, text: str) -> str:
    return f'{parent}["{mask_credentials(clean(text, 120))}"]'


def _decoded(auth: str) -> tuple[str, str]:
    """Decode base64 of `user:password`, also with line ends and without padding. Raises ValueError with the mistake.

    Go's decoder, which Docker uses, ignores line ends too (encoding/base64).
    """
    bare = "".join(auth.split()).rstrip("=")
    try:
        content = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise ValueError("is no base64") from None
    try:
        user, colon, password = content.decode().partition(":")
    except UnicodeDecodeError:
        raise ValueError("is base64 of what is no UTF-8") from None
    if not colon:
        raise ValueError("is base64 of something that is no `user:password`")
    # docker/cli strips NULs that an old version appended.
    return user, password.rstrip("\0")
