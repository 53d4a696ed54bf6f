"""The commands that change nothing, and their help, for typer: `check`, `completion`, `demo`, `help`, `login`, `schema`."""

import json
from collections import Counter
from typing import Annotated

import typer

from bulkrm.cli.options.declared import ImageOptions, PaceOptions, SafetyOptions, SignInOptions, Timeout, Verbose
from bulkrm.cli.options.rule import NO_SETTING
from bulkrm.cli.process import ProcessContext
from bulkrm.model.errors import InputError, Problem

ListFiles = Annotated[
    list[str], typer.Argument(metavar="FILE", help="A list, or a glob of lists; - is standard input.")
]
Shell = Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]
Topic = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TOPIC]", help="A page of the manual, or a command; default: the list of the pages."),
]
Target = Annotated[str, typer.Argument(metavar="HOST[/REPOSITORY]", help="A registry, or a repository of it.")]
Check = Annotated[
    bool,
    typer.Option(
        "--check", help="Show which credentials would be used, and try them.", rich_help_panel=ImageOptions.panel
    ),
    NO_SETTING,
]


def check(files: ListFiles) -> int:
    """Read list files and say what is wrong with them.

    Nothing is sent.
    """
    from bulkrm.cli.inputs import read_images
    from bulkrm.cli.terminal.console import show
    from bulkrm.model.text.layout import counted

    images, _ = read_images(ImageOptions(files=files), SafetyOptions(), SignInOptions())
    counts = Counter(entry.source.name for entry in images.entries if entry.source)
    lines = [f"{name}: {counted(count, 'entry', 'entries')}" for name, count in counts.items()]
    if images.protect:
        lines.append(f"protected: {', '.join(map(str, images.protect))}")
    return 0 if all(show(line) for line in lines) else 1


def completion(shell: Shell) -> int:
    """Print the completion script of a shell.

    bash: `eval "$(bulkrm completion bash)"` in ~/.bashrc. zsh: the same with zsh, after compinit, in ~/.zshrc. fish:
    `bulkrm completion fish > ~/.config/fish/completions/bulkrm.fish`.
    """
    from bulkrm.cli.completion_scripts import script_of
    from bulkrm.cli.terminal.console import show_lines

    return 0 if show_lines(script_of(shell).split("\n")) else 1


def show_help(context: typer.Context, topic: Topic = None) -> int:
    """Show a page of the manual, or the help of a command.

    Without a topic the pages are listed. On a terminal a page is formatted, and shown by the pager (PAGER) if it is longer
    than the screen. In a pipe it is its source text, Markdown.
    """
    from bulkrm.cli.manual.topics import show_topic
    from bulkrm.cli.terminal.streams import Stream

    process: ProcessContext = context.obj
    return 0 if show_topic(topic or (), context, is_terminal=process.streams.stdout is Stream.TERMINAL) else 1


def login(
    context: typer.Context,
    target: Target,
    sign_in: SignInOptions,
    check: Check = False,
    timeout: Timeout = "60",
    verbose: Verbose = False,
) -> int:
    """Show which credentials would be used, and try them.

    The secret is never shown. Nothing is stored: `docker login`, `podman login` and the like do that, and bulkrm uses what
    they stored. The exit code is 0 where the registry takes the credentials, and 1 where it does not.
    """
    from bulkrm.cli.commands.check_login import check_login

    if not check:
        remedy = "`docker login` or `podman login` does; --check shows what bulkrm would use"
        raise InputError(Problem("login", "bulkrm stores no passwords", remedy))
    process: ProcessContext = context.obj
    return check_login(target, sign_in, PaceOptions(timeout=timeout), process, verbose=verbose)


def schema() -> int:
    """Print the JSON Schema of the list file, for editors."""
    from bulkrm.cli.terminal.console import show_lines
    from bulkrm.selection.listfile.schema import list_file_schema

    return 0 if show_lines(json.dumps(list_file_schema(), indent=2).split("\n")) else 1


def demo() -> int:
    """Show a deletion on an embedded registry.

    It starts the registry on loopback, pushes sample images, deletes some from a list, and shows what is left.
    """
    import anyio

    from bulkrm.cli.commands.demo import run_demo

    return anyio.run(run_demo)
