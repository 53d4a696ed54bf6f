"""Whatever happens to an image, it comes to an end, and nothing is sent that may not be."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Settled
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.target import Source, Target
from bulkrm.planning.next_step import (
    MAX_JUDGEMENTS,
    UNCONFIRMED,
    AwaitTurn,
    Finding,
    Judgement,
    Known,
    Leave,
    Look,
    NextStep,
    Recheck,
    Record,
    Send,
    Unsent,
    next_step,
)

APP = Repository("registry.example", "team/app")
A, B = (Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate("ab"))
ITEM = Item(APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (A, B), Delete(), ("a", "b"))
KEPT = Kept(KeptReason.MOVED)
FAILURES = st.sampled_from([Failure(code, "why") for code in FailureCode])
ITEMS = st.sampled_from([None, ITEM, replace(ITEM, targets=(A,))])
DROPPED = st.sampled_from([(), (Settled(B, KEPT),), (Settled(A, KEPT), Settled(B, KEPT))])
JUDGEMENTS = st.builds(Judgement, ITEMS, DROPPED)
CAME_TO = st.one_of(
    st.sampled_from([*Removal, Finding.RECORDED]), FAILURES, st.builds(Unsent, st.one_of(st.none(), FAILURES))
)
LOOKED = st.one_of(st.just(Removal.FOUND_GONE), st.just(Finding.STILL_THERE), FAILURES)
# Each judgement is followed by at most a part that is recorded and a send, and at the end come a look and two records.
MOST = 1 + 3 * MAX_JUDGEMENTS + 4


class World:
    """Everything that may happen, as `data` has it. `steps` are what was decided, with what was known."""

    def __init__(self, data: st.DataObject, effect: Effect) -> None:
        self._data = data
        self.known = Known(ITEM, effect=effect)
        self.steps: list[tuple[NextStep, Known]] = []

    def live(self) -> None:
        """Let it happen, until nothing comes next."""
        while not self.steps or not isinstance(self.steps[-1][0], Leave):
            assert len(self.steps) <= MOST
            self.known = self.known.when(is_stopped=self.known.is_stopped or self._data.draw(st.booleans()))
            step = next_step(self.known)
            self.steps.append((step, self.known))
            self._happen(step)

    def _happen(self, step: NextStep) -> None:
        draw = self._data.draw
        match step:
            case AwaitTurn():
                self.known = replace(self.known, is_its_turn=True)
            case Recheck():
                kept_parent = draw(st.sampled_from([None, ITEM.digest]))
                self.known = self.known.judged(draw(JUDGEMENTS), draw(st.one_of(st.none(), FAILURES)), kept_parent)
            case Send():
                self.known = self.known.came_to(draw(CAME_TO), self.known.effect.or_more(draw(st.sampled_from(Effect))))
            case Look():
                self.known = self.known.looked_up(draw(LOOKED))
            case Record():
                self.known = self.known.recorded(step)
            case Leave():
                pass


@given(st.data(), st.sampled_from([Effect.NONE, Effect.OVER]))
def test_it_ends(data: st.DataObject, effect: Effect) -> None:
    """Whatever judgements, answers and looks come, there is an end, soon, and at most one outcome for all of it."""
    world = World(data, effect)

    world.live()

    final = [step for step, _ in world.steps if isinstance(step, Record) and not isinstance(step.what, tuple)]
    assert len(final) <= 1
    assert sum(isinstance(step, Recheck) for step, _ in world.steps) <= MAX_JUDGEMENTS


@given(st.data(), st.sampled_from([Effect.NONE, Effect.OVER]))
def test_what_is_sent(data: st.DataObject, effect: Effect) -> None:
    """Nothing is sent after a stop, out of turn, without a judgement of its own, or against a known obstacle."""
    world = World(data, effect)

    world.live()

    previous: NextStep = Leave()
    for step, known in world.steps:
        if isinstance(step, Send):
            assert not known.is_stopped
            assert known.is_its_turn
            assert known.expected_failure is None
            assert known.kept_parent is None
            assert isinstance(previous, Recheck | Record)
        previous = step


@given(st.data(), st.sampled_from([Effect.NONE, Effect.OVER]))
def test_no_doubt_is_passed_over(data: st.DataObject, effect: Effect) -> None:
    """What may have been sent is looked up before anything else is said of it, or said to be unconfirmed."""
    world = World(data, effect)

    world.live()

    for step, known in world.steps:
        doubtful = known.effect.may_have_acted and not known.is_looked_up and known.unrecorded is None
        if isinstance(step, Record) and doubtful and not known.goes:
            assert step.what == Failed(UNCONFIRMED)
