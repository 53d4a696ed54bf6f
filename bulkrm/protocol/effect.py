"""The possible effect of a change, by the answer to its request: `bulkrm.model.result.effect` has the theory."""

from bulkrm.model.http_status import INTERNAL_SERVER_ERROR, MULTIPLE_CHOICES, REQUEST_TIMEOUT
from bulkrm.model.result.effect import Effect
from bulkrm.protocol.decision import is_limit
from bulkrm.protocol.message import Answer, NoAnswer


def effect_of(answer: Answer | NoAnswer) -> Effect:
    """Return the possible effect of one send. A success is `OPEN`: its sender judges at once what it proves."""
    if isinstance(answer, NoAnswer):
        return Effect.OPEN if answer.may_have_acted else Effect.NONE
    if is_limit(answer):
        return Effect.OVER
    # A refusal and a redirect changed nothing; a 5xx and a success may have.
    refused = MULTIPLE_CHOICES <= answer.status < INTERNAL_SERVER_ERROR and answer.status != REQUEST_TIMEOUT
    return Effect.NONE if refused else Effect.OPEN
