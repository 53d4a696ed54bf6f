"""What an answer tells of the change that was asked for."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.result.effect import Effect
from bulkrm.protocol import message
from bulkrm.protocol.decision import effect_of
from bulkrm.protocol.message import Answer, NoAnswer

QUOTA_USED_UP = CIMultiDictProxy(CIMultiDict({"Retry-After": "60"}))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(202), Effect.OPEN),
        (Answer(204), Effect.OPEN),
        (Answer(307), Effect.NONE),
        (Answer(401), Effect.NONE),
        (Answer(403), Effect.NONE),
        (Answer(404), Effect.NONE),
        (Answer(405), Effect.NONE),
        (Answer(408), Effect.OPEN),
        (Answer(429), Effect.OVER),
        (Answer(403, QUOTA_USED_UP), Effect.OVER),
        (Answer(500), Effect.OPEN),
        (Answer(504), Effect.OPEN),
        (NoAnswer(message.LOST, "why"), Effect.OPEN),
        (NoAnswer(message.TIMEOUT, "why"), Effect.OPEN),
        (NoAnswer(message.TOO_LARGE, "why"), Effect.OPEN),
        (NoAnswer(message.UNREACHABLE, "why"), Effect.NONE),
        (NoAnswer(message.EXHAUSTED, "why"), Effect.NONE),
        (NoAnswer(message.CERTIFICATE, "why"), Effect.NONE),
        (NoAnswer(message.NOT_TLS, "why"), Effect.NONE),
        (NoAnswer(message.PROXY, "why"), Effect.NONE),
    ],
    ids=str,
)
def test_what_one_send_may_have_done(answer: Answer | NoAnswer, expected: Effect) -> None:
    """A refusal and a connection that never came about did nothing; a limit may hide an effect; all else may have acted."""
    assert effect_of(answer) is expected


@pytest.mark.parametrize("one", Effect)
@pytest.mark.parametrize("other", Effect)
def test_what_several_sends_may_have_done(one: Effect, other: Effect) -> None:
    """A doubt is never forgotten: a later refusal proves nothing about the send before it."""
    together = one.or_more(other)

    assert together is other.or_more(one)
    assert together.may_have_acted == (one.may_have_acted or other.may_have_acted)
    assert (together is Effect.OPEN) == (Effect.OPEN in (one, other))
