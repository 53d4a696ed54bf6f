"""The commands for runs that were recorded, as typer has them: `resume` and `undo`."""

from functools import partial
from typing import Annotated

import typer

from bulkrm.cli.input_errors import exit_on_input_error
from bulkrm.cli.options import declared as opt
from bulkrm.cli.options import values
from bulkrm.cli.options.configuration import Configuration
from bulkrm.cli.options.values import CONFIRM_ABOVE
from bulkrm.model.settings import Connection


def resume(
    context: typer.Context,
    run: opt.RunName = None,
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
    """Go on with a run that was killed or interrupted, and report all of it.

    What is done is not asked again. What was under way is looked at; the rest is judged again before it goes. A run that
    was killed before its plan was complete plans again. Hosts, credentials and TLS options are given again.
    """
    from bulkrm.cli.commands.resume import resume_run

    work = partial(
        resume_run,
        run,
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
    raise typer.Exit(exit_on_input_error(work))


def undo(
    context: typer.Context,
    what: opt.UndoWhat = None,
    username: opt.Username = None,
    ask_password: opt.AskPassword = False,
    password_stdin: opt.PasswordStdin = False,
    password_env: opt.PasswordEnv = None,
    insecure: opt.Insecure = False,
    plain_http: opt.PlainHttp = False,
    ca_file: opt.CaFile = None,
    client_cert: opt.ClientCert = None,
    client_key: opt.ClientKey = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would be put back.")] = False,
    yes: opt.Yes = False,
    force: opt.Force = False,
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
    """Put back what a run deleted, as long as the registry has not collected its garbage.

    Children first, then what names them, then the tags; each is looked at afterwards. A tag that leads to something
    else by now is left alone. `undo RUN` may be repeated: what is there already stays as it is.
    """
    from bulkrm.cli.commands.undo import undo_run

    run = partial(
        undo_run,
        what or [],
        opt.Access(
            username,
            ask_password,
            password_stdin,
            Connection(insecure, plain_http, ca_file, client_cert, client_key),
            password_env,
            config or Configuration(),
        ),
        opt.Pace(concurrency, rate, timeout),
        opt.Talk(output, report, state_dir, quiet, verbose, yes, context.obj, all=show_all),
        force=force,
        dry_run=dry_run,
    )
    raise typer.Exit(exit_on_input_error(run))
