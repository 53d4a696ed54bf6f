"""The commands, as typer has them. Each loads what it needs when it is called: help and completion answer at once."""

from functools import partial
from typing import Annotated

import typer

from bulkrm import __version__
from bulkrm.cli import read_only
from bulkrm.cli.commands.recovery import resume, undo
from bulkrm.cli.commands.runs import runs
from bulkrm.cli.input_errors import exit_on_input_error
from bulkrm.cli.options import declared as opt
from bulkrm.cli.options import values
from bulkrm.cli.options.configuration import Configuration
from bulkrm.cli.options.layered import LayeredCommand
from bulkrm.cli.options.values import CONFIRM_ABOVE
from bulkrm.model.settings import Connection, Shared, Strategy

_OTHERS = (
    "Other commands: `bulkrm plan` and `bulkrm apply` make a plan and carry it out later; `bulkrm runs` shows what was "
    "recorded, `bulkrm resume` goes on with a run that was killed, `bulkrm undo` puts back what one deleted; `bulkrm demo` "
    "shows a deletion on an embedded registry; `bulkrm check` reads list files and `bulkrm login --check` tries "
    "credentials, without deleting anything; `bulkrm schema` prints the list's schema, `bulkrm completion` a script for "
    "the shell. `bulkrm help COMMAND` shows the options of each."
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


app.add_typer(runs, name="runs")


@app.callback()
def _bulkrm() -> None:
    """Delete container images in bulk from any OCI / Docker v2 registry."""


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (typer's callback)
    if wanted:
        typer.echo(f"bulkrm {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
]


@app.command(epilog=_OTHERS, cls=LayeredCommand)
def delete(
    context: typer.Context,
    images: opt.Images = None,
    from_file: opt.FromFile = None,
    registry: opt.RegistryHost = None,
    username: opt.Username = None,
    ask_password: opt.AskPassword = False,
    password_stdin: opt.PasswordStdin = False,
    password_env: opt.PasswordEnv = None,
    insecure: opt.Insecure = False,
    plain_http: opt.PlainHttp = False,
    ca_file: opt.CaFile = None,
    client_cert: opt.ClientCert = None,
    client_key: opt.ClientKey = None,
    dry_run: opt.DryRun = False,
    yes: opt.Yes = False,
    confirm_above: opt.ConfirmAbove = str(CONFIRM_ABOVE),
    shared: opt.SharedTags = Shared.REFUSE.value,
    allow_decoy: opt.AllowDecoy = False,
    recursive: opt.Recursive = False,
    protect: opt.Protect = None,
    in_use: opt.InUse = None,
    ignore_unreadable: opt.IgnoreUnreadable = None,
    max_delete: opt.MaxDelete = None,
    explain: opt.Explain = None,
    verify: opt.Verify = False,
    fail_fast: opt.FailFast = False,
    strategy: opt.Order = Strategy.AUTO.value,
    concurrency: opt.Concurrency = "auto",
    rate: opt.PerTime = None,
    timeout: opt.Timeout = "60",
    output: opt.Output = "text",
    report: opt.Reports = None,
    show_all: opt.All = False,
    state_dir: opt.StateDir = None,
    config: opt.ConfigFile = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    version: Version = False,  # noqa: ARG001 (handled by its callback)
) -> None:
    """Delete images: plan, ask, delete, report.

    Everything is resolved and judged before the first image goes. A digest that also has a tag which the list does
    not name is kept, unless --shared says otherwise.
    """
    from bulkrm.cli.commands.deletion import delete_images

    run = partial(
        delete_images,
        opt.What(images, from_file, registry, protect, max_delete, ignore_unreadable, in_use, explain),
        opt.Rules(shared, recursive, allow_decoy, verify, fail_fast, strategy),
        opt.Access(
            username,
            ask_password,
            password_stdin,
            Connection(insecure, plain_http, ca_file, client_cert, client_key),
            password_env,
            config or Configuration(),
        ),
        opt.Pace(concurrency, rate, timeout),
        opt.Talk(
            output, report, state_dir, quiet, verbose, yes, context.obj, values.confirm_above(confirm_above), show_all
        ),
        dry_run=dry_run,
    )
    raise typer.Exit(exit_on_input_error(run))


@app.command(cls=LayeredCommand)
def plan(
    context: typer.Context,
    images: opt.Images = None,
    from_file: opt.FromFile = None,
    registry: opt.RegistryHost = None,
    out: opt.Out = None,
    username: opt.Username = None,
    ask_password: opt.AskPassword = False,
    password_stdin: opt.PasswordStdin = False,
    password_env: opt.PasswordEnv = None,
    insecure: opt.Insecure = False,
    plain_http: opt.PlainHttp = False,
    ca_file: opt.CaFile = None,
    client_cert: opt.ClientCert = None,
    client_key: opt.ClientKey = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", hidden=True)] = False,  # noqa: ARG001 (always)
    yes: Annotated[bool, typer.Option("--yes", "-y", hidden=True)] = False,
    confirm_above: Annotated[str, typer.Option("--confirm-above", metavar="N", hidden=True)] = str(CONFIRM_ABOVE),
    shared: opt.SharedTags = Shared.REFUSE.value,
    allow_decoy: opt.AllowDecoy = False,
    recursive: opt.Recursive = False,
    protect: opt.Protect = None,
    in_use: opt.InUse = None,
    ignore_unreadable: opt.IgnoreUnreadable = None,
    max_delete: opt.MaxDelete = None,
    explain: opt.Explain = None,
    verify: opt.Verify = False,
    fail_fast: opt.FailFast = False,
    strategy: opt.Order = Strategy.AUTO.value,
    concurrency: opt.Concurrency = "auto",
    rate: opt.PerTime = None,
    timeout: opt.Timeout = "60",
    output: opt.Output = "text",
    report: opt.Reports = None,
    show_all: opt.All = False,
    state_dir: opt.StateDir = None,
    config: opt.ConfigFile = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Resolve and judge, show what would go and what would stay, and delete nothing.

    --out writes the plan, digests and all: review it, and carry it out with `bulkrm apply FILE`. Two plans of the same
    state are equal byte for byte. The exit code is that of the run.
    """
    from bulkrm.cli.commands.deletion import make_plan

    run = partial(
        make_plan,
        opt.What(images, from_file, registry, protect, max_delete, ignore_unreadable, in_use, explain),
        opt.Rules(shared, recursive, allow_decoy, verify, fail_fast, strategy),
        opt.Access(
            username,
            ask_password,
            password_stdin,
            Connection(insecure, plain_http, ca_file, client_cert, client_key),
            password_env,
            config or Configuration(),
        ),
        opt.Pace(concurrency, rate, timeout),
        opt.Talk(
            output, report, state_dir, quiet, verbose, yes, context.obj, values.confirm_above(confirm_above), show_all
        ),
        out=out,
    )
    raise typer.Exit(exit_on_input_error(run))


@app.command(cls=LayeredCommand)
def apply(
    context: typer.Context,
    plan_files: opt.PlanFiles,
    username: opt.Username = None,
    ask_password: opt.AskPassword = False,
    password_stdin: opt.PasswordStdin = False,
    password_env: opt.PasswordEnv = None,
    insecure: opt.Insecure = False,
    plain_http: opt.PlainHttp = False,
    ca_file: opt.CaFile = None,
    client_cert: opt.ClientCert = None,
    client_key: opt.ClientKey = None,
    dry_run: opt.DryRun = False,
    yes: opt.Yes = False,
    confirm_above: opt.ConfirmAbove = str(CONFIRM_ABOVE),
    protect: opt.Protect = None,
    in_use: opt.InUse = None,
    max_delete: opt.MaxDelete = None,
    concurrency: opt.Concurrency = "auto",
    rate: opt.PerTime = None,
    timeout: opt.Timeout = "60",
    output: opt.Output = "text",
    report: opt.Reports = None,
    show_all: opt.All = False,
    state_dir: opt.StateDir = None,
    config: opt.ConfigFile = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Delete what both a saved plan and a fresh judgement would delete, and nothing else.

    Everything is read and judged again under the list, the options and the protection that the plan records; what
    moved, got another tag or is needed by now is kept. Hosts, credentials and TLS options are given again.
    """
    from bulkrm.cli.commands.deletion import apply_plan

    run = partial(
        apply_plan,
        plan_files,
        opt.What(None, None, None, protect, max_delete, in_use=in_use),
        opt.Access(
            username,
            ask_password,
            password_stdin,
            Connection(insecure, plain_http, ca_file, client_cert, client_key),
            password_env,
            config or Configuration(),
        ),
        opt.Pace(concurrency, rate, timeout),
        opt.Talk(
            output, report, state_dir, quiet, verbose, yes, context.obj, values.confirm_above(confirm_above), show_all
        ),
        dry_run=dry_run,
    )
    raise typer.Exit(exit_on_input_error(run))


app.command(cls=LayeredCommand)(resume)
app.command(cls=LayeredCommand)(undo)


app.command(name="check")(read_only.check)
app.command(name="login", cls=LayeredCommand)(read_only.login)
app.command(name="schema")(read_only.schema)
app.command(name="completion")(read_only.completion)
app.command(name="help")(read_only.show_help)


@app.command()
def demo() -> None:
    """Start an embedded registry, push sample images, delete some from a list, show the result."""
    import anyio

    from bulkrm.cli.commands.demo import run_demo

    raise typer.Exit(exit_on_input_error(partial(anyio.run, run_demo)))
