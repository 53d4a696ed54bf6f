"""One run of the command line: opens what it needs, listens for signals, reports, and returns the exit code."""

import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio

from bulkrm import __version__
from bulkrm.cli.options import Talk
from bulkrm.cli.planning import plan_text
from bulkrm.cli.progress import Display, Listener, display
from bulkrm.cli.question import Question
from bulkrm.cli.recorded import new_run_id, trouble_of
from bulkrm.cli.writers import Writer
from bulkrm.client.clock import SystemClock
from bulkrm.client.credentials import Credentials
from bulkrm.client.registries import Listening, Registries, open_registries
from bulkrm.engine.around import Around
from bulkrm.engine.recorder import Unrecorded
from bulkrm.engine.recording import Recording
from bulkrm.engine.run import Job, Run, Saved
from bulkrm.engine.stop import Stop
from bulkrm.model.outcome import Deleted, Gone, NoMatch, Signal, Status
from bulkrm.model.plan import Order, Plan
from bulkrm.model.report import ImageResult, Report, RunInfo
from bulkrm.model.settings import Settings
from bulkrm.planfile.fields import requests_of
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.lasting import ends_with

_SIGNALS = {signal.SIGINT: Signal.INTERRUPT, signal.SIGTERM: Signal.TERMINATE}
# The only parts of a query that a log may show (as go-containerregistry's redact does).
_LOGGED = frozenset({"scope", "service", "n", "last", "digest"})


@dataclass(frozen=True, slots=True)
class Task:
    """Everything a run needs that the command line knows."""

    job: Job
    settings: Settings
    credentials: Credentials
    writers: Sequence[Writer]
    talk: Talk
    folder: RunFolder | None = None  # where the run is recorded
    finished: Callable[[Run], str | None] | None = None  # told of the run before its report; returns what went wrong
    about: str | None = None  # which recorded run is gone on with

    def remarks(self) -> Iterator[str]:
        """Yield what the user should know before the run begins."""
        if self.about is not None:
            yield self.about
        if self.folder is not None:
            end = ends_with(self.folder.root, os.environ, chosen=self.talk.state_dir is not None)
            if end is not None:
                yield f"warning: {end}"


async def perform(task: Task) -> int:
    """Run, report, and return the exit code. Raises what a bug raised, after the report is out."""
    stop = Stop()
    with display(quiet=task.talk.quiet) as shown:
        opened = open_registries(task.settings, task.credentials, SystemClock(), listening_of(task.talk, shown))
        async with opened as registries, signals(stop, shown):
            recorder = Recording(task.folder, partial(plan_text, task.job)) if task.folder else Unrecorded()
            listener = Listener(shown, task.writers, recorder)
            run = Run(task.job, registries, Around(listener, stop, SystemClock(), recorder))
            for remark in task.remarks():
                shown.say(remark)
            question = Question(shown, stop, yes=task.talk.yes)
            report = await _report(task, run, registries, question)
            for warning in (*registries.remarks(), *_warnings(report)):
                shown.say(f"warning: {warning}")
    code = report.exit_code(stop.signal)
    trouble = task.finished(run) if task.finished else None
    if trouble is not None:
        complain(trouble)
        code = code or 1
    if isinstance(recorder, Recording):
        code = _close(recorder, report, code, declined=question.declined and not _is_resumed(task.job))
    for writer in task.writers:
        writer.whole(report)
        if writer.trouble is not None:
            complain(f"the report is not complete: {writer.trouble}")
            code = code or 1
    if stop.bug is not None:
        complain("a bug in bulkrm stopped the run; please report what follows")
        raise stop.bug
    return code


def _close(recorder: Recording, report: Report, code: int, *, declined: bool) -> int:
    """Record the end of a run that came to one; an interrupted one can be gone on with."""
    try:
        summary = {status.value.replace("-", "_"): count for status, count in report.summary.items()}
        recorder.end(code, summary, report.tally.unfinished, declined=declined)
    except StateError as error:
        complain(trouble_of(error))
        return code or 1
    return code


def _is_resumed(job: Job) -> bool:
    return isinstance(job.work, Saved) and job.work.resumed


async def _report(task: Task, run: Run, registries: Registries, question: Question) -> Report:
    clock = SystemClock()
    started, begin = datetime.now(UTC), clock.monotonic()
    run_id = task.folder.id if task.folder else new_run_id(started)
    images = await run.perform(question)
    policy = task.job.policy
    info = RunInfo(run_id, started, clock.monotonic() - begin, policy.dry_run, __version__)
    outlook = _outlook(run.plan) if policy.dry_run and run.plan is not None else []
    closing = [*outlook, *_orphans(run.orphans, recursive=policy.recursive), *_closing(images, registries)]
    return Report(info, images, registries.requests, tuple(closing), run.orphans, run.verification)


def listening_of(talk: Talk, shown: Display) -> Listening:
    """Say who hears of waits and, with -v, of every request."""

    def trace(method: str, url: str, result: str) -> None:
        shown.say(f"{method} {_public(url)}: {result}")

    return Listening(shown.say, trace) if talk.verbose else Listening(shown.say)


@asynccontextmanager
async def signals(stop: Stop, shown: Display) -> AsyncIterator[None]:
    """Pass SIGINT and SIGTERM to the stop while the run goes on."""

    async def listen() -> None:
        with anyio.open_signal_receiver(*_SIGNALS) as received:
            async for number in received:
                again = stop.signal is not None
                stop.interrupt(_SIGNALS[number])
                shown.say("aborting" if again else "stopping: what is under way may finish; once more aborts it")

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


def _public(url: str) -> str:
    parts = urlsplit(url)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in _LOGGED], safe=":/,")
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def _warnings(report: Report) -> list[str]:
    lines = []
    worth_a_word = report.summary[Status.NO_MATCH] + report.summary[Status.ABSENT]
    for result in report.images if worth_a_word else ():
        if isinstance(result.outcome, NoMatch):
            lines.append(f"{result.source}: the pattern {result.image} chose nothing")
        if isinstance(result.outcome, Gone) and result.outcome.no_repository:
            lines.append(f"{result.source}: {result.image}: the registry knows no such repository; a typing error?")
    return lines


def _outlook(plan: Plan) -> list[str]:
    """Say what the run would send, and in which order where that is not by digest."""
    number = requests_of(plan)
    if not number:
        return []
    orders = Counter(plan.orders.values())
    ways = [f"tags first in {_places(orders[Order.TAGS_FIRST])}"] if orders[Order.TAGS_FIRST] else []
    ways += [f"a decoy over all tags in {_places(orders[Order.DECOY])}"] if orders[Order.DECOY] else []
    more = f": {', '.join(ways)}" if ways else ""
    return [f"The run would send {number} request{'' if number == 1 else 's'} to delete{more}."]


def _places(number: int) -> str:
    return "1 repository" if number == 1 else f"{number} repositories"


def _orphans(number: int, *, recursive: bool) -> list[str]:
    """Say what stays behind with nothing left that needs it."""
    if not number:
        return []
    what = f"{number} manifest{'' if number == 1 else 's'} and tags" if number > 1 else "1 manifest or tag"
    more = "" if recursive else "; --recursive deletes such with what they belong to"
    return [f"{what} that nothing needs any more stay{'s' if number == 1 else ''} behind{more}."]


def _closing(images: Sequence[ImageResult], registries: Registries) -> list[str]:
    """Say how the space becomes free, where that is the operator's business."""
    hosts = [host for host in registries.distributions if any(_is_deleted(result, host) for result in images)]
    if not hosts:
        return []
    text = (
        f"{', '.join(hosts)}: the space is freed by garbage collection. On a distribution registry (registry:2, "
        "registry:3): stop it or make it read-only, then `registry garbage-collect /etc/docker/registry/config.yml`."
    )
    return [text]


def _is_deleted(result: ImageResult, host: str) -> bool:
    return isinstance(result.outcome, Deleted) and result.image.partition("/")[0] == host


def complain(text: str) -> None:
    """Tell the user of trouble that no report holds."""
    with suppress(OSError, ValueError):
        print(f"bulkrm: {text}", file=sys.stderr)  # noqa: T201 (this is the terminal)
