"""The commands and their help, for typer. Each imports its work when it is called, so that help and completion are fast."""

from pathlib import Path
from typing import Annotated

import typer

from bulkrm import __version__
from bulkrm.cli.commands import read_only
from bulkrm.cli.commands.runs import runs
from bulkrm.cli.options.command import command
from bulkrm.cli.options.declared import (
    OUTPUT,
    ConfirmationOptions,
    ConsentOptions,
    ImageOptions,
    OutputOptions,
    PaceOptions,
    ProtectionOptions,
    SafetyOptions,
    SignInOptions,
    path,
)
from bulkrm.cli.options.rule import COMMAND_LINE, NO_SETTING, Example
from bulkrm.cli.terminal.console import show

# No option of its own, not even --help: `main` puts a command word before everything.
app = typer.Typer(
    add_completion=False,
    add_help_option=False,
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
        raise typer.Exit(0 if show(f"bulkrm {__version__}") else 1)


Version = Annotated[
    bool,
    typer.Option(
        "--version", "-V", callback=_show_version, is_eager=True, help="Show the version.", rich_help_panel=OUTPUT
    ),
    NO_SETTING,
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", parser=path, metavar="FILE", help="Write the plan, for `bulkrm apply FILE`.", rich_help_panel=OUTPUT
    ),
]
PlanFiles = Annotated[list[str], typer.Argument(metavar="FILE", help="A plan that `bulkrm plan --out` wrote.")]
RunName = Annotated[str | None, typer.Argument(metavar="RUN", help="Default: the latest that is unfinished.")]
RunAndImages = Annotated[
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


@command(
    app,
    epilog="`bulkrm help COMMAND` shows the options of a command, `bulkrm help` lists the pages of the manual. `bulkrm demo` needs no registry of yours, `bulkrm schema` "
    "prints what a list may say. Variables such as BULKRM_MAX_DELETE and the configuration file set defaults.",
    examples=(
        Example("See what would go", "bulkrm -n 'registry.example.com/team/app:pr-*'"),
        Example("Delete what a list names, and keep a report", "bulkrm -f images.yaml --report json=report.json"),
        Example(
            "Plan now, have it reviewed, carry it out later",
            """
            bulkrm plan -f images.yaml --out plan.json
            bulkrm apply plan.json
            """,
        ),
    ),
)
def delete(
    image_options: ImageOptions,
    safety: SafetyOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    version: Version = False,  # noqa: ARG001 (handled by its callback)
) -> int:
    """Delete images: plan, ask, delete, report.

    Everything is resolved and judged before the first image goes. A digest that also has a tag which the list does
    not name is kept, unless --shared says otherwise. The word `delete` may be left out.
    """
    from bulkrm.cli.commands.deletion import delete_images

    return delete_images(image_options, safety, sign_in, pace, output)


@command(
    app,
    hidden=("dry_run", "yes", "confirm_above"),
    examples=(
        Example("See what would go, and why one image stays", "bulkrm plan -f images.yaml --explain host/app:1.0"),
        Example("Write the plan", "bulkrm plan -f images.yaml --out plan.json"),
    ),
)
def plan(
    image_options: ImageOptions,
    safety: SafetyOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    out: Out = None,
) -> int:
    """Show what would go and what would stay, and delete nothing.

    --out writes the plan, digests and all: review it, and carry it out with `bulkrm apply FILE`. Two plans of the same
    state are equal byte for byte. The exit code is that of the run.
    """
    from bulkrm.cli.commands.deletion import make_plan

    return make_plan(image_options, safety, sign_in, pace, output, out=out)


@command(
    app,
    examples=(
        Example("See what is left of a plan", "bulkrm apply -n plan.json"),
        Example("Carry it out in a pipeline", "bulkrm apply plan.json --yes --max-delete 500"),
    ),
)
def apply(
    plan_files: PlanFiles, safety: ProtectionOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """Delete what both a saved plan and a fresh judgement would.

    Everything is read and judged again under the list, the options and the protection that the plan records; what
    moved, got another tag or is needed by now is kept. Hosts, credentials and TLS options are given again.
    """
    from bulkrm.cli.commands.deletion import apply_plan

    return apply_plan(plan_files, safety, sign_in, pace, output)


@command(
    app,
    examples=(
        Example("Go on with the latest unfinished run", "bulkrm resume"),
        Example("Go on with a run that `bulkrm runs` lists", "bulkrm resume 20260131T120000Z-1a2b3c"),
    ),
)
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


@command(
    app,
    examples=(
        Example("Put back all that the latest run deleted", "bulkrm undo"),
        Example("Put back some images of a run", "bulkrm undo 20260131T120000Z-1a2b3c 'host/team/app:pr-*'"),
    ),
)
def undo(
    safety: ConsentOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    run_and_images: RunAndImages = None,
    force: Force = False,
) -> int:
    """Put back what a run deleted.

    This works as long as the registry has not collected its garbage. Children are pushed first, then the manifests that
    name them, then the tags; each is read back. A tag that leads to something else by now is left alone. `undo RUN` may be
    repeated: images that are there already stay as they are.
    """
    from bulkrm.cli.commands.recorded_runs import undo_run

    return undo_run(run_and_images or [], safety, sign_in, pace, output, force=force)


command(app, examples=(Example("Check all lists before a merge", "bulkrm check 'lists/*.yaml'"),))(read_only.check)
command(
    app,
    examples=(
        Example("See whose password is used for a repository", "bulkrm login --check registry.example.com/team/app"),
    ),
)(read_only.login)
command(app, examples=(Example("Try it without a registry of your own", "bulkrm demo"),))(read_only.demo)
command(app, examples=(Example("Let an editor check your list", "bulkrm schema > bulkrm.schema.json"),))(
    read_only.schema
)
command(app, examples=(Example("Complete in bash, in ~/.bashrc", 'eval "$(bulkrm completion bash)"'),))(
    read_only.completion
)
command(
    app,
    name="help",
    examples=(
        Example("Read what protects you from mistakes", "bulkrm help safety"),
        Example("Show the options of `bulkrm undo`", "bulkrm help undo"),
    ),
)(read_only.show_help)
