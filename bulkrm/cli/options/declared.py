"""The options, each written down once: commands that share one share its name, its metavar and its help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bulkrm.cli.options import values
from bulkrm.cli.options.configuration import Configuration
from bulkrm.cli.terminal.streams import Streams
from bulkrm.model.settings import Connection, Shared, Strategy


def _path(text: str) -> Path:
    """Read the name of a file or a folder; an empty one would be the working directory."""
    if not text:
        raise typer.BadParameter("the name is empty; perhaps a variable is not set")
    return Path(text)


def _configuration(text: str) -> Configuration:
    """Take the name of the configuration file; the command reads it, for it knows which keys there are."""
    return Configuration(_path(text))


_SHARED = (
    "A digest that has tags outside the list: keep it; take only the listed tags off it; delete it with all its tags; "
    "or do so without even reading the other tags (fast, and blind)."
)

Images = Annotated[
    list[str] | None, typer.Argument(metavar="IMAGE", help="References or globs, such as host/app:pr-*.")
]
FromFile = Annotated[
    list[str] | None,
    typer.Option("--from-file", "-f", metavar="FILE", help="List file; a glob of files; - for standard input."),
]
RegistryHost = Annotated[
    str | None, typer.Option("--registry", metavar="HOST", help="For references without a host on the command line.")
]
Username = Annotated[
    str | None, typer.Option("--username", "-u", metavar="NAME", help="User [env: REGISTRY_USERNAME].")
]
AskPassword = Annotated[
    bool, typer.Option("-p", help="Ask for the password; it takes no value [env: REGISTRY_PASSWORD].")
]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
PasswordEnv = Annotated[
    str | None,
    typer.Option("--password-env", metavar="NAME", help="The variable that holds the password, as CI_JOB_TOKEN."),
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Accept certificates that do not verify, of registries and their token servers."),
]
PlainHttp = Annotated[
    bool, typer.Option("--plain-http", help="Speak HTTP. Loopback hosts are tried by HTTPS first without it.")
]
CaFile = Annotated[
    Path | None, typer.Option("--ca-file", parser=_path, metavar="FILE", help="CA certificates to trust (PEM).")
]
ClientCert = Annotated[
    Path | None, typer.Option("--client-cert", parser=_path, metavar="FILE", help="Client certificate (PEM).")
]
ClientKey = Annotated[Path | None, typer.Option("--client-key", parser=_path, metavar="FILE", help="Its key (PEM).")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show the plan, delete nothing; exit as the run would.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
ConfirmAbove = Annotated[
    str,
    typer.Option(
        "--confirm-above", metavar="N", help="Type the number to confirm more deletions than that; 0: always."
    ),
]
SharedTags = Annotated[str, typer.Option("--shared", metavar="|".join(Shared), help=_SHARED)]
AllowDecoy = Annotated[
    bool,
    typer.Option(
        "--allow-decoy",
        help="Where a registry cannot delete tags, an empty index may be pushed over them and deleted.",
    ),
]
Order = Annotated[
    str,
    typer.Option(
        "--strategy",
        metavar="|".join(Strategy),
        help="Tags before their manifests: where that is faster; never; wherever it can be done.",
    ),
]
Recursive = Annotated[
    bool,
    typer.Option("--recursive", "-r", help="Also delete child manifests and referrers that nothing kept needs."),
]
Protect = Annotated[
    list[str] | None,
    typer.Option("--protect", metavar="PATTERN", help="Never delete what this matches; repeatable."),
]
InUse = Annotated[
    list[str] | None,
    typer.Option("--in-use", metavar="FILE", help="Never delete what this file says is running; repeatable."),
]
Explain = Annotated[
    list[str] | None,
    typer.Option("--explain", metavar="IMAGE", help="Tell of an image what every rule says; with -n; repeatable."),
]
IgnoreUnreadable = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore-unreadable",
        metavar="PATTERN",
        help="Tags that the registry lists and cannot serve hold nothing back if they match; repeatable.",
    ),
]
MaxDelete = Annotated[
    str | None,
    typer.Option(
        "--max-delete",
        metavar="N|P%",
        help="Delete nothing at all if more would disappear: tags (unlisted ones too) and untagged manifests.",
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Check afterwards that the kept tags of the touched repositories still resolve, children included.",
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")]
Concurrency = Annotated[str, typer.Option("--concurrency", "-c", metavar="N", help="Requests in flight per registry.")]
PerTime = Annotated[
    str | None, typer.Option("--rate", metavar="N[/s,/m,/h]", help="At most N requests per registry in that time.")
]
Timeout = Annotated[
    str, typer.Option("--timeout", metavar="SECONDS", help="For one request; default 60.", show_default=False)
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FORMAT", help="On standard output: text, json or jsonl.")
]
Reports = Annotated[
    list[str] | None,
    typer.Option("--report", metavar="FORMAT=FILE", help="Write a further report; repeatable."),
]
All = Annotated[bool, typer.Option("--all", help="Show every image in the text report on a terminal.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every request.")]
ConfigFile = Annotated[
    Configuration | None,
    typer.Option(
        "--config",
        parser=_configuration,
        metavar="FILE",
        help="Defaults of options (TOML) [env: BULKRM_CONFIG].",
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", parser=_path, metavar="DIR", help="Where runs are recorded [env: BULKRM_STATE_DIR]."),
]
Out = Annotated[
    Path | None, typer.Option("--out", parser=_path, metavar="FILE", help="Write the plan, for `bulkrm apply FILE`.")
]
Force = Annotated[bool, typer.Option("--force", help="Also put back tags that lead to something else by now.")]
RunName = Annotated[str | None, typer.Argument(metavar="RUN", help="Default: the latest that is unfinished.")]
UndoWhat = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN] [IMAGE]...",
        help="A run, and images or globs of it; default: all of the latest run that is not undone.",
    ),
]
PlanFiles = Annotated[list[str], typer.Argument(metavar="FILE", help="A plan that `bulkrm plan --out` wrote.")]


@dataclass(frozen=True, slots=True)
class What:
    """Which images, which never, and how many at most."""

    images: list[str] | None
    files: list[str] | None
    registry: str | None
    protect: list[str] | None
    max_delete: str | None
    ignore_unreadable: list[str] | None = None
    in_use: list[str] | None = None
    explain: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and how a registry is reached."""

    username: str | None
    ask_password: bool
    password_stdin: bool
    connection: Connection
    password_env: str | None = None
    configuration: Configuration = Configuration()  # noqa: RUF009 (it is frozen)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast."""

    concurrency: str
    rate: str | None
    timeout: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What may go."""

    shared: str
    recursive: bool
    allow_decoy: bool
    verify: bool
    fail_fast: bool
    strategy: str


@dataclass(frozen=True, slots=True)
class Talk:
    """What is shown, written, recorded and asked.

    `confirm_above`: more deletions than that are confirmed by typing their number (counted as `--max-delete` counts them),
    0 for every question; `all`: the text report on a terminal lists every image.
    """

    output: str
    reports: list[str] | None
    state_dir: Path | None
    quiet: bool
    verbose: bool
    yes: bool
    streams: Streams
    confirm_above: int = values.CONFIRM_ABOVE
    all: bool = False
