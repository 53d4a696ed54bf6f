"""The front door as a program uses it. Nothing here runs: mypy alone reads it, and finds every case that is missing."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_never, assert_type

from bulkrm import (
    Advanced,
    BulkrmError,
    Client,
    Connection,
    Credential,
    Deleted,
    DeletionPlan,
    Digest,
    Event,
    EventListener,
    Failed,
    FailureCode,
    Gone,
    IdentityToken,
    ImageList,
    ImageResult,
    ImageSettled,
    InputError,
    InternalError,
    Kept,
    KeptReason,
    Limit,
    Login,
    LoginCheck,
    MadePlan,
    NoMatch,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    Pacing,
    Paused,
    PauseReason,
    Phase,
    PhaseBegan,
    Plan,
    PlanIncomplete,
    PlanMade,
    Policy,
    Problem,
    Rate,
    Reference,
    RegistryToken,
    Report,
    RequestAnswered,
    Restored,
    RunBegan,
    RunEnded,
    Secret,
    Settings,
    Shared,
    Signal,
    Status,
    Strategy,
    Surroundings,
    Unchanged,
    UndoableRun,
    Untagged,
    Warned,
    WarningKind,
    WouldDelete,
    WouldRestore,
    WouldUntag,
    parse_images,
    parse_list,
    parse_reference,
    resumable_run,
    undoable_run,
)

HOST = "registry.example.com"


def described(event: Event) -> str:
    """Every event, by what it carries."""
    match event:
        case RunBegan(run):
            return assert_type(run, str)
        case PhaseBegan(phase, total):
            return f"{assert_type(phase, Phase)} {assert_type(total, int)}"
        case Advanced():
            return "."
        case PlanMade(plan):
            return f"{len(assert_type(plan, Plan).items)} manifests"
        case ImageSettled(result):
            return assert_type(result, ImageResult).image
        case Warned(kind, text):
            return f"{assert_type(kind, WarningKind)}: {text}"
        case Paused(host, seconds, reason):
            return f"{host} {assert_type(seconds, float)} {assert_type(reason, PauseReason)}"
        case RequestAnswered(method, url, result):
            return f"{method} {url} {result}"
        case RunEnded(report):
            return assert_type(report, Report).run.id
        case _:
            assert_never(event)


def told(outcome: Outcome) -> str:
    """Every outcome, by what it carries."""
    match outcome:
        case Deleted(also) | WouldDelete(also):
            return "unread" if assert_type(also, tuple[str, ...] | None) is None else "all"
        case Untagged(remaining) | WouldUntag(remaining):
            return ", ".join(assert_type(remaining, tuple[str, ...]))
        case Restored() | WouldRestore() | Unchanged() | NoMatch():
            return assert_type(outcome.status, Status)
        case Gone(no_repository):
            return "typing error?" if assert_type(no_repository, bool) else "gone"
        case Kept(kept_for, because):
            return f"{assert_type(kept_for, KeptReason)} {because}"
        case Failed(failure):
            return f"{assert_type(failure.code, FailureCode)} {failure.message}"
        case NotAttempted(reason):
            return assert_type(reason, NotAttemptedReason)
        case _:
            assert_never(outcome)


async def cleaned(state_dir: Path) -> Report:
    """Plan, look, apply."""
    images = parse_list(Path("images.yaml").read_bytes(), "images.yaml", read_file=lambda name: Path(name).read_bytes())
    images = (images + parse_images([f"{HOST}/app:pr-*"])).protecting("*:latest").keeping_in_use(b"app:1", "pods.json")
    credentials: dict[str, Credential] = {
        HOST: Login("robot", Secret("password")),
        "a.example": IdentityToken(Secret("refresh")),
        "b.example": RegistryToken(Secret("bearer")),
    }
    settings = Settings(
        Pacing(concurrency=8, rate=Rate(100, 60.0), timeout=30.0),
        Connection(ca_file=Path("ca.pem"), proxies={"https": "http://proxy.example:3128"}),
    )
    policy = Policy(Shared.UNTAG, Limit(10, percent=True), recursive=True, strategy=Strategy.DIGEST)
    async with Client(
        credentials=credentials, settings=settings, state_dir=state_dir, on_event=lambda event: print(described(event))
    ) as client:
        plan = assert_type(await client.plan(images, policy, explain=[parse_reference(f"{HOST}/app:1")]), MadePlan)
        text = assert_type(plan.to_json(), str)
        saved = assert_type(DeletionPlan.from_json(text, "plan.json"), DeletionPlan)
        for result in assert_type(saved.images, Sequence[ImageResult]):
            print(result.image, assert_type(result.digest, Digest | None), told(result.outcome))
        return assert_type(await client.apply(saved, protect=["*:stable"]), Report)


async def recovered(state_dir: Path) -> Mapping[Status, int]:
    """Resume, undo, and what goes wrong."""

    async def confirm(plan: Plan) -> bool:
        return len(list(plan.deletions)) <= 10

    async def confirm_undo(run: UndoableRun) -> bool:
        return len(run.images) <= 10

    try:
        async with Client(credentials=Surroundings({}), state_dir=state_dir) as client:
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, client.stop)
            check = assert_type(await client.check_login(HOST), LoginCheck)
            report = await client.delete(ImageList(), confirm=confirm) if check.works else None
            with resumable_run(state_dir, dry_run=True) as left:
                report = await client.resume(left)
            with undoable_run(state_dir, left.id) as lost:
                await client.undo(lost, confirm=confirm_undo)
            assert_type(client.stopped_by, Signal | None)
            return assert_type(report.summary, Mapping[Status, int])
    except InputError as error:
        print(*assert_type(error.problems, tuple[Problem, ...]), sep="\n")
        raise
    except (PlanIncomplete, InternalError) as error:
        return assert_type(error.report, Report).summary
    except BulkrmError:
        return {}


def _shapes() -> tuple[EventListener, Callable[[str], Reference], Callable[[Path], Awaitable[Report]]]:
    """What is exported fits where a program wants it."""
    return lambda event: print(described(event)), parse_reference, cleaned
