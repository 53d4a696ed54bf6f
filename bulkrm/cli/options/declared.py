"""The options, each written down once: a field of a group, with its names, its help and its rule in its annotation.

A command takes the groups that it needs; `bulkrm.cli.options.command` makes typer's parameters of their fields.
"""

import os
from collections.abc import Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from bulkrm.cli.options import values
from bulkrm.cli.options.configuration import Configuration
from bulkrm.cli.options.rule import COMMAND_LINE, NO_SETTING, OptionRule, union
from bulkrm.cli.process import ProcessContext
from bulkrm.model.settings import Connection, Shared, Strategy
from bulkrm.model.valueclass import valueclass

OUTPUT = "Output"


def path(text: str) -> Path:
    """Read the name of a file or a folder. Raises BadParameter if it is empty, which would mean the working directory."""
    if not text:
        raise typer.BadParameter("the name is empty; perhaps a variable is not set")
    return Path(text)


def _configuration(text: str) -> Configuration:
    """Return an unread configuration with the path of the file: the command reads it, because it knows the valid keys."""
    return Configuration(path(text))


def _formats() -> Sequence[tuple[str, str]]:
    from bulkrm.reports.format import formats  # noqa: PLC0415 (help and completion only)

    return [(name, entry.help) for name, entry in formats().items()]


def _files_of_formats() -> Sequence[tuple[str, str]]:
    return [(f"{name}=", meaning) for name, meaning in _formats()]


def _variables() -> Sequence[tuple[str, str]]:
    return [(name, "") for name in sorted(os.environ) if not name.startswith("_")]


# Options that a command may have without the rest of their group.
Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar="SECONDS", help="The time for one request.", rich_help_panel="Pace"),
    OptionRule(check=values.timeout),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", parser=path, metavar="DIR", help="Where runs are recorded.", rich_help_panel=OUTPUT),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every request.", rich_help_panel=OUTPUT)]


@valueclass
class ImageOptions:
    """The images: arguments, lists, and those to explain."""

    panel: ClassVar[str] = "What"
    images: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE", help="A reference or a glob, such as host/app:pr-*.")
    ] = None
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--from-file", "-f", metavar="FILE", help="Read a list: a file, a glob of files, or - for standard input."
        ),
        COMMAND_LINE,
    ] = None
    registry: Annotated[
        str | None, typer.Option("--registry", metavar="HOST", help="The registry of arguments that name none.")
    ] = None
    explain: Annotated[
        list[str] | None,
        typer.Option("--explain", metavar="IMAGE", help="With -n, show what each rule says of an image; repeatable."),
    ] = None

    @property
    def reads_stdin(self) -> bool:
        """Tell whether standard input is one of the lists."""
        return "-" in (self.files or ())


@valueclass
class ConsentOptions:
    """Whether anything is changed, and whether the user is asked before."""

    panel: ClassVar[str] = "Safety"
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would happen, and change nothing.")] = (
        False
    )
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask."), COMMAND_LINE] = False


@valueclass
class ConfirmationOptions(ConsentOptions):
    """Whether anything is deleted, and above which number the user has to type it."""

    confirm_above: Annotated[
        int,
        typer.Option("--confirm-above", min=0, metavar="N", help="Type the number to confirm more deletions than N."),
        OptionRule(check=values.confirm_above, combine=values.smallest_number),
    ] = values.CONFIRM_ABOVE


@valueclass
class ProtectionOptions(ConfirmationOptions):
    """Which images are never deleted, and how many may be deleted at most."""

    max_delete: Annotated[
        str | None,
        typer.Option("--max-delete", metavar="N|P%", help="Delete nothing at all if more tags would disappear."),
        OptionRule(check=values.limit, combine=values.smallest),
    ] = None
    protect: Annotated[
        list[str] | None,
        typer.Option("--protect", metavar="PATTERN", help="Never delete what matches; repeatable."),
        OptionRule(combine=union),
    ] = None
    in_use: Annotated[
        list[str] | None,
        typer.Option("--in-use", metavar="FILE", help="Never delete what this file shows running; repeatable."),
        OptionRule(combine=union),
    ] = None


@valueclass
class SafetyOptions(ProtectionOptions):
    """All safety rules, and the order and the checks of a deletion."""

    shared: Annotated[
        str,
        typer.Option("--shared", metavar="|".join(Shared), help="What to do with a digest that has unlisted tags."),
        COMMAND_LINE,
    ] = Shared.REFUSE.value
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="Also delete children and referrers that nothing kept needs."),
        COMMAND_LINE,
    ] = False
    strategy: Annotated[
        str,
        typer.Option("--strategy", metavar="|".join(Strategy), help="Whether tags go before their manifests."),
        COMMAND_LINE,
    ] = Strategy.AUTO.value
    allow_decoy: Annotated[
        bool,
        typer.Option("--allow-decoy", help="Allow a pushed decoy to remove tags that the registry cannot delete."),
        COMMAND_LINE,
    ] = False
    ignore_unreadable: Annotated[
        list[str] | None,
        typer.Option("--ignore-unreadable", metavar="PATTERN", help="Let matching damaged tags hold nothing back."),
        COMMAND_LINE,
    ] = None
    verify: Annotated[bool, typer.Option("--verify", help="Check afterwards that the kept tags still resolve.")] = False
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False


@valueclass
class SignInOptions:
    """The user and the password, and how registries are reached: TLS, plain HTTP, configuration file."""

    panel: ClassVar[str] = "Sign-in"
    username: Annotated[
        str | None,
        typer.Option("--username", "-u", metavar="NAME", help="Sign in as this user [env: REGISTRY_USERNAME]."),
        OptionRule(at_hosts=True),
    ] = None
    ask_password: Annotated[
        bool, typer.Option("-p", help="Ask for the password; takes no value [env: REGISTRY_PASSWORD].")
    ] = False
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = (
        False
    )
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", metavar="NAME", help="Take the password from this environment variable."),
        OptionRule(at_hosts=True, words=_variables),
    ] = None
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Accept certificates that do not verify."), COMMAND_LINE
    ] = False
    plain_http: Annotated[bool, typer.Option("--plain-http", help="Speak HTTP, not HTTPS."), COMMAND_LINE] = False
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca-file", parser=path, metavar="FILE", help="Trust these CA certificates (PEM)."),
        OptionRule(at_hosts=True),
    ] = None
    client_cert: Annotated[
        Path | None,
        typer.Option("--client-cert", parser=path, metavar="FILE", help="Present this client certificate (PEM)."),
        OptionRule(at_hosts=True),
    ] = None
    client_key: Annotated[
        Path | None,
        typer.Option("--client-key", parser=path, metavar="FILE", help="The key of that certificate (PEM)."),
        OptionRule(at_hosts=True),
    ] = None
    config: Annotated[
        Configuration | None,
        typer.Option(
            "--config",
            parser=_configuration,
            metavar="FILE",
            help="Read defaults of options from this file (TOML).",
            rich_help_panel=OUTPUT,
        ),
        NO_SETTING,
    ] = None

    @property
    def connection(self) -> Connection:
        """How registries are reached, by the options alone."""
        return Connection(self.insecure, self.plain_http, self.ca_file, self.client_cert, self.client_key)

    @property
    def configuration(self) -> Configuration:
        """The content of the configuration file, for the default port of the connection; empty where there is none."""
        return replace(self.config or Configuration(), default_port=self.connection.default_port)


@valueclass
class PaceOptions:
    """How many requests are sent at a time, how fast, and how long one may take."""

    panel: ClassVar[str] = "Pace"
    concurrency: Annotated[
        str,
        typer.Option("--concurrency", "-c", metavar="N", help="Requests in flight per registry."),
        OptionRule(check=values.concurrency, at_hosts=True, words=lambda: [("auto", "")]),
    ] = "auto"
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="N[/s,/m,/h]", help="At most N requests per registry in that time."),
        OptionRule(check=values.rate, at_hosts=True),
    ] = None
    timeout: Timeout = "60"


@valueclass
class OutputOptions:
    """What is shown, written and recorded. No option sets `process`."""

    panel: ClassVar[str] = OUTPUT
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FORMAT", help="What goes to standard output"),
        OptionRule(words=_formats),
    ] = "text"
    reports: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="FORMAT=FILE", help="Write a further report; repeatable."),
        OptionRule(words=_files_of_formats),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="List every image in the text report on a terminal.")] = False
    state_dir: StateDir = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")] = False
    verbose: Verbose = False
    process: ProcessContext = field(default_factory=ProcessContext)
