"""`bulkrm undo`: what a run deleted is put back from its folder."""

import os
import re
from collections.abc import Sequence
from functools import partial

import anyio

from bulkrm.api.client import Client
from bulkrm.api.undoable import UndoableRun, undoable_run
from bulkrm.cli.inputs import Arguments
from bulkrm.cli.options.declared import ConsentOptions, OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.cli.terminal.question import Question
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.result.report import Report
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.image_list import ImageList
from bulkrm.state.location import state_dir

_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z(-[0-9a-f]{0,6})?")


def undo_run(
    what: Sequence[str],
    safety: ConsentOptions,
    sign_in: SignInOptions,
    pace: PaceOptions,
    output: OutputOptions,
    *,
    force: bool,
) -> int:
    """Put back what a run deleted, or the images of it that are named. Returns the exit code; raises InputError."""
    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    root = state_dir(output.state_dir, os.environ)
    named = bool(what and _RUN.fullmatch(what[0]))
    images = _images(what[1:] if named else what, sign_in)
    with undoable_run(root, what[0] if named else None, images, dry_run=safety.dry_run) as run:
        settings = settings_of(sign_in, pace, run.hosts)
        with writers_of(output, files_of(sign_in, [run.path])) as writers:
            refuse_unusable_connections(run.hosts, settings)
            login = login_of(sign_in, run.hosts, output.streams, list_from_stdin=False)
            task = Task(
                run.hosts,
                settings,
                login,
                writers,
                output,
                consent=safety,
                about=f"undoing run {run.id}" if run.losses else f"run {run.id} took nothing away",
                unrecorded="what is back could not be noted, so `bulkrm undo` will look at this run again",
            )
            return anyio.run(perform, task, partial(_undo, run, force=force))


async def _undo(run: UndoableRun, client: Client, question: Question, *, force: bool) -> Report:
    return await client.undo(run, force=force, confirm=question.before_undo)


def _images(images: Sequence[str], sign_in: SignInOptions) -> ImageList:
    problems: list[Problem] = []
    arguments = Arguments(images, None, sign_in.connection.default_port, hidden=sign_in.ask_password)
    entries = tuple(arguments.read(problems, _explained))
    if problems:
        raise InputError(*problems)
    return ImageList(entries, default_port=sign_in.connection.default_port)


def _explained(text: str, where: str, problem: Problem) -> Problem:
    if any(mark in text for mark in "/:@"):
        return Problem(where, problem.what, problem.remedy)
    return Problem(where, f"{text!r} is no image, and no run is called so", "`bulkrm runs` lists the runs")
