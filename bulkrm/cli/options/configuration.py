"""The configuration file: defaults of options, and values of options for single hosts.

It is TOML. It is never read from the working folder, where a repository that was checked out could have put one.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from bulkrm.cli.options.rule import Option, SetBy
from bulkrm.cli.options.tomlplace import line_of
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import HTTPS_PORT, parse_host
from bulkrm.model.valueclass import valueclass

# Not options yet, and never to be set by the environment or the file: they would choose images, or send requests elsewhere.
RESERVED = frozenset({"image", "api-url"})
_HOSTS = "hosts"
_MAX = 2**20


@valueclass
class Configuration:
    """The content of the file at `path`, by the names of options without dashes; `hosts` by hosts as the file writes them.

    `files`: files that tables of hosts name. `typed`: the options that the command line sets. `overridden`: the options
    that the command line or the environment sets; they hold at every host, whatever its table says. `default_port`: of
    hosts without a port.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    overridden: frozenset[str] = frozenset()
    typed: frozenset[str] = frozenset()
    default_port: int = HTTPS_PORT
    _text: str = ""

    def place(self, *keys: str) -> str:
        """Return the file and the line of a key, for messages."""
        line = line_of(self._text, keys)
        return f"{self.path}:{line}" if line else str(self.path)

    @property
    def tables(self) -> Mapping[str, Mapping[str, str]]:
        """The tables of hosts, by the normal forms of their names."""
        return {parse_host(text, self.default_port): table for text, table in self.hosts.items()}

    def at(self, host: str, name: str) -> str | None:
        """Return the value of an option for one host; None where its table has none, or it is overridden."""
        return None if name in self.overridden else self.tables.get(host, {}).get(name)


def default_path(environment: Mapping[str, str]) -> Path | None:
    """Return the path of the file if no option names one: in the configuration folder of the XDG specification.

    A relative folder is ignored, as that specification demands: it would be below the working folder.
    """
    base, home = environment.get("XDG_CONFIG_HOME", ""), environment.get("HOME", "")
    if base.startswith("/"):
        return Path(base) / "bulkrm/config.toml"
    return Path(home) / ".config/bulkrm/config.toml" if home.startswith("/") else None


def read_configuration(path: Path, options: Mapping[str, Option], *, must_exist: bool) -> Configuration:
    """Read the file; `options` are the options of all commands, by name. A missing file is empty, unless `must_exist`.

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
    return _ConfigurationReader(Configuration(path, _text=text), options).configuration(body)


class _ConfigurationReader:
    """Reads one file, and collects every mistake in it."""

    def __init__(self, empty: Configuration, options: Mapping[str, Option]) -> None:
        self._file = empty
        self._options = options
        self._at_hosts = [name for name, option in options.items() if option.rule.at_hosts]
        self._files: list[Path] = []
        self._problems: list[Problem] = []

    def configuration(self, body: dict[str, Any]) -> Configuration:
        hosts = dict(self._hosts(body.pop(_HOSTS, {})))
        for name in body:
            option = self._options.get(name)
            if is_reserved(name, option):
                self._wrong((name,), f"{name} is taken from the command line only", "remove it from the file")
            elif option is None or not option.is_setting:
                settings = [known.name for known in self._options.values() if known.is_setting]
                self._wrong((name,), f"unknown key {name[:80]!r}", _suggestion(name, (*settings, _HOSTS)))
        if self._problems:
            raise InputError(*self._problems)
        file = self._file
        return Configuration(file.path, body, hosts, tuple(self._files), _text=file._text)  # noqa: SLF001 (its own class)

    def _hosts(self, tables: Any) -> Iterator[tuple[str, dict[str, str]]]:
        if not isinstance(tables, dict):
            self._wrong((_HOSTS,), "is no table", 'write [hosts."HOST"], and what holds there below it')
            return
        for text, table in tables.items():
            try:
                parse_host(text)
            except InputError as error:
                self._wrong((_HOSTS, text), error.problems[0].what, error.problems[0].remedy)
                continue
            if isinstance(table, dict):
                yield text, dict(self._of_host(text, table))
            else:
                self._wrong((_HOSTS, text), "is no table", f'write [hosts."{text}"]')

    def _of_host(self, host: str, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in table.items():
            keys = (_HOSTS, host, name)
            if name not in self._at_hosts:
                self._wrong(keys, f"unknown key {name[:80]!r} of a host", f"the keys are {', '.join(self._at_hosts)}")
            elif not isinstance(value, str | int) or isinstance(value, bool) or not str(value):
                self._wrong(keys, f"{name} is no text, or empty", f'write {name} = "..."')
            elif self._options[name].is_path:
                self._files.append(path_of_name(self._file, str(value)))
                yield name, str(self._files[-1])
            else:
                yield name, str(value)

    def _wrong(self, keys: tuple[str, ...], what: str, remedy: str) -> None:
        self._problems.append(Problem(self._file.place(*keys), what, remedy))


def is_reserved(name: str, option: Option | None) -> bool:
    """Tell whether only the command line may set an option of this name."""
    return name in RESERVED or (option is not None and option.rule.reach is SetBy.COMMAND_LINE)


def path_of_name(file: Configuration, text: str) -> Path:
    """Return the path for a file name in the configuration: relative names are relative to its folder."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        path = Path(text)
    return path if file.path is None else file.path.absolute().parent / path


def _suggestion(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (for mistakes only)

    if name in {"password", "token", "secret"}:
        return "a password does not belong there: password-env names the variable that holds it"
    close = get_close_matches(name.replace("_", "-"), known, 1)
    return f"perhaps {close[0]} is meant" if close else "the keys are the names of options, without the dashes"
