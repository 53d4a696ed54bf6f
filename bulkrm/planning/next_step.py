"""What comes next for one image: the one place that decides when it is judged, sent, looked up and given up.

Pure: `next_step` maps the state of an image (`image_state`) to what comes next, and `engine.execute.image_step` is the loop
that does it. "It" is the image, and a send is one DELETE, or those of its tags:

===========  =======================================================  ==============================  ========================
state        condition                                                what comes next                 in a stopped run
===========  =======================================================  ==============================  ========================
`Queued`     something that goes before it is not over                `AwaitTurn`                     `Leave`
`Unjudged`   it has no judgement, or its send was withdrawn           `Recheck`                       `Leave`
`Dropping`   the newest judgement drops some of its targets           `Record` those                  `Record` those
`Going`      the judgement deletes it, and nothing is against that    `Send`                          `Leave`
`InDoubt`    it is not sent again, and a send may have taken effect   `Look`                          `Look` if it is given up,
                                                                                                      else `Leave`
`Barred`     something is known against a send of it                  `Record` that                   `Leave`
`Undecided`  it cannot be judged any more                             `Leave`                         `Leave`
`GivenUp`    it would have to be judged again, and was judged or      `Record` what its last send     `Record` that
             failed too often for that                                met
`Ended`      its last send came to an end                             `Record` that                   `Record` that
`LookedUp`   a look found it gone, or the look failed                 `Record` that                   `Record` that
`Recorded`   every target has its outcome, or waits for its proof     `Leave`                         `Leave`
===========  =======================================================  ==============================  ========================

One rule stands above the last column: where a send may be taking effect (`Effect.OPEN`), a stopped run has `Record` next,
with `UNCONFIRMED`, in every state but the last three. That is the outcome of every target that has none, also of those that a
judgement drops (`Dropping`), because the send was for them too. Only the dropped targets that were read to lead to another
manifest are recorded as `moved`, before the others. An image that a stopped run leaves is judged again by `resume`, which
looks up what may have been sent.
"""

from bulkrm.model.plan import Item, Settled
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import FIND_OUT, Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, NotAttempted
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.image_state import (
    Barred,
    Dropping,
    Ended,
    GivenUp,
    Going,
    InDoubt,
    LookedUp,
    Queued,
    Recorded,
    State,
    Undecided,
    Unjudged,
    Unsettled,
)


@valueclass
class AwaitTurn:
    """Wait until every step that goes before it is over, and for its turn at the gates (`FirstAlone`)."""

    then: Unjudged


@valueclass
class Recheck:
    """Judge it by what the registry has now, unless it was judged so a short time ago."""

    state: Unjudged


@valueclass
class Send:
    """Send the request that deletes it, or untags it."""

    state: Going


@valueclass
class Look:
    """Look up by HEAD whether a send took effect: at the manifest, or at its tags where those are removed."""

    state: InDoubt


@valueclass
class Record:
    """Record the outcome of its targets. A `Removal` is proved first; a tuple has the targets that the judgement dropped."""

    item: Item
    what: Removal | Failed | Kept | NotAttempted | tuple[Settled, ...]
    then: Going | Barred | Undecided | LookedUp | Recorded


@valueclass
class Leave:
    """Do nothing more. A target without an outcome becomes `not-attempted` at the end of the run."""


NextStep = AwaitTurn | Recheck | Send | Look | Record | Leave

UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint=FIND_OUT,
)


def next_step(state: State, effect: Effect, *, is_stopped: bool) -> NextStep:
    """Return what comes next, by the table above. `effect`: what all sends so far may have done."""
    if isinstance(state, (Ended, LookedUp, Recorded)):
        return _of_the_end(state)
    return _in_a_stopped_run(state, effect) if is_stopped else _in_a_running_run(state)


def _of_the_end(state: Ended | LookedUp | Recorded) -> Record | Leave:
    match state:
        case Ended(item, what):
            return Record(item, what, Recorded(ended=True))
        case LookedUp(item, what):
            return Record(item, what, Recorded())
        case Recorded():
            return Leave()


def _in_a_stopped_run(state: Unsettled, effect: Effect) -> Record | Look | Leave:
    if effect is Effect.OPEN:
        if isinstance(state, Dropping) and state.moved:
            return Record(state.item, state.moved, Undecided(state.item))
        return Record(state.item, Failed(UNCONFIRMED), Recorded())
    match state:
        case Dropping() | GivenUp():
            return _record(state)
        case InDoubt(GivenUp()):
            return Look(state)
        case _:
            return Leave()


def _in_a_running_run(state: Unsettled) -> NextStep:
    match state:
        case Queued(item):
            return AwaitTurn(Unjudged(item))
        case Unjudged():
            return Recheck(state)
        case Going():
            return Send(state)
        case InDoubt():
            return Look(state)
        case Undecided():
            return Leave()
        case _:
            return _record(state)


def _record(state: Dropping | Barred | GivenUp) -> Record:
    match state:
        case Dropping(item, dropped, then):
            return Record(item, dropped, then)
        case Barred(item, outcome) | GivenUp(item, outcome):
            return Record(item, outcome, Recorded())
