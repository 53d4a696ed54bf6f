"""Plan, delete, apply, resume and undo, as methods that return values."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from bulkrm.api.deletion_run import ConfirmPlan, FinishedRun, plan_and_delete
from bulkrm.api.errors import PlanIncomplete
from bulkrm.api.known_facts import refuse_unmet_conditions
from bulkrm.api.login_check import LoginCheck, check_login
from bulkrm.api.plans import DeletionPlan, MadePlan
from bulkrm.api.record import refuse_other_port, run_folder
from bulkrm.api.resumable import ResumableRun, next_part, resumable_run
from bulkrm.api.run_setup import CredentialsGiven, RunSetup
from bulkrm.api.undo_run import ConfirmUndo, put_back
from bulkrm.api.undoable import EVERYTHING, UndoableRun, undoable_run
from bulkrm.engine.job import Job
from bulkrm.engine.stop import Stop
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.events import EventListener, ignore
from bulkrm.model.reference import Reference, Repository
from bulkrm.model.result.outcome import Signal
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Policy, Settings
from bulkrm.remote.clock import Clock, SystemClock
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.conditional import refuse_unread_tags
from bulkrm.selection.image_list import ImageList, read_patterns
from bulkrm.state.folder import RunFolder

_DEFAULTS, _SETTINGS = Policy(), Settings()


class Client:
    """Deletes images from registries, and puts them back. Use it as an asynchronous context manager.

    Nothing is printed, no signal is handled, and neither the environment nor a configuration file is read: everything that
    a run needs is given here. Every run opens its own connections, gets its own tokens and finds out anew what a registry
    can do. Several runs may go on at the same time. Leaving the block stops the runs that are still going on, as `stop`
    does.

    `credentials`: a `Login`, an `IdentityToken` or a `RegistryToken` for each host; or `Surroundings`, whose
    sources (Docker's `config.json`, credential helpers and the like) are read for the hosts of each run. Without
    credentials, requests are anonymous.

    `settings`: how registries are reached and how fast requests are sent.

    `state_dir`: the folder in which runs are recorded, each with the manifests that it deletes. Without it no run is
    recorded: images that were deleted cannot be put back by `undo`, and a run that is killed cannot be resumed.

    `on_event`: a function that is called with every event of every run, in the event loop; one that raises stops its run.

    All methods raise `InputError` where an argument is wrong or contradicts another one: nothing was attempted then. A
    failure of one image is an outcome in the report, never an exception. A bug in bulkrm or in `on_event` raises
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
        """Keep the arguments for later runs; nothing is opened or sent. `clock`: another one than the system's, for tests."""
        self._credentials: CredentialsGiven = credentials if credentials is not None else {}
        self._settings = settings
        self._state_dir = state_dir
        self._on_event = on_event
        self._clock = clock or SystemClock()
        self._stops: set[Stop] = set()  # of the runs that are going on
        self._signal: Signal | None = None

    async def __aenter__(self) -> Self:
        """Check the files that `settings` names. Raises InputError where one cannot be used."""
        refuse_unusable_connections((), self._settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the runs that are still going on."""
        for stop in self._stops:
            stop.interrupt(Signal.INTERRUPT)

    @property
    def stopped_by(self) -> Signal | None:
        """The signal of the first call of `stop`; None where there was none."""
        return self._signal

    def stop(self, signal: Signal = Signal.INTERRUPT) -> None:
        """Stop all runs of this client, and begin no further one.

        Requests in flight that change something get ten seconds to end; a second call ends them at once. The methods
        return their reports, in which the images that were not tried are `not-attempted`, `interrupted`; a recorded run can
        be resumed. `signal` decides the exit code in the record.
        """
        self._signal = self._signal or signal
        for stop in self._stops:
            stop.interrupt(signal)

    async def plan(
        self, images: ImageList, policy: Policy = _DEFAULTS, *, explain: Iterable[Reference] = ()
    ) -> MadePlan:
        """Resolve and judge the images of a list, and delete nothing.

        `explain`: images for which `report.explained` has the verdict of every rule. Raises InputError, and PlanIncomplete
        where the run is stopped before the plan is complete.
        """
        job = _job(images, replace(policy, dry_run=True), explain)
        finished = await self._plan_and_delete(job, run_folder(job, self._state_dir))
        if finished.document is None:
            raise PlanIncomplete(finished.report)
        return MadePlan(finished.document, finished.report)

    async def delete(
        self,
        images: ImageList,
        policy: Policy = _DEFAULTS,
        *,
        confirm: ConfirmPlan | None = None,
        explain: Iterable[Reference] = (),
    ) -> Report:
        """Plan, and delete at once; with `policy.dry_run` only plan.

        `confirm` is awaited once with the complete plan, if something would be deleted; where it returns False nothing is
        deleted, and the outcome of the images of the plan is `not-attempted`, `declined`. Without `confirm` the list is
        the confirmation. `delete` reads every repository once; `plan` followed by `apply` reads it twice. Raises
        InputError.
        """
        job = _job(images, policy, explain)
        return (await self._plan_and_delete(job, run_folder(job, self._state_dir), confirm)).report

    async def apply(
        self,
        plan: DeletionPlan,
        policy: Policy | None = None,
        *,
        protect: Iterable[str] = (),
        in_use: Iterable[str] = (),
        confirm: ConfirmPlan | None = None,
    ) -> Report:
        """Delete the manifests that both the plan and a fresh judgement delete, by the digests of the plan.

        The plan is the confirmation; `confirm`, if given, is awaited with the plan that both judgements agree on. `policy`
        replaces the policy of the plan. `protect` (patterns) and `in_use` (references in normal form) are added to those
        of the plan. Raises InputError.
        """
        job = plan.job(self._settings.connection.default_port)
        further = read_patterns("protect", protect, job.default_port)
        conditions = replace(job.conditions, in_use=tuple(sorted({*job.conditions.in_use, *in_use})))
        job = replace(job, protect=(*job.protect, *further), conditions=conditions, policy=policy or plan.policy)
        return (await self._plan_and_delete(job, run_folder(job, self._state_dir), confirm)).report

    async def resume(
        self, run: str | ResumableRun | None = None, *, dry_run: bool = False, confirm: ConfirmPlan | None = None
    ) -> Report:
        """Continue a recorded run that was stopped or killed; the report covers all parts of the run.

        `run`: the run's name or the beginning of it; None: the latest unfinished run; or a run that `resumable_run` opened
        (then its `dry_run` holds). Requests that were in flight when the run ended are looked up; the rest is judged again
        before it is deleted. Raises InputError where the run cannot be resumed.
        """
        found: AbstractContextManager[ResumableRun] = (
            nullcontext(run)
            if isinstance(run, ResumableRun)
            else resumable_run(self._root(), run, dry_run=dry_run, default_port=self._settings.connection.default_port)
        )
        with found as left:
            return (await self._plan_and_delete(left.job, next_part(left), confirm)).report

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

        `run`: the run's name or the beginning of it; None: the latest run that deleted something and was not undone; or a
        run that `undoable_run` opened (then its `images` and `dry_run` hold). `images`: put back only images that these
        entries name. `force`: also put back tags that hold another manifest by now. `confirm` is awaited with the run and
        its images; where it returns False nothing is put back, and the report has no images. Raises InputError where
        nothing can be put back.
        """
        found: AbstractContextManager[UndoableRun] = (
            nullcontext(run)
            if isinstance(run, UndoableRun)
            else undoable_run(self._root(), run, images, dry_run=dry_run)
        )
        with found as lost, self._set_up() as setup:
            refuse_other_port(lost.hosts, self._settings.connection.default_port)
            return await setup.run_to_end(put_back(lost, setup, confirm, force=force))

    async def check_login(self, host: str, repository: Repository | None = None) -> LoginCheck:
        """Try the credentials that a run would use for a registry, or for one of its repositories.

        `host` is a normal form, such as `registry.example.com:5000`. Nothing is changed. Raises InputError.
        """
        with self._set_up() as setup:
            return await check_login(setup, host, repository)

    def _root(self) -> Path:
        if self._state_dir is None:
            raise InputError(Problem("state_dir", "no folder of recorded runs was given", "give it to the client"))
        return self._state_dir

    async def _plan_and_delete(
        self, job: Job, record: AbstractContextManager[RunFolder | None], confirm: ConfirmPlan | None = None
    ) -> FinishedRun:
        self._refuse_contradictions(job)
        with self._set_up() as setup:
            return await setup.run_to_end(plan_and_delete(job, setup, record, confirm))

    def _refuse_contradictions(self, job: Job) -> None:
        refuse_unread_tags(job.policy, job.conditions, protected=bool(job.protect))
        refuse_unmet_conditions(job.conditions.entries)
        port = self._settings.connection.default_port
        if job.default_port != port:
            what = f"the images were read with the port {job.default_port} for hosts without one"
            raise InputError(Problem("", what, f"read them with default_port={port}, which the connection has"))

    @contextmanager
    def _set_up(self) -> Iterator[RunSetup]:
        """Yield the setup of a new run, which `stop` stops until the block is left. A stopped client stops it at once."""
        stop = Stop()
        if self._signal is not None:
            stop.interrupt(self._signal)
        self._stops.add(stop)
        try:
            yield RunSetup(self._settings, self._credentials, self._clock, self._on_event, stop)
        finally:
            self._stops.discard(stop)


def _job(images: ImageList, policy: Policy, explain: Iterable[Reference]) -> Job:
    return Job(
        images.entries,
        images.protect,
        policy,
        images.ignore_unreadable,
        images.conditions,
        images.default_port,
        tuple(explain),
    )
