"""The commands, as typer has them."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
import typer

from bulkrm import __version__
from bulkrm.cli import values
from bulkrm.cli.inputs import Wanted, read_inputs
from bulkrm.cli.login import LoginOptions, credentials
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.writers import open_writers
from bulkrm.engine.run import Job
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Connection, Pacing, Policy, Settings, Shared
from bulkrm.reports.format import formats
from bulkrm.selection.schema import list_file_schema

T = TypeVar("T")
_OTHERS = (
    "Other commands: `bulkrm demo` tries all this on an embedded registry; `bulkrm schema` prints the list's schema."
)

_SHARED = (
    "A digest that has tags outside the list: keep it, delete it with all its tags, or do so without even reading the "
    "other tags (fast, and blind)."
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def _bulkrm() -> None:
    """Delete container images in bulk from any OCI / Docker v2 registry."""


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (typer's callback)
    if wanted:
        typer.echo(f"bulkrm {__version__}")
        raise typer.Exit


@app.command(epilog=_OTHERS)
def delete(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE", help="References or globs, such as host/app:pr-*.")
    ] = None,
    from_file: Annotated[
        list[str] | None,
        typer.Option("--from-file", "-f", metavar="FILE", help="List file; a glob of files; - for standard input."),
    ] = None,
    registry: Annotated[
        str | None, typer.Option(metavar="HOST", help="For references without a host on the command line.")
    ] = None,
    username: Annotated[
        str | None, typer.Option("--username", "-u", metavar="NAME", help="User [env: REGISTRY_USERNAME].")
    ] = None,
    ask_password: Annotated[
        bool, typer.Option("-p", help="Ask for the password; it takes no value [env: REGISTRY_PASSWORD].")
    ] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", help="Accept certificates that do not verify, of registries and their token servers."
        ),
    ] = False,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Speak HTTP. Loopback hosts are tried by HTTPS first without it.")
    ] = False,
    ca_file: Annotated[Path | None, typer.Option(metavar="FILE", help="CA certificates to trust (PEM).")] = None,
    client_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Client certificate (PEM).")] = None,
    client_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key (PEM).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the plan, delete nothing; exit as the run would.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    shared: Annotated[str, typer.Option(metavar="|".join(Shared), help=_SHARED)] = Shared.REFUSE.value,
    protect: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Never delete what this matches; repeatable.")
    ] = None,
    max_delete: Annotated[
        str | None,
        typer.Option(
            metavar="N|P%",
            help="Delete nothing at all if more would disappear: tags (unlisted ones too) and untagged manifests.",
        ),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False,
    concurrency: Annotated[
        str, typer.Option("--concurrency", "-c", metavar="N", help="Requests in flight per registry.")
    ] = "auto",
    rate: Annotated[
        str | None, typer.Option(metavar="N[/s,/m,/h]", help="At most N requests per registry in that time.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="For one request; default 60.", show_default=False)
    ] = 60.0,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="On standard output: text, json or jsonl.")
    ] = "text",
    report: Annotated[
        list[str] | None, typer.Option(metavar="FORMAT=FILE", help="Write a further report; repeatable.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every request.")] = False,
    version: Annotated[  # noqa: ARG001 (handled by its callback)
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Delete images: plan, ask, delete, report.

    Everything is resolved and judged before the first image goes. A digest that also has a tag which the list does
    not name is kept, unless --shared says otherwise.
    """
    connection = Connection(insecure, plain_http, ca_file, client_cert, client_key)
    files = tuple(from_file or ())

    def prepare() -> tuple[Job, Settings]:
        if client_key is not None and client_cert is None:
            raise InputError(Problem("--client-key", "there is no --client-cert", "give both, or one file as both"))
        pacing = Pacing(values.concurrency(concurrency), values.rate(rate), values.timeout(timeout))
        policy = Policy(values.shared(shared), values.limit(max_delete), dry_run, fail_fast)
        wanted = Wanted(
            tuple(images or ()), files, registry, tuple(protect or ()), connection.default_port, ask_password
        )
        selected = read_inputs(wanted)
        if policy.shared is Shared.DELETE_UNSEEN and selected.protect:
            what = "delete-unseen does not read the tags that protection rests on"
            raise InputError(Problem("--shared", what, "use --shared delete, or remove the protection"))
        return Job(selected.entries, selected.protect, policy), Settings(pacing, connection, policy)

    def run() -> int:
        job, settings = prepare()
        kinds = formats()
        reports = [values.report(text, tuple(kinds)) for text in report or ()]
        if output not in kinds:
            raise InputError(Problem("--output", f"{output[:40]!r} is no format", f"write one of {', '.join(kinds)}"))
        hosts = tuple(dict.fromkeys(entry.host for entry in job.entries))
        login = credentials(
            LoginOptions(username, ask_password, password_stdin, connection.default_port),
            hosts,
            list_from_stdin="-" in files,
        )
        with open_writers(kinds[output], [(kinds[name], path) for name, path in reports]) as writers:
            return anyio.run(perform, Task(job, settings, login, writers, yes, quiet, verbose))

    raise typer.Exit(_guarded(run))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the list file, for editors."""
    typer.echo(json.dumps(list_file_schema(), indent=2))


@app.command()
def demo() -> None:
    """Start an embedded registry, push sample images, delete some from a list, show the result."""
    from bulkrm.cli.demo import run_demo  # noqa: PLC0415 (it alone needs the sandbox)

    raise typer.Exit(_guarded(partial(anyio.run, run_demo)))


def _guarded(run: Callable[[], int]) -> int:
    """Turn bad input into its messages and exit code 2."""
    try:
        return run()
    except InputError as error:
        for problem in error.problems:
            print(f"bulkrm: {problem}", file=sys.stderr)  # noqa: T201 (this is the terminal)
        print("Nothing was attempted.", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
