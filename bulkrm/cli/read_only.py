"""The commands that change nothing, as typer has them: `check`, `completion`, `help`, `login` and `schema`."""

import json
from functools import partial
from typing import Annotated, Any

import typer

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.input_errors import exit_on_input_error
from bulkrm.cli.options import declared as opt
from bulkrm.cli.options.configuration import Configuration
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Connection

ListFiles = Annotated[list[str], typer.Argument(metavar="FILE", help="List files, or globs of them; - is stdin.")]
Shell = Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]
Topic = Annotated[str | None, typer.Argument(metavar="[COMMAND]", help="Which command; default: delete.")]
Target = Annotated[str, typer.Argument(metavar="HOST[/REPOSITORY]", help="A registry, or a repository of it.")]
Check = Annotated[bool, typer.Option("--check", help="Show which credentials would be used, and try them.")]


def check(files: ListFiles) -> None:
    """Read list files and say what is wrong with them. Sends nothing."""
    from bulkrm.cli.commands.check_lists import check_lists

    raise typer.Exit(exit_on_input_error(partial(check_lists, files)))


def completion(shell: Shell) -> None:
    """Print a script that completes bulkrm's commands, options and values.

    bash: `eval "$(bulkrm completion bash)"` in ~/.bashrc. zsh: the same with zsh, after compinit, in ~/.zshrc. fish:
    `bulkrm completion fish > ~/.config/fish/completions/bulkrm.fish`.
    """
    from bulkrm.cli.completion_scripts import script_of
    from bulkrm.cli.terminal.console import show_lines

    raise typer.Exit(exit_on_input_error(lambda: 0 if show_lines(script_of(shell).split("\n")) else 1))


def show_help(context: typer.Context, topic: Topic = None) -> None:
    """Show the help of a command."""
    from bulkrm.cli.terminal.console import show_lines

    root: Any = context.find_root().command

    def shown() -> int:
        command = root.get_command(context, topic or "delete")
        if command is None:
            raise InputError(Problem("help", f"there is no command {topic!r}", f"there are {', '.join(COMMANDS)}"))
        with command.make_context(command.name, ["-h"], parent=context.parent, resilient_parsing=True) as found:
            return 0 if show_lines(command.get_help(found).split("\n")) else 1

    raise typer.Exit(exit_on_input_error(shown))


def login(
    context: typer.Context,
    target: Target,
    check: Check = False,
    username: opt.Username = None,
    ask_password: opt.AskPassword = False,
    password_stdin: opt.PasswordStdin = False,
    password_env: opt.PasswordEnv = None,
    insecure: opt.Insecure = False,
    plain_http: opt.PlainHttp = False,
    ca_file: opt.CaFile = None,
    client_cert: opt.ClientCert = None,
    client_key: opt.ClientKey = None,
    timeout: opt.Timeout = "60",
    config: opt.ConfigFile = None,
    verbose: opt.Verbose = False,
) -> None:
    """Show which credentials would be used for a registry or a repository, and whether they work; never the secret.

    Nothing is stored: `docker login`, `podman login` and the like do that, and bulkrm uses what they stored. The exit
    code is 0 where the registry takes the credentials, and 1 where it does not.
    """
    from bulkrm.cli.commands.check_login import check_login

    def checked() -> int:
        if not check:
            remedy = "`docker login` or `podman login` does; --check shows what bulkrm would use"
            raise InputError(Problem("login", "bulkrm stores no passwords", remedy))
        connection = Connection(insecure, plain_http, ca_file, client_cert, client_key)
        configuration = config or Configuration()
        access = opt.Access(username, ask_password, password_stdin, connection, password_env, configuration)
        return check_login(target, access, opt.Pace("auto", None, timeout), context.obj, verbose=verbose)

    raise typer.Exit(exit_on_input_error(checked))


def schema() -> None:
    """Print the JSON Schema of the list file, for editors."""
    from bulkrm.selection.listfile.schema import list_file_schema

    typer.echo(json.dumps(list_file_schema(), indent=2))
