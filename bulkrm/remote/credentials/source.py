"""What a source of credentials is, and what it is given to look at.

A source is a module of this package with a constant SOURCE, or an entry point of others. The first one that has a
usable entry for a host or a repository wins, in the order that the sources name themselves.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bulkrm.model.extensions.discovery import ExtensionPoint
from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.secret import Secret
from bulkrm.remote.credentials.asked import Ask
from bulkrm.remote.credentials.docker_config import DockerConfig

# The last place in the order that belongs to what the user gave: no plugin goes before it.
_GIVEN = 20
USERNAME, PASSWORD = "REGISTRY_USERNAME", "REGISTRY_PASSWORD"


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a user is at one host, as the configuration file has it. `password_env`: the variable with the password."""

    username: str | None = None
    password_env: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave, for the one host of the run; `password` was typed or piped in. `profiles` is by host."""

    host: str = ""
    username: str | None = None
    password: Secret | None = None
    password_env: str | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sources look at. `default_port` is the port of hosts that are written without one."""

    environment: Mapping[str, str]
    default_port: int = HTTPS_PORT
    given: Given = field(default_factory=Given)
    user_id: int = field(default_factory=os.getuid)

    def variable(self, name: str) -> str:
        """Return a variable of the environment, "" where it is not set."""
        return self.environment.get(name, "")

    def home(self, name: str, *below: str) -> Path:
        """Return a folder of the XDG base directory specification: that of a variable, else one below the home folder.

        Relative paths are ignored, as that specification wants it. Without a home folder there is nothing there.
        """
        base = self.variable(name)
        return Path(base) if base.startswith("/") else self.user_folder.joinpath(*below)

    @property
    def user_folder(self) -> Path:
        """The home folder: HOME, else what the system knows of the user; a container's user may have none."""
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


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """Where credentials may be: in what `read` reads before a run, or with somebody whom `login` asks while it goes on.

    `read` raises InputError on what is no such thing, and names it without its content. `files`: the files that it reads,
    whether they are there or not. `is_alone`: nothing that comes later is looked at. `login` is a coroutine function of a
    host and a repository (None: for the host itself); it returns None where it has nothing, and raises InputError, the
    problem's `where` being empty, where it cannot tell.
    """

    name: str
    order: int
    read: Callable[[Surroundings], Sequence[DockerConfig]] = _no_entries
    files: Callable[[Surroundings], Sequence[Path]] = _no_files
    is_alone: Callable[[Surroundings], bool] = _never
    login: Ask | None = None


def _wrong(source: CredentialSource) -> str | None:
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
    wrong=_wrong,
)


def sources() -> tuple[CredentialSource, ...]:
    """Return all sources, the one that goes before the others first. Raises InputError where a plugin cannot be used."""
    return tuple(sorted(SOURCES.values(), key=lambda source: source.order))


def files_of_credentials(surroundings: Surroundings) -> tuple[Path, ...]:
    """Return the files that are read for credentials."""
    return tuple(path for source in sources() for path in source.files(surroundings))
