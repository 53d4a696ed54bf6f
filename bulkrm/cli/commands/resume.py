"""`bulkrm resume`: continues an interrupted run from its folder."""

import os
from functools import partial

import anyio

from bulkrm.api.client import Client
from bulkrm.api.resumable import ResumableRun, resumable_run
from bulkrm.cli.options.declared import ConfirmationOptions, OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.runs.summary import of_record
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.cli.terminal.question import Question
from bulkrm.model.result.report import Report
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.state.known import KnownRun
from bulkrm.state.location import state_dir


def resume_run(
    name: str | None, safety: ConfirmationOptions, sign_in: SignInOptions, pace: PaceOptions, output: OutputOptions
) -> int:
    """Go on with a run. Returns the exit code; raises InputError before anything was attempted."""
    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    root, port = state_dir(output.state_dir, os.environ), sign_in.connection.default_port
    with resumable_run(root, name, dry_run=safety.dry_run, default_port=port) as run:
        settings = settings_of(sign_in, pace, run.hosts)
        with writers_of(output, files_of(sign_in, [run.path])) as writers:
            refuse_unusable_connections(run.hosts, settings)
            login = login_of(sign_in, run.hosts, output.streams, list_from_stdin=False)
            before = of_record(KnownRun(run.path)).so_far
            task = Task(
                run.hosts,
                settings,
                login,
                writers,
                output,
                consent=safety,
                state_dir=None if safety.dry_run else root,
                recursive=run.job.policy.recursive,
                about=f"going on with run {run.id}" + (f" ({before})" if before else ""),
                resumable=not safety.dry_run,
            )
            return anyio.run(perform, task, partial(_resume, run))


async def _resume(run: ResumableRun, client: Client, question: Question) -> Report:
    return await client.resume(run, confirm=question)
