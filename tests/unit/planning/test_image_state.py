"""How the states of one image follow each other: by a judgement, a send and a look."""

from dataclasses import replace

import pytest

from bulkrm.model.plan import Settled, Untag
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, NotAttempted, NotAttemptedReason
from bulkrm.planning.image_state import (
    MAX_JUDGEMENTS,
    MAX_TROUBLES,
    Barred,
    CameTo,
    Dropping,
    Ended,
    Finding,
    GivenUp,
    Going,
    InDoubt,
    Judgement,
    LookedUp,
    LookResult,
    Obstacle,
    Recorded,
    State,
    Undecided,
    Unjudged,
    Unsent,
)
from tests.support.one_image import ALL_MOVED, BARRED, BROKEN, ITEM, LEFT, MOVED, NEEDED, REFUSED, A, B

GOING, TOO_OFTEN = Going(ITEM, ITEM, 1, 0), Going(ITEM, ITEM, MAX_JUDGEMENTS, 0)


@pytest.mark.parametrize(
    ("judgement", "obstacle", "expected"),
    [
        (Judgement(ITEM), None, GOING),
        (Judgement(LEFT, MOVED), None, Dropping(ITEM, MOVED, Going(LEFT, ITEM, 1, 0))),
        (Judgement(ITEM), BARRED, Barred(ITEM, BARRED)),
        (Judgement(ITEM), NEEDED, Barred(ITEM, NEEDED)),
        (Judgement(LEFT, MOVED), NEEDED, Dropping(ITEM, MOVED, Barred(LEFT, NEEDED))),
        (Judgement(None), BARRED, Barred(ITEM, BARRED)),
        (Judgement(None), None, Undecided(ITEM)),
        (Judgement(None, ALL_MOVED), None, Dropping(ITEM, ALL_MOVED, Recorded())),
        (Judgement(None, ALL_MOVED), BARRED, Dropping(ITEM, ALL_MOVED, Recorded())),
    ],
)
def test_a_judgement(judgement: Judgement, obstacle: Obstacle | None, expected: State) -> None:
    """It goes on, but what it drops is recorded first; if it stays and may have been sent, it is looked up first."""
    assert Unjudged(ITEM).judged(judgement, obstacle, Effect.NONE) == expected
    is_sent = isinstance(expected, Going) or (isinstance(expected, Dropping) and isinstance(expected.then, Going))
    for effect in (Effect.OVER, Effect.OPEN):
        after = Unjudged(ITEM).judged(judgement, obstacle, effect)
        assert after == (expected if is_sent else InDoubt(expected))  # type: ignore[arg-type]


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (Removal.ACCEPTED, Ended(LEFT, Removal.ACCEPTED)),
        (Removal.WAS_GONE, Ended(LEFT, Removal.WAS_GONE)),
        (REFUSED, Ended(LEFT, Failed(REFUSED))),
        (Finding.RECORDED, Recorded(by_sender=True)),
        (Unsent(), Unjudged(ITEM, 3, 0)),
        (Unsent(REFUSED), Unjudged(ITEM, 3, 0)),
        (Unsent(BROKEN), Unjudged(ITEM, 3, 1)),
    ],
)
def test_a_send(what: CameTo, effect: Effect, expected: State) -> None:
    """Its answer is about what the judgement left; where it was withdrawn, the whole item of the plan is judged again."""
    assert Going(LEFT, ITEM, 3, 0).came_to(what, effect) == expected


def test_a_host_that_is_not_asked_any_more() -> None:
    """An image was not attempted where nothing was sent for it; it failed where an earlier send may have taken effect."""
    spent = CircuitOpen(BROKEN.code, BROKEN.message, BROKEN.status)

    assert GOING.came_to(spent, Effect.NONE) == Ended(ITEM, NotAttempted(NotAttemptedReason.CIRCUIT_OPEN))
    for effect in (Effect.OVER, Effect.OPEN):
        assert GOING.came_to(spent, effect) == Ended(ITEM, Failed(BROKEN))


@pytest.mark.parametrize("going", [Going(ITEM, ITEM, 2, MAX_TROUBLES - 1), TOO_OFTEN])
def test_it_is_given_up(going: Going) -> None:
    """After too much trouble or too many judgements it is not judged again: it fails with what its last send met."""
    given_up = GivenUp(ITEM, Failed(BROKEN))

    assert going.came_to(Unsent(BROKEN), Effect.NONE) == given_up
    assert going.came_to(Unsent(BROKEN), Effect.OVER) == InDoubt(given_up)
    assert going.came_to(Unsent(BROKEN), Effect.OPEN) == InDoubt(given_up)


def test_who_never_gets_to_send() -> None:
    """An image that was judged so often, and was never sent in time, fails with that."""
    given_up = TOO_OFTEN.came_to(Unsent(), Effect.NONE)

    assert isinstance(given_up, GivenUp)
    assert given_up.outcome.failure.code is FailureCode.TIMEOUT
    assert str(MAX_JUDGEMENTS) in given_up.outcome.failure.message


def test_what_counts_as_trouble() -> None:
    """A missing right is no trouble of the host's: it is judged again as often as any other."""
    state: State = GOING
    for number in range(MAX_TROUBLES + 1):
        assert state == Going(ITEM, ITEM, number + 1, 0)
        state = state.came_to(Unsent(REFUSED), Effect.NONE)
        assert isinstance(state, Unjudged)
        state = state.judged(Judgement(ITEM), None, Effect.NONE)


@pytest.mark.parametrize("then", [Barred(LEFT, BARRED), Undecided(ITEM), GivenUp(ITEM, Failed(BROKEN))])
@pytest.mark.parametrize(
    ("found", "what"), [(Removal.FOUND_GONE, Removal.FOUND_GONE), (BROKEN, Failed(BROKEN)), (Finding.STILL_THERE, None)]
)
def test_a_look(then: Barred | Undecided | GivenUp, found: LookResult, what: Removal | Failed | None) -> None:
    """What it finds is the outcome, and where it finds the manifest there, what was put off follows."""
    assert InDoubt(then).looked_up(found) == (then if what is None else LookedUp(then.item, what))


DROPPED = [(Judgement(LEFT, MOVED), BARRED), (Judgement(LEFT, MOVED), NEEDED), (Judgement(None, ALL_MOVED), None)]


@pytest.mark.parametrize(("judgement", "obstacle"), DROPPED)
@pytest.mark.parametrize("effect", [Effect.OVER, Effect.OPEN])
def test_what_is_dropped_after_a_send(judgement: Judgement, obstacle: Obstacle | None, effect: Effect) -> None:
    """An earlier send included what the newest judgement drops, so what a look finds is the outcome of that as well.

    Where the look fails, a tag that was read to lead elsewhere has moved all the same.
    """
    in_doubt = Unjudged(ITEM).judged(judgement, obstacle, effect)
    assert isinstance(in_doubt, InDoubt)

    looked_up, unread = in_doubt.looked_up(Removal.FOUND_GONE), in_doubt.looked_up(BROKEN)

    assert isinstance(looked_up, LookedUp)
    assert unread == Dropping(looked_up.item, judgement.dropped, LookedUp(looked_up.item, Failed(BROKEN)))
    assert (set(looked_up.item.targets), set(looked_up.item.tags)) == (set(ITEM.targets), set(ITEM.tags))


def test_a_new_send_has_to_be_looked_up_anew() -> None:
    """What a killed run may have sent, and what this one sent, is one doubt: a judgement that keeps it does not end it."""
    again = GOING.came_to(Unsent(Failure(FailureCode.TIMEOUT, "no answer")), Effect.OPEN)

    assert isinstance(again, Unjudged)
    assert again.judged(Judgement(None, ALL_MOVED), None, Effect.OPEN) == InDoubt(Dropping(ITEM, ALL_MOVED, Recorded()))


ABSENT = (Settled(B, Gone()),)
A_STAYS = Settled(A, NEEDED)


@pytest.mark.parametrize("effect", [Effect.OVER, Effect.OPEN])
def test_an_absent_tag_after_a_send_stays_with_its_image(effect: Effect) -> None:
    """It may have gone by that send, ahead of its manifest; without one somebody else removed it."""
    assert Unjudged(ITEM).judged(Judgement(LEFT, ABSENT), None, effect) == Going(ITEM, ITEM, 1, 0)
    assert Unjudged(ITEM).judged(Judgement(LEFT, ABSENT), None, Effect.NONE) == Dropping(
        ITEM, ABSENT, Going(LEFT, ITEM, 1, 0)
    )


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ((A_STAYS,), NEEDED),  # which is `untagged` where it is known that the tag went ahead (`image_outcome`)
        ((), FailureCode.UNFINISHED),
        ((Settled(A, Kept(KeptReason.MOVED)),), FailureCode.UNFINISHED),
    ],
)
def test_an_absent_tag_whose_manifest_a_look_finds(others: tuple[Settled, ...], told: Kept | FailureCode) -> None:
    """It is told by what keeps the manifest, and where nothing does it is unfinished: never absent."""
    in_doubt = Unjudged(ITEM).judged(Judgement(None, (*others, *ABSENT)), None, Effect.OPEN)
    assert isinstance(in_doubt, InDoubt)

    dropping = in_doubt.looked_up(Finding.STILL_THERE)

    assert isinstance(dropping, Dropping)
    *rest, absent = dropping.dropped
    assert (tuple(rest), absent.target) == (others, B)
    is_failed = isinstance(absent.outcome, Failed)
    assert (absent.outcome.failure.code if is_failed else absent.outcome) == told  # type: ignore[union-attr]


def test_an_absent_tag_of_a_manifest_that_is_not_to_go() -> None:
    """Of an image that only loses its tags the judgement counts: each tag has a send of its own, which reads it."""
    item = replace(ITEM, verdict=Untag(()))
    left = replace(LEFT, verdict=Untag(()))

    assert Unjudged(item).judged(Judgement(left, ABSENT), None, Effect.OVER) == Dropping(
        replace(ITEM, verdict=Untag(())), ABSENT, Going(left, item, 1, 0)
    )
