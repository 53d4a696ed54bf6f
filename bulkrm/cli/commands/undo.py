"""`bulkrm undo`: what a run deleted is put back from its folder."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import anyio

from bulkrm import __version__
from bulkrm.cli.commands.run_choice import run_named
from bulkrm.cli.inputs import Arguments
from bulkrm.cli.options.declared import Consent, Output, Pace, SignIn
from bulkrm.cli.origins import origins
from bulkrm.cli.perform import signals
from bulkrm.cli.run_folder import opened, readable
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.cli.terminal.console import complain
from bulkrm.cli.terminal.progress import Display, EventOutput, display
from bulkrm.cli.terminal.question import agreed
from bulkrm.cli.terminal.report_output import deliver, failed, raise_bug
from bulkrm.cli.terminal.writers import Writer, begin_all
from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.noting import noting
from bulkrm.engine.record.undo_recorder import UndoRecording
from bulkrm.engine.recover.undo import Loss, Undo
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.manifest import children
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.report import Report, RunInfo
from bulkrm.model.settings import Settings
from bulkrm.model.target import Target
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.registries import Listening, open_registries, refuse_unusable_connections
from bulkrm.remote.request_events import tracing
from bulkrm.selection.entry import Entry
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import RepositoryPattern
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.losses import losses
from bulkrm.state.known import KnownRun, known_runs
from bulkrm.state.location import state_dir

_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z(-[0-9a-f]{0,6})?")


@dataclass(frozen=True, slots=True)
class _Task:
    """Everything an undo needs that the command line knows."""

    run: str
    losses: tuple[Loss, ...]
    settings: Settings
    credentials: Credentials
    writers: Sequence[Writer]
    output: Output
    yes: bool
    force: bool
    folder: RunFolder | None  # None: a dry run, of which nothing is recorded
    of_everything: bool

    @property
    def dry_run(self) -> bool:
        """Tell whether it is only shown what would be put back."""
        return self.folder is None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries that something is put back into."""
        return tuple(dict.fromkeys(loss.repository.host for loss in self.losses))


def undo_run(what: Sequence[str], safety: Consent, sign_in: SignIn, pace: Pace, output: Output, *, force: bool) -> int:
    """Put back what a run deleted, or the images of it that are named. Returns the exit code; raises InputError."""
    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    root = state_dir(output.state_dir, os.environ)
    named = bool(what and _RUN.fullmatch(what[0]))
    entries = _entries(what[1:] if named else what, sign_in)
    run = run_named(root, what[0]) if named else _latest(root)
    with opened(root, run.id, dry_run=safety.dry_run) as folder:
        with readable(run):
            run.check()
        found = _losses(run)
        _refuse_strangers(root, run, found, entries)
        chosen = tuple(_chosen(found, entries))
        hosts = tuple(dict.fromkeys(loss.repository.host for loss in chosen))
        settings = settings_of(sign_in, pace, hosts)
        with writers_of(output, files_of(sign_in, [run.path])) as writers:
            refuse_unusable_connections(hosts, settings)
            login = login_of(sign_in, hosts, output.streams, list_from_stdin=False)
            task = _Task(
                run.id, chosen, settings, login, writers, output, safety.yes, force, folder, of_everything=not entries
            )
            return anyio.run(_perform, task)


def _end(recording: UndoRecording, code: int, *, of_everything: bool) -> int:
    """Write down how far the run was taken back; return the exit code."""
    try:
        recording.end(of_everything=of_everything)
    except StateError as error:
        complain(f"what is back could not be noted, so `bulkrm undo` will look at this run again: {error.what}")
        return failed(code)
    return code


def _latest(root: Path) -> KnownRun:
    """Return the latest run that took something away and was not undone. Raises InputError."""
    for run in reversed(known_runs(root)):
        with readable(run):
            is_undone = run.is_undone
        if not is_undone and _losses(run):
            return run
    raise InputError(Problem("", f"there is no run to undo in {root}", "name one; `bulkrm runs` lists them"))


def _refuse_strangers(root: Path, run: KnownRun, found: Sequence[Loss], entries: Sequence[Entry]) -> None:
    """Refuse what the run did not take away, and name the run that did. Raises InputError."""
    strange = [entry for entry in entries if not any(_is_named(entry, loss) for loss in found)]
    if not strange:
        return
    problems = []
    for entry in strange:
        other = next((earlier for earlier in reversed(known_runs(root)) if _took(earlier, entry)), None)
        remedy = f"run {other.id} did: name it first" if other else f"`bulkrm runs show {run.id}` tells what it did"
        problems.append(Problem(str(entry.source), f"run {run.id} took no {_text(entry)} away", remedy))
    raise InputError(*problems)


def _took(run: KnownRun, entry: Entry) -> bool:
    try:
        return any(_is_named(entry, loss) for loss in _losses(run))
    except InputError:  # its record is damaged
        return False


def _is_named(entry: Entry, loss: Loss) -> bool:
    return any(_names(entry, loss, tag) for tag in (None, *loss.tags))


def _text(entry: Entry) -> str:
    return str(entry.reference) if isinstance(entry, Target) else entry.text


def _losses(run: KnownRun) -> list[Loss]:
    with readable(run):
        return [
            Loss(lost.repository, lost.manifest, tuple(lost.tags), frozenset(lost.decoys)) for lost in losses(run.path)
        ]


def _entries(images: Sequence[str], sign_in: SignIn) -> list[Entry]:
    problems: list[Problem] = []
    arguments = Arguments(images, None, sign_in.connection.default_port, hidden=sign_in.ask_password)
    entries = list(arguments.read(problems, _explained))
    if problems:
        raise InputError(*problems)
    return entries


def _explained(text: str, where: str, problem: Problem) -> Problem:
    if any(mark in text for mark in "/:@"):
        return Problem(where, problem.what, problem.remedy)
    return Problem(where, f"{text!r} is no image, and no run is called so", "`bulkrm runs` lists the runs")


def _chosen(found: Sequence[Loss], entries: Sequence[Entry]) -> list[Loss]:
    """Return what the entries name, as a whole where they name a digest, else only the tags; all if there are none."""
    if not entries:
        return list(found)
    known = {loss.key: loss for loss in found}
    chosen: dict[tuple[Repository, Digest], Loss] = {}
    for loss in found:
        tags = tuple(tag for tag in loss.tags if any(_names(entry, loss, tag) for entry in entries))
        whole = any(_names(entry, loss, None) for entry in entries)
        if whole or tags:
            chosen[loss.key] = replace(loss, tags=loss.tags if whole else tags)
    todo = list(chosen.values())
    while todo:
        # What an index names has to be there before it; without its tags, which nobody named.
        loss = todo.pop()
        for digest in children(loss.manifest.media_type, loss.manifest.content).manifests:
            key = loss.repository, digest
            if key in known and key not in chosen:
                chosen[key] = replace(known[key], tags=())
                todo.append(chosen[key])
    return list(chosen.values())


def _names(entry: Entry, loss: Loss, tag: str | None) -> bool:
    if isinstance(entry, Glob):
        place = entry.repository
        fits = place.matches(loss.repository.path) if isinstance(place, RepositoryPattern) else place == loss.repository
        return fits and entry.host == loss.repository.host and tag is not None and entry.tags.matches(tag)
    return isinstance(entry, Target) and _is_target(entry, loss, tag)


def _is_target(entry: Target, loss: Loss, tag: str | None) -> bool:
    reference = entry.reference
    if reference.repository != loss.repository:
        return False
    return reference.tag == tag if isinstance(reference, TagRef) else tag is None and reference.digest == loss.key[1]


async def _perform(task: _Task) -> int:
    stop, clock = Stop(), SystemClock()
    started, begin = datetime.now(UTC), clock.monotonic()
    shown = display(task.output.streams, task.writers[0].format, quiet=task.output.quiet)
    tell = EventOutput(shown, task.writers, verbose=task.output.verbose)
    connected = open_registries(task.settings, task.credentials, clock, Listening(tell, tracing(tell)))
    async with connected as registries, signals(stop, shown):
        begin_all(task.writers)
        with shown:
            shown.say(f"undoing run {task.run}" if task.losses else f"run {task.run} took nothing away")
            for line in origins(task.hosts, task.credentials, task.settings) if task.output.verbose else ():
                shown.say(line)
            recording = UndoRecording(task.folder) if task.folder and task.losses else None
            context = RunContext(noting(recording.outcome, tell) if recording else tell, stop, clock)
            undo = Undo(Gateway(registries), context, force=task.force, dry_run=task.dry_run, recording=recording)
            results = await undo.perform(task.losses) if await _agreed(task, shown, stop) else ()
            for warning in registries.remarks():
                shown.say(f"warning: {warning}")
        info = RunInfo(task.run, started, clock.monotonic() - begin, task.dry_run, __version__)
        report = Report(info, results, registries.requests)
        code = report.exit_code(stop.signal) if results or stop.signal or not task.losses else 1
        if recording is not None and results:
            code = _end(recording, code, of_everything=task.of_everything)
        code = deliver(task.writers, report, code)
    raise_bug(stop)
    return code


async def _agreed(task: _Task, shown: Display, stop: Stop) -> bool:
    if task.yes or task.dry_run or not task.losses:
        return True
    number = sum(len(loss.targets) for loss in task.losses)
    return await agreed(
        f"Put back {number} image{'' if number == 1 else 's'} of the run {task.run}?", shown, stop, task.output.streams
    )
