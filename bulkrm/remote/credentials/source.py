"""`CredentialSource`, which each source of credentials declares, and the `Surroundings` that it reads.

A source is a module of this package with a constant SOURCE, or an entry point of another distribution. The first source
that has a usable entry for a host or a repository wins, by the `order` of the sources.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bulkrm.model.errors import InputError
from bulkrm.model.extensions.discovery import Extension, ExtensionPoint, Plugin
from bulkrm.model.extensions.plugin_call import silent_error_of, wrong_result
from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.secret import Secret
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.credentials.deferred import Ask
from bulkrm.remote.credentials.docker_config import DockerConfig

T = TypeVar("T")
# The largest `order` of sources that the user gave explicitly; the order of a plugin must be larger.
_GIVEN = 20


@valueclass
class Profile:
    """The user of one host in the configuration file. `password_env`: the environment variable with the password."""

    username: str | None = None
    password_env: str | None = None


@valueclass
class GivenCredentials:
    """The credentials that the user gave explicitly, for the one host of the run. `password`: typed, or from a pipe.

    `password_env`: the environment variable with the password; `profiles`: by host.
    """

    host: str = ""
    username: str | None = None
    password: Secret | None = None
    password_env: str | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)


@valueclass
class Surroundings:
    """Everything that sources read. `default_port`: the port of hosts that are written without one."""

    environment: Mapping[str, str]
    default_port: int = HTTPS_PORT
    given: GivenCredentials = field(default_factory=GivenCredentials)
    user_id: int = field(default_factory=os.getuid)

    def variable(self, name: str) -> str:
        """Return a variable of the environment; "" if it is not set."""
        return self.environment.get(name, "")

    def home(self, name: str, *below: str) -> Path:
        """Return a folder of the XDG Base Directory Specification: that in a variable, else `below` in the home folder.

        Relative paths are ignored, as the specification requires.
        """
        base = self.variable(name)
        return Path(base) if base.startswith("/") else self.user_folder.joinpath(*below)

    @property
    def user_folder(self) -> Path:
        """The home folder: HOME, else that in the user database; `/dev/null` if there is none, as for a container's user."""
        try:
            folder = Path(self.variable("HOME") or "~").expanduser()
        except RuntimeError:
            folder = Path(os.devnull)
        return folder if folder.is_absolute() else Path(os.devnull)


def _no_entries(_: Surroundings) -> Sequence[DockerConfig]:
    return ()


def _no_files(_: Surroundings) -> Sequence[Path]:
    return ()


def _never(_: Surroundings) -> bool:
    return False


@valueclass
class CredentialSource:
    """A source of credentials: `read` reads them before a run, or `login` asks for them during the run.

    `order`: sources with a smaller one come first. `read` raises InputError for malformed input, without its content.
    `files`: the files that `read` reads, whether they exist or not. `is_alone`: no later source is read. `login`: a
    coroutine function of a host and a repository (None: the host itself); it returns None if it has no credentials, and
    raises InputError with an empty `where` if it fails.
    """

    name: str
    order: int
    read: Callable[[Surroundings], Sequence[DockerConfig]] = _no_entries
    files: Callable[[Surroundings], Sequence[Path]] = _no_files
    is_alone: Callable[[Surroundings], bool] = _never
    login: Ask | None = None


def _why_unusable(source: CredentialSource) -> str | None:
    if source.order <= _GIVEN:
        return f"its order is {source.order}; up to {_GIVEN} is what the user gave, which goes before all sources"
    if source.read is _no_entries and source.login is None:
        return "it neither reads anything nor can be asked"
    return None


SOURCES = ExtensionPoint(
    __package__,
    "SOURCE",
    CredentialSource,
    "bulkrm.credential_sources",
    lambda source: (source.name,),
    wrong=_why_unusable,
)


@cache
def sources() -> tuple[Extension[CredentialSource], ...]:
    """Return all sources, sorted by `order`. Raises InputError for an unusable plugin.

    The functions of a plugin's source that are called before a run raise InputError for everything that goes wrong in them.
    """
    return tuple(sorted(map(_guarded, SOURCES.extensions()), key=lambda found: found.value.order))


def files_of_credentials(surroundings: Surroundings) -> tuple[Path, ...]:
    """Return the files that may have credentials, whether they exist or not."""
    return tuple(path for found in sources() for path in found.value.files(surroundings))


def _guarded(found: Extension[CredentialSource]) -> Extension[CredentialSource]:
    source, plugin = found.value, found.plugin
    if plugin is None:
        return found
    read = _refusing(plugin, source.read, DockerConfig)
    files = _refusing(plugin, source.files, Path)

    def is_alone(surroundings: Surroundings) -> bool:
        return bool(
            _called(plugin, "True or False", lambda told: isinstance(told, bool), source.is_alone, surroundings)
        )

    return Extension(replace(source, read=read, files=files, is_alone=is_alone), plugin)


def _refusing(
    plugin: Plugin, call: Callable[[Surroundings], Sequence[T]], kind: type[T]
) -> Callable[[Surroundings], Sequence[T]]:
    def fits(found: Any) -> bool:
        return isinstance(found, Sequence) and all(isinstance(part, kind) for part in found)

    def called(surroundings: Surroundings) -> Sequence[T]:
        found: Sequence[T] = _called(plugin, f"a sequence of {kind.__name__}", fits, call, surroundings)
        return found

    return called


def _called(
    plugin: Plugin,
    expected: str,
    fits: Callable[[Any], bool],
    call: Callable[[Surroundings], Any],
    surroundings: Surroundings,
) -> Any:
    """Call a function of a plugin. Raises InputError, without the text of its exception, which may hold a secret."""
    try:
        found = call(surroundings)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(silent_error_of(plugin, error).problem) from error
    if not fits(found):
        raise InputError(wrong_result(plugin, expected, found).problem)
    return found
