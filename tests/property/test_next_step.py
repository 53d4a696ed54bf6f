"""Whatever happens to an image, it comes to an end, and nothing is sent or recorded that may not be."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed
from bulkrm.model.target import Target
from bulkrm.planning.image_state import (
    MAX_JUDGEMENTS,
    CameTo,
    Finding,
    Going,
    Judgement,
    LookResult,
    Queued,
    State,
    Unsent,
)
from bulkrm.planning.next_step import (
    UNCONFIRMED,
    AwaitTurn,
    Leave,
    Look,
    NextStep,
    Recheck,
    Record,
    Send,
    next_step,
)
from tests.support.one_image import ALL_MOVED, ITEM, LEFT, MOVED, NEEDED

FAILURES = st.sampled_from([Failure(code, "why") for code in FailureCode])
# A judgement drops only what has no outcome yet: once a part is dropped, there is the other one to judge.
JUDGEMENTS = st.sampled_from([Judgement(ITEM), Judgement(LEFT, MOVED), Judgement(None, ALL_MOVED), Judgement(None)])
LATER = st.sampled_from([Judgement(LEFT), Judgement(None, ALL_MOVED[:1]), Judgement(None)])
OBSTACLES = st.one_of(st.none(), st.just(NEEDED), st.builds(Failed, FAILURES))
CAME_TO: st.SearchStrategy[CameTo] = st.one_of(
    st.builds(Unsent, st.one_of(st.none(), FAILURES)), st.sampled_from(Removal), st.just(Finding.RECORDED), FAILURES
)
LOOKED_UP: st.SearchStrategy[LookResult] = st.one_of(
    st.just(Finding.STILL_THERE), st.just(Removal.FOUND_GONE), FAILURES
)
# Its turn, a part that is dropped and a send for each judgement, and at the end a look and two records.
MOST = 1 + 3 * MAX_JUDGEMENTS + 4


class World:
    """Everything that may happen, as `data` has it. `steps`: what came next, each time, and what sends may have done.

    `told`: for each target what was recorded of it, in order; a record of an item is one of its targets without an outcome.
    """

    def __init__(self, data: st.DataObject, effect: Effect) -> None:
        self._data = data
        self._state: State = Queued(ITEM)
        self._effect = effect
        self._is_dropped = False
        self.is_stopped = False
        self.told: dict[Target, list[object]] = {target: [] for target in ITEM.targets}
        self.steps: list[tuple[NextStep, Effect]] = []

    def live(self) -> None:
        """Let it happen, until nothing comes next."""
        while not self.steps or not isinstance(self.steps[-1][0], Leave):
            assert len(self.steps) <= MOST
            self.is_stopped = self.is_stopped or self._data.draw(st.sampled_from([False, False, False, True]))
            step = next_step(self._state, self._effect, is_stopped=self.is_stopped)
            assert not (self.is_stopped and isinstance(step, AwaitTurn | Recheck | Send))
            self.steps.append((step, self._effect))
            self._state = self._after(step)

    def _after(self, step: NextStep) -> State:
        draw = self._data.draw
        match step:
            case AwaitTurn(then):
                return then
            case Record(item, what, then):
                self._is_dropped = self._is_dropped or isinstance(what, tuple)
                self._record(item, what)
                return then
            case Recheck(unjudged):
                judgement, obstacle = draw(LATER if self._is_dropped else JUDGEMENTS), draw(OBSTACLES)
                obstacle = None if judgement.item is None and obstacle == NEEDED else obstacle
                return unjudged.judged(judgement, obstacle, self._effect)
            case Send(going):
                self._effect = self._effect.or_more(draw(st.sampled_from(Effect)))
                came_to = draw(CAME_TO)
                if came_to is Finding.RECORDED:
                    self._record(going.item, came_to)
                return going.came_to(came_to, self._effect)
            case Look(in_doubt):
                return in_doubt.looked_up(draw(LOOKED_UP))
            case Leave():
                return self._state

    def _record(self, item: Item, what: object) -> None:
        if isinstance(what, tuple):
            for settled in what:
                self.told[settled.target].append(settled.outcome)
        else:
            for target in item.targets:
                if not self.told[target]:
                    self.told[target].append(what)


def lived(data: st.DataObject, effect: Effect) -> list[tuple[NextStep, Effect]]:
    """The steps of one image, to its end."""
    world = World(data, effect)
    world.live()
    return world.steps


AT_FIRST = st.sampled_from([Effect.NONE, Effect.OVER])


@given(st.data(), AT_FIRST)
def test_it_ends(data: st.DataObject, effect: Effect) -> None:
    """Whatever judgements, answers and looks come, there is an end, soon, and a stopped run begins nothing."""
    kinds = Counter(type(step) for step, _ in lived(data, effect))

    assert kinds[Recheck] <= MAX_JUDGEMENTS
    assert kinds[AwaitTurn] <= 1
    assert kinds[Look] <= 1


@given(st.data(), AT_FIRST)
def test_one_outcome_for_each_target(data: st.DataObject, effect: Effect) -> None:
    """What is dropped is dropped once and not sent; an outcome of all that is left is recorded once, and is the end."""
    steps = [step for step, _ in lived(data, effect)]
    dropped: list[Target] = []
    for step in steps:
        if isinstance(step, Record) and isinstance(step.what, tuple):
            dropped += [settled.target for settled in step.what]
        if isinstance(step, Send):
            assert set(dropped).isdisjoint(step.state.item.targets)
    finals = [
        number for number, step in enumerate(steps) if isinstance(step, Record) and not isinstance(step.what, tuple)
    ]

    assert len(dropped) == len(set(dropped))
    assert finals in ([], [len(steps) - 2])


@settings(max_examples=500)  # it takes a send without an answer, a partial judgement, an obstacle and a look in a row
@given(st.data(), AT_FIRST)
def test_each_target_has_its_outcome(data: st.DataObject, effect: Effect) -> None:
    """Each target has one outcome, in a running run and a stopped one; none has only where that is certain to be said later.

    It is `not-attempted` at the end of the run then, so no send of it may be taking effect, and nothing was recorded of the
    rest of its image, but what a judgement dropped.
    """
    world = World(data, effect)
    world.live()

    assert {len(told) for told in world.told.values()} <= {0, 1}
    if not all(world.told.values()):
        is_looked_up = any(isinstance(step, Look) for step, _ in world.steps)
        assert world.steps[-1][1] is not Effect.OPEN or is_looked_up
        assert all(isinstance(step.what, tuple) for step, _ in world.steps if isinstance(step, Record))


@given(st.data(), AT_FIRST)
def test_a_send_follows_its_judgement(data: st.DataObject, effect: Effect) -> None:
    """Nothing is sent by a judgement that an earlier send has used up, and only what the judgement left is sent."""
    judged = False
    for step, _ in lived(data, effect):
        assert judged or not isinstance(step, Send)
        judged = isinstance(step, Recheck) or (judged and isinstance(step, Record))


@given(st.data(), AT_FIRST)
def test_no_doubt_is_passed_over(data: st.DataObject, effect: Effect) -> None:
    """What may have been sent is looked up before anything but its answer is recorded, or is recorded as unconfirmed."""
    previous: NextStep | None = None
    is_looked_up = False
    for step, done in lived(data, effect):
        is_looked_up = (is_looked_up or isinstance(step, Look)) and not isinstance(step, Send)
        if isinstance(step, Record) and done.may_have_acted and not is_looked_up:
            goes_on = isinstance(step.then, Going)
            assert isinstance(previous, Send) or goes_on or step.what == Failed(UNCONFIRMED)
        previous = step
