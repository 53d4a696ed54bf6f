"""The possible effect of a change, by the answer to its request: `bulkrm.model.result.effect` has the theory."""

from bulkrm.model.result.effect import Effect
from bulkrm.protocol.decision import is_limit
from bulkrm.protocol.message import Answer, NoAnswer

_TIMED_OUT = 408


def effect_of(answer: Answer | NoAnswer) -> Effect:
    """Return the possible effect of one send. A success is `OPEN`: its sender judges at once what it proves."""
    if isinstance(answer, NoAnswer):
        return Effect.OPEN if answer.may_have_acted else Effect.NONE
    if is_limit(answer):
        return Effect.OVER
    # A refusal and a redirect changed nothing; a 5xx and a success may have.
    refused = 300 <= answer.status < 500 and answer.status != _TIMED_OUT  # noqa: PLR2004
    return Effect.NONE if refused else Effect.OPEN
