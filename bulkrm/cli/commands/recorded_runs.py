"""`bulkrm resume` continues an interrupted run from its record, and `bulkrm undo` puts back what a run deleted."""

import os
import re
from collections.abc import Sequence

from bulkrm.api.client import Client
from bulkrm.api.resumable import resumable_run
from bulkrm.api.undoable import undoable_run
from bulkrm.cli.client_run import ClientRun
from bulkrm.cli.inputs import Arguments
from bulkrm.cli.options.declared import ConfirmationOptions, ConsentOptions, OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.runs.summary import so_far
from bulkrm.cli.state_dir import state_dir
from bulkrm.cli.terminal.question import Question
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.result.report import Report
from bulkrm.selection.image_list import ImageList

_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z(-[0-9a-f]{0,6})?")


def resume_run(
    name: str | None, safety: ConfirmationOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """Continue a run. Returns the exit code; raises InputError before anything was attempted."""
    output.process.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    root, port = state_dir(output.state_dir, os.environ), sign_in.connection.default_port
    with resumable_run(root, name, dry_run=safety.dry_run, default_port=port) as run:
        before = so_far(run.path)
        about = f"going on with run {run.id}" + (f" ({before})" if before else "")

        async def resume(client: Client, question: Question) -> Report:
            return await client.resume(run, confirm=question)

        policy, read = run.job.policy, [run.path]
        return ClientRun(resume, run.hosts, policy, safety, sign_in, pace, output, read=read, about=about).run()


def undo_run(
    run_and_images: Sequence[str],
    safety: ConsentOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    *,
    force: bool,
) -> int:
    """Put back what a run deleted, or the images of it that are named. Returns the exit code; raises InputError."""
    output.process.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    root = state_dir(output.state_dir, os.environ)
    name = run_and_images[0] if run_and_images and _RUN.fullmatch(run_and_images[0]) else None
    images = _read_images(run_and_images if name is None else run_and_images[1:], sign_in)
    with undoable_run(root, name, images, dry_run=safety.dry_run) as run:
        about = f"undoing run {run.id}" if run.losses else f"run {run.id} deleted nothing that can be put back"
        unrecorded = (
            "the end of the undo could not be recorded, so `bulkrm undo` will check the images of this run again"
        )

        async def undo(client: Client, question: Question) -> Report:
            return await client.undo(run, force=force, confirm=question.confirm_undo)

        client_run = ClientRun(
            undo, run.hosts, None, safety, sign_in, pace, output, read=[run.path], about=about, unrecorded=unrecorded
        )
        return client_run.run()


def _read_images(images: Sequence[str], sign_in: SignInOptions) -> ImageList:
    problems: list[Problem] = []
    arguments = Arguments(images, None, sign_in.connection.default_port, hidden=sign_in.ask_password)
    entries = tuple(arguments.read(problems, _explained))
    if problems:
        raise InputError(*problems)
    return ImageList(entries, default_port=sign_in.connection.default_port)


def _explained(text: str, where: str, problem: Problem) -> Problem:
    """Return the message for an argument that is neither a run nor an image."""
    if any(mark in text for mark in "/:@"):
        return Problem(where, problem.what, problem.remedy)
    return Problem(where, f"{text!r} is no image, and no run is called so", "`bulkrm runs` lists the runs")
