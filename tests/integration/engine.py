"""A run without the command line around it: from the text of a list to the images of the report."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulkrm.api.record import run_folder
from bulkrm.codec.report_fields import image
from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.job import Job
from bulkrm.engine.record.folder_recorder import FolderRecorder
from bulkrm.engine.record.recorder import NoRecorder
from bulkrm.engine.recover.undo import Loss, Undo
from bulkrm.engine.run import Confirm, Run
from bulkrm.engine.stop import Stop
from bulkrm.model.events import Event, EventListener, Warned, ignore
from bulkrm.model.plan import Plan
from bulkrm.model.result.failure import CircuitOpen
from bulkrm.model.result.outcome import Failed, Outcome
from bulkrm.model.result.report import ImageResult, Report, Requests, RunInfo
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Connection, Limit, Login, Pacing, Policy, Settings, Shared, Strategy
from bulkrm.remote.clock import Clock, SystemClock
from bulkrm.remote.credentials import Credentials, DockerConfig
from bulkrm.remote.registries import Listeners, Registries, open_registries
from bulkrm.selection.conditional import ConditionalEntry, RunConditions
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.patterns.pattern import ProtectPattern
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.losses import losses
from bulkrm.state.known import known_runs
from tests.support.briefly import briefly
from tests.support.clock import FakeClock
from tests.support.giving_up import SECONDS
from tests.support.logins import Everywhere

ADMIN = Login("admin", Secret("admin"))
Act = Callable[[Plan], Awaitable[None]]


@dataclass(frozen=True, slots=True, repr=False)
class Done:
    """What a run left behind. `sent` are method and path of every request, in order; `waited`: seconds at the question."""

    report: Report
    code: int
    sent: list[tuple[str, str]]
    stop: Stop
    said: list[str] = field(default_factory=list)
    plan: Plan | None = None
    waited: float = 0.0

    def __repr__(self) -> str:
        """What failed assertions show: the exit code, and which images failed and why."""
        return briefly(self.code, self.images, " ".join(self.said))

    @property
    def results(self) -> Sequence[ImageResult]:
        """The images of the report."""
        return self.report.images

    @property
    def requests(self) -> Requests:
        """How many requests were sent."""
        return self.report.requests

    @property
    def images(self) -> list[dict[str, Any]]:
        """The images as the JSON report has them."""
        return [image(result) for result in self.results]

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each image, or with a reason or error `status reason`, named without its host."""
        return {entry["image"].partition("/")[2]: _word(entry) for entry in self.images}

    def count(self, method: str) -> int:
        """How many requests of a method were sent."""
        return sum(sent == method for sent, _ in self.sent)


def _word(entry: dict[str, Any]) -> str:
    more = entry["reason"] or (entry["error"] or {}).get("code")
    return f"{entry['status']} {more}" if more else str(entry["status"])


class Warnings:
    """Keeps warnings."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Warned):
            self.heard.append(event.text)


def _nobody(method: str, path: str) -> None:
    """Do not listen."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line would say. `before_delete` is called where it would ask.

    `state`: the folder in which the run is recorded, if it is. `heard` is told of every answer, by method and path.
    `opened` opens the registries: over the network, unless a test has them in memory.
    """

    shared: Shared = Shared.REFUSE
    max_delete: Limit | None = None
    dry_run: bool = False
    fail_fast: bool = False
    recursive: bool = False
    allow_decoy: bool = False
    verify: bool = False
    strategy: Strategy = Strategy.AUTO
    ignore: Sequence[str] = ()
    in_use: tuple[str, ...] = ()
    login: Login | None = ADMIN
    concurrency: int | None = None
    timeout: float = 60.0
    clock: Clock = field(default_factory=SystemClock)
    tell: EventListener | None = None
    before_delete: Act | None = None
    stop: Stop | None = None
    seconds: float = SECONDS
    state: Path | None = None
    heard: Callable[[str, str], None] = _nobody
    opened: Callable[..., AbstractAsyncContextManager[Registries]] = open_registries


async def delete(host: str, text: str, options: Options | None = None) -> Done:
    """Carry out a list on the registry `host`. `text` is the list file below `registry:`, or its `images` alone."""
    chosen = options or Options()
    body = text if "images:" in text else f"images:\n{text}"
    listed = read_list(f"registry: {host}\n{body}", "images.yaml")
    policy = Policy(
        chosen.shared,
        chosen.max_delete,
        chosen.dry_run,
        chosen.fail_fast,
        chosen.recursive,
        chosen.allow_decoy,
        chosen.verify,
        strategy=chosen.strategy,
    )
    conditional = tuple(entry for entry in listed.entries if isinstance(entry, ConditionalEntry))
    conditions = RunConditions(conditional, chosen.in_use, listed.min_keep)
    ignore = tuple(ProtectPattern.parse(text) for text in chosen.ignore)
    job = Job(listed.entries, listed.protect, policy, ignore, conditions)
    with nullcontext() if chosen.state is None else run_folder(job, chosen.state) as folder:
        return await run_job(host, job, chosen, folder)


async def run_job(host: str, job: Job, chosen: Options, folder: RunFolder | None) -> Done:
    """Do it, and record it in a folder if there is one."""
    settings = Settings(Pacing(chosen.concurrency, None, chosen.timeout), Connection())
    warnings, stop, sent = Warnings(), Stop() if chosen.stop is None else chosen.stop, list[tuple[str, str]]()

    def trace(method: str, url: str, _: str) -> None:
        path = url.partition(host)[2]
        sent.append((method, path))
        chosen.heard(method, path)

    credentials = Credentials(Everywhere(chosen.login), DockerConfig())
    recorder = None if folder is None else FolderRecorder(folder, job.plan_text)
    tell = chosen.tell or warnings
    context = RunContext(tell, stop, chosen.clock, recorder or NoRecorder())
    async with chosen.opened(settings, credentials, chosen.clock, Listeners(trace=trace)) as registries:
        run = Run(job, registries, context)
        async with asyncio.timeout(chosen.seconds):
            results = await run.plan_and_execute(_confirm(chosen.before_delete))
        info = RunInfo("run", datetime(2026, 1, 31, tzinfo=UTC), 1.0, job.policy.dry_run, "1")
        report = Report(info, results, registries.requests, (), run.orphans, run.verification)
    assert not any(was_not_sent(result.outcome) for result in results)
    code = report.exit_code(stop.signal)
    if recorder is not None:
        try:
            _end(recorder, report, code)
        except StateError as error:
            warnings.heard.append(error.what)
    return Done(report, code, sent, stop, warnings.heard, run.plan, run.waited)


def was_not_sent(outcome: Outcome) -> bool:
    """Tell whether an outcome is `failed` because nothing was sent, which no outcome may be: it is `not-attempted`."""
    return isinstance(outcome, Failed) and isinstance(outcome.failure, CircuitOpen)


def _end(recorder: FolderRecorder, report: Report, code: int) -> None:
    """Write down that the run is over, as the command does. Raises StateError."""
    summary = {status.value.replace("-", "_"): count for status, count in report.summary.items()}
    recorder.end(code, summary, report.tally.unfinished)


def _confirm(act: Act | None) -> Confirm:
    async def confirm(plan: Plan) -> bool:
        if act is not None:
            await act(plan)
        return True

    return confirm


def lost(state: Path) -> list[Loss]:
    """Return what the only run in a state folder took away, as `bulkrm undo` reads it."""
    (run,) = known_runs(state)
    return [
        Loss(found.repository, found.manifest, tuple(found.tags), frozenset(found.decoys)) for found in losses(run.path)
    ]


async def undo(gone: Sequence[Loss], timeout: float = 60.0, options: Options | None = None) -> dict[str, str]:  # noqa: ASYNC109 (of each request)
    """Put back what was lost; return the status of each tag, or digest, with the reason or error if there is one."""
    chosen = options or Options(clock=FakeClock(auto=True))
    settings = Settings(Pacing(chosen.concurrency, None, timeout), Connection())

    def trace(method: str, url: str, _: str) -> None:
        chosen.heard(method, url)

    credentials = Credentials(Everywhere(chosen.login), DockerConfig())
    stop = Stop()
    async with chosen.opened(settings, credentials, chosen.clock, Listeners(trace=trace)) as registries:
        context = RunContext(ignore, stop, chosen.clock)
        results = await Undo(Gateway(registries), context, force=False, dry_run=False).restore(gone)
    assert stop.bug is None
    assert not any(was_not_sent(result.outcome) for result in results)
    found = [image(result) for result in results]
    words = {re.split("[:@]", entry["image"].rpartition("/")[2], maxsplit=1)[1]: _word(entry) for entry in found}
    assert len(words) == len(found)
    return words
