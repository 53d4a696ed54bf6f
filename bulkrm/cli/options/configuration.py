"""The configuration file: defaults of options, and what holds at single hosts.

It is TOML, and never one of the working folder, where a repository that was checked out could have planted it.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkrm.cli.options.tomlplace import line_of
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import parse_host

# Neither the environment nor the file can set these: they loosen a rule, choose images, or send passwords elsewhere.
FORBIDDEN = frozenset({
    "image", "from-file", "yes", "shared", "allow-decoy", "recursive", "ignore-unreadable", "insecure", "plain-http",
    "strategy", "force", "api-url",
})  # fmt: skip
_HOSTS = "hosts"
_MAX = 2**20
PATHS = frozenset({"ca-file", "client-cert", "client-key"})
OF_HOSTS = ("username", "password-env", "ca-file", "client-cert", "client-key", "concurrency", "rate")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file at `path` says, by the names of options without dashes; `hosts` by hosts in normal form.

    `overridden`: the options that the command line or the environment set, which go before what holds at a host; `typed`
    are those of the command line.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    overridden: frozenset[str] = frozenset()
    typed: frozenset[str] = frozenset()
    _text: str = ""

    def place(self, *keys: str) -> str:
        """Return where a key stands, for messages."""
        line = line_of(self._text, keys)
        return f"{self.path}:{line}" if line else str(self.path)

    def at(self, host: str, name: str) -> str | None:
        """Return what holds at a host instead of the option of that name; None where nothing does."""
        return None if name in self.overridden else self.hosts.get(host, {}).get(name)


def default_path(environment: Mapping[str, str]) -> Path | None:
    """Return where the file is if nobody names one: in the configuration folder of the XDG specification.

    Relative folders are ignored, as that specification wants it: they would be in the working folder.
    """
    base, home = environment.get("XDG_CONFIG_HOME", ""), environment.get("HOME", "")
    if base.startswith("/"):
        return Path(base) / "bulkrm/config.toml"
    return Path(home) / ".config/bulkrm/config.toml" if home.startswith("/") else None


def read_configuration(path: Path, known: Collection[str], *, must_exist: bool) -> Configuration:
    """Read the file; `known` are the names that may stand in it. A missing one is empty, unless it has to be there.

    Raises InputError with every mistake.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX + 1)
        text = content.decode().replace("\r\n", "\n")
        body = tomllib.loads(text) if len(content) <= _MAX else None
    except (FileNotFoundError, NotADirectoryError) as error:
        if not must_exist:
            return Configuration()
        raise InputError(Problem(str(path), "there is no such file", "name another with --config")) from error
    except OSError as error:
        raise InputError(Problem(str(path), f"cannot be read: {error.strerror}", "make it readable")) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(str(path), "is not UTF-8", "save it as UTF-8")) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(Problem(str(path), f"is no TOML: {str(error)[:200]}", "correct it")) from error
    if body is None:
        raise InputError(Problem(str(path), f"has more than {_MAX >> 20} MiB", "name another with --config"))
    return _Reading(Configuration(path, _text=text), known).configuration(body)


class _Reading:
    """One reading of a file; gathers every mistake in it."""

    def __init__(self, empty: Configuration, known: Collection[str]) -> None:
        self._file = empty
        self._known = known
        self._problems: list[Problem] = []

    def configuration(self, body: dict[str, Any]) -> Configuration:
        hosts = dict(self._hosts(body.pop(_HOSTS, {})))
        for name in body:
            if name in FORBIDDEN:
                self._wrong((name,), f"{name} is taken from the command line only", "remove it from the file")
            elif name not in self._known:
                self._wrong((name,), f"unknown key {name[:80]!r}", _meant(name, (*self._known, _HOSTS)))
        if self._problems:
            raise InputError(*self._problems)
        file = self._file
        return Configuration(file.path, body, hosts, _text=file._text)  # noqa: SLF001 (its own class)

    def _hosts(self, tables: Any) -> Iterator[tuple[str, dict[str, str]]]:
        if not isinstance(tables, dict):
            self._wrong((_HOSTS,), "is no table", 'write [hosts."HOST"], and what holds there below it')
            return
        for text, table in tables.items():
            try:
                host = parse_host(text)
            except InputError as error:
                self._wrong((_HOSTS, text), error.problems[0].what, error.problems[0].remedy)
                continue
            if isinstance(table, dict):
                yield host, dict(self._of_host(text, table))
            else:
                self._wrong((_HOSTS, text), "is no table", f'write [hosts."{text}"]')

    def _of_host(self, host: str, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in table.items():
            keys = (_HOSTS, host, name)
            if name not in OF_HOSTS:
                self._wrong(keys, f"unknown key {name[:80]!r} of a host", f"the keys are {', '.join(OF_HOSTS)}")
            elif not isinstance(value, str | int) or isinstance(value, bool) or not str(value):
                self._wrong(keys, f"{name} is no text, or empty", f'write {name} = "..."')
            else:
                yield name, str(below(self._file, str(value))) if name in PATHS else str(value)

    def _wrong(self, keys: tuple[str, ...], what: str, remedy: str) -> None:
        self._problems.append(Problem(self._file.place(*keys), what, remedy))


def below(file: Configuration, text: str) -> Path:
    """Return the file that a name in the configuration means: relative ones are beside it."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        path = Path(text)
    return path if file.path is None else file.path.absolute().parent / path


def _meant(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (for mistakes only)

    if name in {"password", "token", "secret"}:
        return "a password does not belong there: password-env names the variable that holds it"
    close = get_close_matches(name.replace("_", "-"), known, 1)
    return f"perhaps {close[0]} is meant" if close else "the keys are the names of options, without the dashes"
