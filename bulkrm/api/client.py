"""Plan, delete, apply, resume and undo, as methods that return values."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from anyio.to_thread import run_sync

from bulkrm.api.cancellation import to_the_end
from bulkrm.api.errors import PlanIncomplete
from bulkrm.api.login_check import LoginCheck, check_login
from bulkrm.api.performance import ConfirmPlan, ConfirmUndo, Means, Performed, perform, put_back
from bulkrm.api.plans import DeletionPlan, MadePlan
from bulkrm.api.plugins import loaded_plugins
from bulkrm.api.record import run_folder
from bulkrm.api.resumable import ResumableRun, resumable_run
from bulkrm.api.undoable import EVERYTHING, UndoableRun, undoable_run
from bulkrm.engine.job import Job
from bulkrm.engine.stop import Stop
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.events import EventListener, ignore
from bulkrm.model.reference import Reference, Repository, parse_host
from bulkrm.model.result.outcome import Signal
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Credential, Policy, Settings
from bulkrm.remote.clock import Clock, SystemClock
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.credentials.configured import configured
from bulkrm.remote.credentials.source import Surroundings
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.image_list import ImageList, read_patterns
from bulkrm.selection.run_conditions import refuse_blind
from bulkrm.state.folder import RunFolder

CredentialsGiven = Mapping[str, Credential] | Surroundings | Credentials
_DEFAULTS, _SETTINGS = Policy(), Settings()


class Client:
    """Deletes images from registries, and puts them back. Use it as an asynchronous context manager.

    Nothing is printed, no signal is handled, and neither the environment nor a configuration file is read: what a run
    needs is given here. Every run opens connections of its own, gets its own tokens and finds out anew what a registry
    can do. Runs may go on at the same time. Leaving the block stops the runs that still go on, as `stop` does.

    `credentials`: a `Login`, an `IdentityToken` or a `RegistryToken` for each host; or `Surroundings`, whose
    sources (Docker's `config.json`, credential helpers and the like) are read for the hosts of each run. Without any,
    requests are anonymous.

    `settings`: how registries are reached and how fast they are asked.

    `state_dir`: the folder in which runs are recorded, each with the manifests that it deletes. Without it nothing is
    recorded: what such a run deletes cannot be put back by `undo`, and a run that is killed cannot be resumed.

    `on_event`: a function that hears of every event of every run, in the event loop; one that raises stops its run.

    All methods raise `InputError` where what was given is wrong or contradictory: nothing was attempted then. What goes
    wrong with an image is an outcome in the report, never an exception. A bug in bulkrm or in `on_event` raises
    `InternalError`, which has the complete report. A cancelled method ends its run in order (requests that change
    something get ten seconds) and raises `CancelledError` after that: `RunEnded`, the last event, has the report.
    """

    def __init__(
        self,
        *,
        credentials: CredentialsGiven | None = None,
        settings: Settings = _SETTINGS,
        state_dir: Path | None = None,
        on_event: EventListener = ignore,
        clock: Clock | None = None,
    ) -> None:
        """Take what runs need; nothing is opened or sent. `clock` is the system's, unless time is to pass otherwise."""
        self._given = credentials if credentials is not None else {}
        self._settings = settings
        self._state_dir = state_dir
        self._on_event = on_event
        self._clock = clock or SystemClock()
        self._going_on: set[Stop] = set()
        self._signal: Signal | None = None

    async def __aenter__(self) -> Self:
        """Check the files that `settings` names. Raises InputError where one cannot be used."""
        refuse_unusable_connections((), self._settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the runs that still go on."""
        for stop in self._going_on:
            stop.interrupt(Signal.INTERRUPT)

    @property
    def stopped_by(self) -> Signal | None:
        """What `stop` was called with first; None where it was not."""
        return self._signal

    def stop(self, signal: Signal = Signal.INTERRUPT) -> None:
        """Stop all runs of this client, and begin none any more; called twice, end at once what is under way.

        Requests that change something get ten seconds to end. The methods return their reports, in which the images
        that were not tried are `not-attempted`, `interrupted`; a recorded run can be resumed. `signal` decides the exit
        code that the record notes.
        """
        self._signal = self._signal or signal
        for stop in self._going_on:
            stop.interrupt(signal)

    async def plan(
        self, images: ImageList, policy: Policy = _DEFAULTS, *, explain: Iterable[Reference] = ()
    ) -> MadePlan:
        """Resolve and judge what the list names, and delete nothing.

        `explain`: images of which `report.explained` tells every rule. Raises InputError, and PlanIncomplete where the
        run is stopped before the plan is complete.
        """
        job = self._job(images, replace(policy, dry_run=True), explain)
        done = await self._carry_out(job, None)
        if done.document is None:
            raise PlanIncomplete(done.report)
        return MadePlan(done.document, done.report)

    async def delete(
        self,
        images: ImageList,
        policy: Policy = _DEFAULTS,
        *,
        confirm: ConfirmPlan | None = None,
        explain: Iterable[Reference] = (),
    ) -> Report:
        """Plan and carry out at once: with `policy.dry_run` only show what would go, else delete it.

        `confirm` is awaited once with the complete plan, if something would go; where it returns False nothing is
        deleted, and what would have gone is `not-attempted`, `declined`. Without it the list is the confirmation. This
        reads everything once; `plan` and `apply` read it twice. Raises InputError.
        """
        return (await self._carry_out(self._job(images, policy, explain), confirm)).report

    async def apply(
        self,
        plan: DeletionPlan,
        policy: Policy | None = None,
        *,
        protect: Iterable[str] = (),
        in_use: Iterable[str] = (),
        confirm: ConfirmPlan | None = None,
    ) -> Report:
        """Delete what both the plan and a fresh judgement would delete, by the digests of the plan.

        The plan is the confirmation; `confirm` is awaited with what is left of it after the fresh judgement. `policy`
        takes the place of the plan's. `protect` (patterns) and `in_use` (references in normal form) are added to its own.
        Raises InputError.
        """
        job = plan.job(self._settings.connection.default_port)
        further = read_patterns("protect", protect, job.default_port)
        conditions = replace(job.conditions, in_use=tuple(sorted({*job.conditions.in_use, *in_use})))
        job = replace(job, protect=(*job.protect, *further), conditions=conditions, policy=policy or plan.policy)
        return (await self._carry_out(job, confirm)).report

    async def resume(
        self, run: str | ResumableRun | None = None, *, dry_run: bool = False, confirm: ConfirmPlan | None = None
    ) -> Report:
        """Go on with a recorded run that was stopped or killed; the report is of all of it.

        `run`: its name or the beginning of it, the latest unfinished one if None, or one that is open
        (`resumable_run`; then whether it is a dry run was said there). What was under way when it ended is looked up; the
        rest is judged again before it goes. Raises InputError where nobody can go on with it.
        """
        found: AbstractContextManager[ResumableRun] = (
            nullcontext(run)
            if isinstance(run, ResumableRun)
            else resumable_run(self._root(), run, dry_run=dry_run, default_port=self._settings.connection.default_port)
        )
        with found as left:
            return (await self._carry_out(left.job, confirm, left)).report

    async def undo(
        self,
        run: str | UndoableRun | None = None,
        images: ImageList = EVERYTHING,
        *,
        force: bool = False,
        dry_run: bool = False,
        confirm: ConfirmUndo | None = None,
    ) -> Report:
        """Put back what a recorded run deleted, as long as the registry has not collected its garbage.

        `run`: its name or the beginning of it, the latest that took something away if None, or one that is open
        (`undoable_run`; then `images` and `dry_run` were said there). `images`: put back only what these name. `force`:
        also tags that lead to something else by now. `confirm` is awaited with what is to be put back; where it returns
        False nothing is, and the report has no images. Raises InputError where nothing of it can be put back.
        """
        found: AbstractContextManager[UndoableRun] = (
            nullcontext(run)
            if isinstance(run, UndoableRun)
            else undoable_run(self._root(), run, images, dry_run=dry_run)
        )
        with found as lost:
            stop = self._begun()
            try:
                return await to_the_end(self._put_back(lost, stop, confirm, force=force), stop)
            finally:
                self._going_on.discard(stop)

    async def check_login(self, host: str, repository: Repository | None = None) -> LoginCheck:
        """Try the credentials that a run would use for a registry, or for one of its repositories.

        `host` is a normal form, such as `registry.example.com:5000`. Nothing is changed. Raises InputError.
        """
        return await check_login(await self._means((host,), Stop()), host, repository)

    def _job(self, images: ImageList, policy: Policy, explain: Iterable[Reference]) -> Job:
        return Job(
            images.entries,
            images.protect,
            policy,
            images.ignore_unreadable,
            images.conditions,
            images.default_port,
            tuple(explain),
        )

    def _root(self) -> Path:
        if self._state_dir is None:
            raise InputError(Problem("state_dir", "no folder of recorded runs was given", "give it to the client"))
        return self._state_dir

    def _begun(self) -> Stop:
        """Return what stops a new run; a client that was stopped stops it at once."""
        stop = Stop()
        if self._signal is not None:
            stop.interrupt(self._signal)
        self._going_on.add(stop)
        return stop

    async def _carry_out(self, job: Job, confirm: ConfirmPlan | None, left: ResumableRun | None = None) -> Performed:
        self._refuse_contradictions(job)
        stop = self._begun()
        try:
            return await to_the_end(self._perform(job, stop, confirm, left), stop)
        finally:
            self._going_on.discard(stop)

    def _refuse_contradictions(self, job: Job) -> None:
        refuse_blind(job.policy, job.conditions, protected=bool(job.protect))
        port = self._settings.connection.default_port
        if job.default_port != port:
            what = f"the images were read with the port {job.default_port} for hosts without one"
            raise InputError(Problem("", what, f"read them with default_port={port}, which the connection has"))

    async def _perform(self, job: Job, stop: Stop, confirm: ConfirmPlan | None, left: ResumableRun | None) -> Performed:
        means = await self._means(job.hosts, stop)
        folder: AbstractContextManager[RunFolder | None] = (
            run_folder(job, self._state_dir) if left is None else nullcontext(left.begin())
        )
        with folder as recorded:
            return await perform(job, means, recorded, confirm)

    async def _put_back(self, run: UndoableRun, stop: Stop, confirm: ConfirmUndo | None, *, force: bool) -> Report:
        return await put_back(run, await self._means(run.hosts, stop), confirm, force=force)

    async def _means(self, hosts: Collection[str], stop: Stop) -> Means:
        """Find what these hosts need, and load all plugins. Raises InputError."""
        loaded_plugins()
        refuse_unusable_connections(hosts, self._settings)
        credentials = await self._credentials(hosts)
        await credentials.refuse_users()
        return Means(self._settings, credentials, self._clock, self._on_event, stop)

    async def _credentials(self, hosts: Collection[str]) -> Credentials:
        given = self._given
        if isinstance(given, Credentials):
            return given
        if isinstance(given, Surroundings):
            found = await run_sync(configured, hosts, given) if hosts else ()
            return Credentials({}, *found)
        port = self._settings.connection.default_port
        return Credentials({parse_host(host, port): credential for host, credential in given.items()})
