"""The undo of one recorded run, up to its report: opens the registries, restores what the run deleted, records the end."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bulkrm import __version__
from bulkrm.api.run_setup import RunSetup
from bulkrm.api.undoable import UndoableRun
from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.undo_recorder import UndoRecording
from bulkrm.engine.recover.undo import Undo
from bulkrm.model.result.report import Report, RunInfo
from bulkrm.state.errors import StateError

ConfirmUndo = Callable[[UndoableRun], Awaitable[bool]]


async def put_back(run: UndoableRun, setup: RunSetup, confirm: ConfirmUndo | None, *, force: bool) -> Report:
    """Undo a run. The report has no images where `confirm` returned False.

    `force`: also put back tags that hold another manifest by now. Raises InputError before anything was attempted, and
    InternalError, with the complete report, where a bug stopped the undo.
    """
    credentials = await setup.credentials_for(run.hosts)
    started, begin = datetime.now(UTC), setup.clock.monotonic()
    async with setup.registries_of_run(run.id, credentials) as registries:
        recording = UndoRecording(run.folder) if run.folder is not None and run.losses else None
        context = RunContext(setup.tell, setup.stop, setup.clock)
        dry_run = run.folder is None
        undo = Undo(Gateway(registries), context, force=force, dry_run=dry_run, recording=recording)
        asked = setup.clock.monotonic()
        agreed = confirm is None or recording is None or await setup.agreed(confirm(run))
        begin += setup.clock.monotonic() - asked  # the time until the answer does not count as time of the undo
        results = await undo.restore(run.losses) if agreed else ()
        info = RunInfo(run.id, started, setup.clock.monotonic() - begin, dry_run, __version__)
        report = Report(info, results, registries.requests)
    if recording is not None and results:
        report = report.with_unrecorded(_close(recording, of_everything=run.of_everything))
    return setup.ended(report)


def _close(recording: UndoRecording, *, of_everything: bool) -> str | None:
    """Record how far the run was undone; return what went wrong."""
    try:
        recording.end(of_everything=of_everything)
    except StateError as error:
        return error.what
    return None
