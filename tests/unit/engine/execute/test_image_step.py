"""What is done with one image, with parts that answer from a script: no server, no socket."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import anyio
import pytest

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.first_alone import DeletionGate, FirstAlone
from bulkrm.engine.execute.image_step import ImageStep, Parts
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.obstacles import Obstacles
from bulkrm.engine.execute.step_progress import StepProgress
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.stop import Stop
from bulkrm.model.events import ignore
from bulkrm.model.plan import Item, Settled, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, NotAttemptedReason, Outcome, Untagged
from bulkrm.model.steps import DeleteManifest, UntagManifest
from bulkrm.model.target import Target
from bulkrm.planning.image_state import CameTo, Finding, Judgement, LookResult, Unsent
from bulkrm.planning.next_step import UNCONFIRMED
from bulkrm.remote.sending import Sending
from bulkrm.state.errors import StateError
from tests.support.clock import FakeClock
from tests.support.one_image import APP, BROKEN, ITEM, LEFT, MOVED, NEEDED, REFUSED, A, B, image

Answer = tuple[CameTo, Effect] | Exception


ONE, CHILD = image("one"), image("child")
UNTAGGED = Untagged(("latest",))


@dataclass
class Script:
    """All parts that would ask a registry, in one: they answer what comes next, and note what they were asked."""

    answers: list[Answer]
    stop: Stop
    looks: list[LookResult] = field(default_factory=list)
    during: Callable[[], Awaitable[None]] | None = None  # goes on while a request is under way
    while_settling: Callable[[], Awaitable[None]] | None = None
    while_proving: Callable[[], Awaitable[None]] | None = None
    while_judging: Callable[[], None] | None = None  # what was sent before
    judgements: list[Judgement] = field(
        default_factory=list
    )  # of the image, one after the other; at the end all of it goes
    asked: list[str] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)
    outcomes: ItemOutcomes | None = None
    results: Outcomes = field(default_factory=lambda: Outcomes(lambda _: None, lambda _: None))
    known_failure: Failure | None = None
    known_failure_of_deleting: Failure | None = None
    known_failure_of_untagging: Failure | None = None

    async def judge_anew_if_stale(self, judged: Item) -> Judgement:
        self.asked.append("judge")
        if self.while_judging is not None and "send" in self.asked:
            self.while_judging()
        return self.judgements.pop(0) if self.judgements else Judgement(judged)

    def is_stale(self, _: Repository) -> bool:
        return False

    async def delete(self, _: Item, staleness: object, sending: Sending) -> CameTo:
        assert staleness is self
        self.asked.append("send")
        before, sending.effect = sending.effect, Effect.OPEN
        if self.during is not None:
            await self.during()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            sending.effect = before
            raise answer
        came_to, sending.effect = answer
        return came_to

    async def untag(self, _: Item, staleness: object) -> CameTo:
        assert staleness is self
        self.asked.append("untag")
        answer = self.answers.pop(0)
        assert not isinstance(answer, Exception)
        return answer[0]

    async def look(self, _: Item, tag: str | None = None) -> LookResult:
        self.asked.append(f"look at {tag}" if tag else "look")
        return self.looks.pop(0)

    def repository(self, _: Repository) -> "Script":
        return self

    def must_be_untagged_first(self, _: Item) -> bool:
        return False

    def gates(self, _: Item, *, untagged_first: bool) -> tuple[DeletionGate, ...]:
        assert not untagged_first
        return ()

    def expected_failure(self, _: Item) -> None:
        return None

    async def prove(self, proved: Item, targets: Sequence[Target], removal: Removal) -> None:
        if self.while_proving is not None:
            await self.while_proving()
        if self.while_settling is not None:
            self.waiting.append(proved)
            return
        assert self.outcomes is not None
        self.outcomes.conclude(proved, targets, Gone() if removal is Removal.WAS_GONE else Deleted())

    def waits(self, _: Repository) -> bool:
        return bool(self.waiting)

    def add(self, item: Item, removal: Removal, targets: Sequence[Target], tags: Sequence[str]) -> None:
        assert (removal, [target.reference for target in targets]) == (
            Removal.FOUND_GONE,
            [TagRef(APP, tag) for tag in tags],
        )
        assert self.outcomes is not None
        self.outcomes.record(item, targets, UNTAGGED)

    async def settle(self, _: Repository) -> None:
        if self.while_settling is not None:
            await self.while_settling()


def step_of(
    script: Script, step: DeleteManifest | UntagManifest, *others: DeleteManifest, effect: Effect = Effect.NONE
) -> ImageStep:
    """The step, among others, with the script for parts."""
    outcomes = script.results
    outcomes.open([target for each in (step, *others) for target in each.item.targets])
    script.outcomes = ItemOutcomes(outcomes, RunContext(ignore, script.stop, FakeClock()), fail_fast=False)
    scripted = cast("Any", script)
    parts = Parts(
        stop=script.stop,
        progress=StepProgress([step, *others], ignore),
        first_alone=FirstAlone(),
        in_flight=RequestsInFlight(script.stop),
        staleness=scripted,
        obstacles=Obstacles(scripted, scripted, script.outcomes),
        deletion=scripted,
        untagging=scripted,
        proof=scripted,
        pending=scripted,
        outcomes=script.outcomes,
    )
    return ImageStep(step, parts, effect)


def told(script: Script) -> Outcome | None:
    """What became of the image."""
    return script.results.outcome(ONE.targets[0])


async def cut_off(step: ImageStep) -> None:
    """Run a step until it waits for what does not come, and cancel it then."""
    async with anyio.create_task_group() as group:
        group.start_soon(step.run)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


async def is_over(step: ImageStep) -> bool:
    """Tell whether a step that waits for this one is let go, and the next one of its host has its turn."""
    let_go = False

    async def follow() -> None:
        nonlocal let_go
        await step._parts.progress.wait_for_earlier_steps(DeleteManifest(CHILD, (ONE.digest,)))
        await step._parts.first_alone.turn(DeletionGate(APP.host)).take()
        let_go = True

    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    return let_go and not step._parts.in_flight.busy()


@pytest.mark.parametrize(
    ("answers", "looks", "asked", "expected"),
    [
        ([(Removal.ACCEPTED, Effect.OPEN)], [], "judge send", Deleted()),
        ([(Removal.WAS_GONE, Effect.NONE)], [], "judge send", Gone()),
        ([(BROKEN, Effect.OPEN)], [], "judge send", Failed(BROKEN)),
        ([(Unsent(), Effect.NONE), (Removal.ACCEPTED, Effect.OPEN)], [], "judge send judge send", Deleted()),
        (
            [(Unsent(BROKEN), Effect.OPEN)] * 2,
            [Removal.FOUND_GONE],
            "judge send judge send look",
            Deleted(),
        ),
        (
            [(Unsent(BROKEN), Effect.OPEN)] * 2,
            [Finding.STILL_THERE],
            "judge send judge send look",
            Failed(BROKEN),
        ),
    ],
)
async def test_what_a_send_comes_to(
    answers: list[Answer], looks: list[LookResult], asked: str, expected: Outcome
) -> None:
    """What was decided is done, in that order, and the outcome is what was seen."""
    script = Script(list(answers), Stop(), looks)
    await step_of(script, DeleteManifest(ONE)).run()

    assert " ".join(script.asked) == asked
    assert told(script) == expected


async def test_what_a_killed_run_has_begun_is_looked_up() -> None:
    """What does not go any more may be gone because an earlier part of the run sent its DELETE."""
    script = Script([], Stop(), [Removal.FOUND_GONE], judgements=[Judgement(None)])
    await step_of(script, DeleteManifest(ONE), effect=Effect.OVER).run()

    assert (script.asked, told(script)) == (["judge", "look"], Deleted())


async def test_what_has_its_outcomes_already() -> None:
    """Whose tags went ahead, and had their outcomes then, is not looked up because a killed run has begun it."""
    script = Script([], Stop(), judgements=[Judgement(None)])
    step = step_of(script, DeleteManifest(ITEM), effect=Effect.OVER)
    assert script.outcomes is not None
    script.outcomes.record(ITEM, ITEM.targets, Kept(KeptReason.MOVED))
    await step.run()

    assert script.asked == ["judge"]


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([Removal.FOUND_GONE, Removal.FOUND_GONE], [UNTAGGED, UNTAGGED]),
        ([Removal.FOUND_GONE, Finding.STILL_THERE], [UNTAGGED, NEEDED]),
        ([Finding.STILL_THERE, Finding.STILL_THERE], [NEEDED, NEEDED]),
        ([Removal.FOUND_GONE, BROKEN], [UNTAGGED, Failed(BROKEN)]),
        ([BROKEN, Removal.FOUND_GONE], [Failed(BROKEN), UNTAGGED]),
    ],
)
async def test_tags_that_a_killed_run_has_begun_to_remove(looks: list[LookResult], expected: list[Outcome]) -> None:
    """Each tag is looked at, since its manifest says nothing of it: one that is gone may have gone by that run."""
    script = Script([], Stop(), list(looks), judgements=[Judgement(None, (Settled(A, NEEDED), Settled(B, NEEDED)))])
    item = replace(ITEM, verdict=Untag(("latest",)))
    await step_of(script, UntagManifest(item), effect=Effect.OVER).run()

    assert script.asked == ["judge", "look at a", "look at b"]
    assert [script.results.outcome(target) for target in ITEM.targets] == expected


async def test_what_cannot_be_kept_is_not_deleted() -> None:
    """A manifest that cannot be archived stays, and so does everything after it."""
    script = Script([StateError("the disk is full")], Stop())
    await step_of(script, DeleteManifest(ONE)).run()

    outcome = told(script)
    assert isinstance(outcome, Failed)
    assert outcome.failure.code is FailureCode.NOT_RECORDED
    assert script.stop.reason is NotAttemptedReason.FAIL_FAST


async def test_what_cannot_be_kept_any_more_after_a_send() -> None:
    """An earlier send may have deleted the manifest: that the next one cannot be recorded does not say that it is there."""
    script = Script([(Unsent(BROKEN), Effect.OPEN), StateError("the disk is full")], Stop())
    await step_of(script, DeleteManifest(ONE)).run()

    outcome = told(script)
    assert isinstance(outcome, Failed)
    assert outcome.failure.code is FailureCode.UNCONFIRMED
    assert script.stop.reason is NotAttemptedReason.FAIL_FAST


async def test_a_child_whose_index_stays() -> None:
    """A manifest is not sent for if an index that was to go before it has not gone."""
    script = Script([], Stop())
    step = DeleteManifest(CHILD, (ONE.digest,))
    image = step_of(script, DeleteManifest(ONE), step)
    child = ImageStep(step, image._parts, Effect.NONE)
    image._parts.progress.end(DeleteManifest(ONE))
    await child.run()

    assert script.asked == ["judge"]
    assert script.results.outcome(CHILD.targets[0]) == Kept(KeptReason.NEEDED, (f"{APP}@{ONE.digest}",))


async def test_cut_off_in_the_middle() -> None:
    """A run that ends while a DELETE is under way says that it is unconfirmed."""
    script = Script([], Stop(), during=anyio.sleep_forever)
    await cut_off(step_of(script, DeleteManifest(ONE)))

    outcome = told(script)
    assert isinstance(outcome, Failed)
    assert outcome.failure.code is FailureCode.UNCONFIRMED


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("removal", Removal)
async def test_cut_off_in_the_proof(effect: Effect, removal: Removal) -> None:
    """A DELETE that came to a removal is not forgotten where its proof is cut off, whatever its sends may have done."""
    script = Script([(removal, effect)], Stop(), while_proving=anyio.sleep_forever)
    await cut_off(step_of(script, DeleteManifest(ONE)))

    assert (script.asked, told(script)) == (["judge", "send"], Failed(UNCONFIRMED))


async def test_cut_off_in_the_proof_of_what_a_look_found() -> None:
    """A manifest that a look found gone after a limit is not forgotten either."""
    script = Script(
        [(Unsent(BROKEN), Effect.OVER)] * 2, Stop(), [Removal.FOUND_GONE], while_proving=anyio.sleep_forever
    )
    await cut_off(step_of(script, DeleteManifest(ONE)))

    assert (script.asked[-1], told(script)) == ("look", Failed(UNCONFIRMED))


async def test_cut_off_while_others_wait_for_the_proof() -> None:
    """What was sent and waits for its proof is for those to tell who prove it: it is not concluded here as well."""
    script = Script([(Removal.FOUND_GONE, Effect.OPEN)], Stop(), while_settling=anyio.sleep_forever)
    await cut_off(step_of(script, DeleteManifest(ONE), DeleteManifest(CHILD, (ONE.digest,))))

    assert script.waiting == [ONE]
    assert told(script) is None


async def test_what_a_judgement_drops_is_told_first() -> None:
    """A target that moved has its outcome before the rest is sent, which says nothing of it."""
    script = Script([(Removal.ACCEPTED, Effect.OPEN)], Stop(), judgements=[Judgement(LEFT, MOVED)])
    await step_of(script, DeleteManifest(ITEM)).run()

    assert script.asked == ["judge", "send"]
    assert [script.results.outcome(target) for target in ITEM.targets] == [Deleted(), Kept(KeptReason.MOVED)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Removal.FOUND_GONE, [Deleted(), Deleted()]),
        (BROKEN, [Failed(BROKEN), Kept(KeptReason.MOVED)]),
        (Finding.STILL_THERE, [Failed(REFUSED), Kept(KeptReason.MOVED)]),
    ],
)
async def test_what_is_dropped_after_a_send(found: LookResult, expected: list[Outcome]) -> None:
    """A send included it: where an obstacle keeps the rest from being sent again, a look decides about both."""
    script = Script([(Unsent(BROKEN), Effect.OPEN)], Stop(), [found])
    script.judgements = [Judgement(ITEM), Judgement(LEFT, MOVED)]

    async def bar() -> None:
        script.known_failure = REFUSED

    script.during = bar
    await step_of(script, DeleteManifest(ITEM)).run()

    assert script.asked == ["judge", "send", "judge", "look"]
    assert [script.results.outcome(target) for target in ITEM.targets] == expected


@pytest.mark.parametrize(
    ("dropped", "expected"), [(MOVED, Kept(KeptReason.MOVED)), ((Settled(B, Gone()),), Failed(UNCONFIRMED))]
)
async def test_what_is_dropped_in_a_run_that_is_stopped_meanwhile(
    dropped: tuple[Settled, ...], expected: Outcome
) -> None:
    """A send included it, and that send may be taking effect: no target of it is said not to have been attempted."""
    script = Script([(Unsent(BROKEN), Effect.OPEN)], Stop())
    script.judgements = [Judgement(ITEM), Judgement(LEFT, dropped)]
    script.while_judging = script.stop.fail_fast
    await step_of(script, DeleteManifest(ITEM)).run()

    assert script.asked == ["judge", "send", "judge"]
    first, second = (script.results.outcome(target) for target in ITEM.targets)
    assert first == Failed(UNCONFIRMED)
    if isinstance(second, Failed):  # an absent tag is named as gone besides
        assert second.failure.message == f"{UNCONFIRMED.message}; the tag is gone already"
        second = Failed(replace(UNCONFIRMED, code=second.failure.code))
    assert second == expected


async def test_what_is_not_begun_in_a_stopped_run() -> None:
    """Nobody is asked, and nothing is said of it; who waits for it is let go."""
    script = Script([], Stop())
    step = step_of(script, DeleteManifest(ONE), DeleteManifest(CHILD, (ONE.digest,)))
    script.stop.fail_fast()
    await step.run()

    assert (script.asked, told(script)) == ([], None)
    assert await is_over(step)


async def test_a_stop_after_a_send_without_an_answer() -> None:
    """It is unconfirmed, and not sent again."""
    script = Script([(Unsent(BROKEN), Effect.OPEN)], Stop())

    async def stop() -> None:
        script.stop.fail_fast()

    script.during = stop
    await step_of(script, DeleteManifest(ONE)).run()

    assert (script.asked, told(script)) == (["judge", "send"], Failed(UNCONFIRMED))


@pytest.mark.parametrize(("answers", "expected"), [([(Unsent(BROKEN), Effect.OPEN)], Failed(UNCONFIRMED)), ([], None)])
async def test_a_bug(answers: list[Answer], expected: Outcome | None) -> None:
    """It is not lost, and the image is unconfirmed if it may be gone; who waits for it is let go, and its turn is free."""
    script = Script([*answers, ZeroDivisionError()], Stop())
    step = step_of(script, DeleteManifest(ONE), DeleteManifest(CHILD, (ONE.digest,)))

    with pytest.raises(ZeroDivisionError):
        await step.run()

    assert told(script) == expected
    assert await is_over(step)


async def test_the_host_is_open_after_an_answer() -> None:
    """A send that was taken back proves nothing of the host, so the next one goes alone too; an answer does."""
    script = Script([(Unsent(BROKEN), Effect.OPEN)] * 2, Stop(), [Removal.FOUND_GONE])
    first = step_of(script, DeleteManifest(ONE), DeleteManifest(CHILD))
    await first.run()
    async with first._parts.first_alone.turn(DeletionGate(APP.host)) as is_alone_after_a_look:
        pass
    script.answers.append((BROKEN, Effect.OPEN))
    await ImageStep(DeleteManifest(CHILD), first._parts, Effect.NONE).run()
    async with first._parts.first_alone.turn(DeletionGate(APP.host)) as is_alone_after_an_answer:
        pass

    assert (is_alone_after_a_look, is_alone_after_an_answer) == (True, False)


async def test_tags_are_taken_off_by_their_sender() -> None:
    """Who takes tags off records what became of them; until then the image is judged again and again."""
    script = Script([(Unsent(), Effect.NONE), (Finding.RECORDED, Effect.NONE)], Stop())
    step = step_of(script, UntagManifest(replace(ONE, verdict=Untag(("latest",)))))
    await step.run()

    assert script.asked == ["judge", "untag", "judge", "untag"]
    assert told(script) is None  # its proof is still to come
    async with step._parts.first_alone.turn(DeletionGate(APP.host)) as is_alone:
        assert not is_alone


@pytest.mark.parametrize(
    ("outcome", "is_alone_then"),
    [(Kept(KeptReason.MOVED), True), (Gone(), True), (UNTAGGED, False), (Failed(REFUSED), False)],
)
async def test_tags_for_which_nothing_was_sent(outcome: Outcome, *, is_alone_then: bool) -> None:
    """Where reading showed that all tags of an image had moved, its host was not asked to delete: the next one goes alone."""
    script = Script([(Finding.RECORDED, Effect.NONE)], Stop())
    step = step_of(script, UntagManifest(replace(ONE, verdict=Untag(("latest",)))))
    assert script.outcomes is not None
    script.outcomes.record(ONE, ONE.targets, outcome)
    await step.run()

    async with step._parts.first_alone.turn(DeletionGate(APP.host)) as is_alone:
        assert is_alone is is_alone_then
