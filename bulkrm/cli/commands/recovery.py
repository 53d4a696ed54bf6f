"""The commands `resume` and `undo` of recorded runs, and their help, for typer."""

from typing import Annotated

import typer

from bulkrm.cli.options.declared import ConfirmationOptions, ConsentOptions, OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.options.rule import COMMAND_LINE

RunName = Annotated[str | None, typer.Argument(metavar="RUN", help="Default: the latest that is unfinished.")]
UndoWhat = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN] [IMAGE]...",
        help="A run, and images or globs of it; default: all of the latest run that is not undone.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Also put back tags that lead to something else by now.", rich_help_panel=ConsentOptions.panel
    ),
    COMMAND_LINE,
]


def resume(
    safety: ConfirmationOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions, run: RunName = None
) -> int:
    """Go on with a run that was interrupted, and report all of it.

    Finished images are not asked for again. Requests that were in flight are looked up; the rest is judged again before it
    is deleted. A run that was killed before its plan was complete plans again. Hosts, credentials and TLS options are given
    again.
    """
    from bulkrm.cli.commands.recorded_runs import resume_run

    return resume_run(run, safety, sign_in, pace, output)


def undo(
    safety: ConsentOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    what: UndoWhat = None,
    force: Force = False,
) -> int:
    """Put back what a run deleted.

    This works as long as the registry has not collected its garbage. Children are pushed first, then the manifests that
    name them, then the tags; each is read back. A tag that leads to something else by now is left alone. `undo RUN` may be
    repeated: images that are there already stay as they are.
    """
    from bulkrm.cli.commands.recorded_runs import undo_run

    return undo_run(what or [], safety, sign_in, pace, output, force=force)
