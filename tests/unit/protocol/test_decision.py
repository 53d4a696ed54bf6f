"""`decide`: what follows from every kind of answer."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.scope import CATALOG, Scope
from bulkrm.protocol import message
from bulkrm.protocol.attempt import (
    Accept,
    Attempt,
    Authorization,
    Authorize,
    BasicAuthorization,
    BearerAuthorization,
    Decision,
    GiveUp,
    NoAuthorization,
    ReadyAuthorization,
    Wait,
)
from bulkrm.protocol.auth.challenge import Challenge
from bulkrm.protocol.auth.rights import CredentialState, bad_credentials
from bulkrm.protocol.auth.unauthorized import challenge_scope, first_scope
from bulkrm.protocol.decision import MAX_LIMITED, MAX_SENDS, decide, decide_without_token, effect_of
from bulkrm.protocol.message import Answer, NoAnswer
from bulkrm.protocol.pacing.pace import MAX_PAUSE, http_date
from bulkrm.protocol.traits import STANDARD, Traits

NOW = 1_800_000_000.0
APP = Repository("registry.example", "team/app")
DELETE = message.delete_manifest(APP, Digest.of(b""))
GET = message.get_manifest(APP, "1.0")
BOTH = Scope.repository("team/app", "pull", "delete")
REALM = 'Bearer realm="https://auth.example/token",service="r"'


def answer(status: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Answer:
    """What came back at NOW."""
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers)), body, NOW)


def unauthorized(*challenges: str) -> Answer:
    """A 401 with these header lines."""
    return answer(401, [("WWW-Authenticate", line) for line in challenges])


def attempt(authorization: Authorization = NoAuthorization(), **more: object) -> Attempt:  # noqa: B008 (frozen)
    """A DELETE under way."""
    return replace(Attempt(DELETE, APP.host, authorization), **more)  # type: ignore[arg-type]


def decided(attempt: Attempt, answer: Answer | NoAnswer) -> Decision:
    """Under the standard's traits."""
    return decide(attempt, answer, STANDARD)


def given_up(decision: Decision) -> tuple[FailureCode, Reach]:
    """The code and reach of a failure."""
    assert isinstance(decision, GiveUp), decision
    assert decision.failure.hint
    return decision.failure.code, decision.failure.reach


@pytest.mark.parametrize("status", [200, 202, 204, 301, 303, 307, 400, 403, 404, 405, 406, 409, 412, 418])
def test_final_answers(status: int) -> None:
    """Success, redirects and refusals are final: the caller judges them, and nothing is sent again."""
    final = answer(status)

    assert decided(attempt(), final) == Accept(final)


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 522, 599])
def test_faults_are_tried_again(status: int) -> None:
    """A 5xx or 408 costs a growing pause of this request alone, and after the last send it is final."""
    current = attempt()
    pauses = []
    for _ in range(MAX_SENDS - 1):
        decision = decided(current, answer(status))
        assert isinstance(decision, Wait)
        assert not decision.whole_host
        pauses.append(decision.seconds)
        current = decision.attempt

    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert decided(current, answer(status)) == Accept(answer(status))
    assert effect_of(answer(status)) is Effect.OPEN


@pytest.mark.parametrize("kind", [message.LOST, message.TIMEOUT, message.UNREACHABLE])
def test_silence_is_tried_again(kind: str) -> None:
    """No answer is tried again as often as a fault, and then it is a failure."""
    current = attempt()
    for _ in range(MAX_SENDS - 1):
        decision = decided(current, NoAnswer(kind, "why"))
        assert isinstance(decision, Wait)
        assert not decision.whole_host
        assert effect_of(NoAnswer(kind, "why")).may_have_acted == (kind != message.UNREACHABLE)
        current = decision.attempt

    last = decided(current, NoAnswer(kind, "why"))

    assert isinstance(last, GiveUp)
    assert last.failure.message == "why"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (message.CERTIFICATE, (FailureCode.CERTIFICATE, Reach.HOST)),
        (message.NOT_TLS, (FailureCode.UNREACHABLE, Reach.HOST)),
        (message.TOO_LARGE, (FailureCode.UNEXPECTED_ANSWER, Reach.IMAGE)),
    ],
)
def test_what_no_patience_helps(kind: str, expected: tuple[FailureCode, Reach]) -> None:
    """A bad certificate, no TLS and an endless answer are final at once."""
    assert given_up(decided(attempt(), NoAnswer(kind, "why"))) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 0.1),
        ("junk", 0.1),
        ("0", 0.1),
        ("7", 7.0),
        ("600", 600.0),
        (http_date(NOW + 30), 30.0),
        (http_date(NOW - 30), 0.1),
    ],
)
def test_limited(value: str | None, expected: float) -> None:
    """A 429 pauses the whole host for what it asks, and for the back-off at least."""
    headers = [("Retry-After", value)] if value is not None else []

    decision = decided(attempt(), answer(429, headers))

    assert isinstance(decision, Wait)
    assert decision.whole_host
    assert decision.seconds == expected
    assert 0 <= decision.spread <= expected / 5
    assert decision.attempt.waited == expected
    assert effect_of(answer(429, headers)) is Effect.OVER


def test_limited_by_the_servers_clock() -> None:
    """A date of Retry-After is read by the Date of the same answer."""
    headers = [("Retry-After", http_date(1090)), ("Date", http_date(1000))]

    decision = decided(attempt(), answer(429, headers))

    assert isinstance(decision, Wait)
    assert decision.seconds == 90.0


@pytest.mark.parametrize("value", ["601", "86400", http_date(NOW + 3600)])
def test_limited_for_too_long(value: str) -> None:
    """A host that asks for more than ten minutes costs the image, and the failure says so and how long."""
    decision = decided(attempt(), answer(429, [("Retry-After", value)]))

    assert given_up(decision) == (FailureCode.RATE_LIMITED, Reach.HOST)
    assert isinstance(decision, GiveUp)
    assert "asks to wait" in decision.failure.message
    assert decision.failure.status == 429


def test_limited_for_ever() -> None:
    """The waits of one request add up: a host that never stops to limit is given up within ten minutes."""
    current, waited, sends = attempt(), 0.0, 0
    while isinstance(decision := decided(current, answer(429)), Wait):
        current, waited, sends = decision.attempt, waited + decision.seconds, sends + 1

    assert given_up(decision) == (FailureCode.RATE_LIMITED, Reach.HOST)
    assert isinstance(decision, GiveUp)
    assert "still limits" in decision.failure.message
    assert MAX_PAUSE - 30 <= waited <= MAX_PAUSE
    assert sends < MAX_LIMITED


def test_limited_without_a_pause() -> None:
    """A host that limits again and again with a short back-off is given up after a number of times."""
    assert given_up(decided(attempt(limited=MAX_LIMITED - 1), answer(429)))[0] is FailureCode.RATE_LIMITED


def test_a_fault_with_retry_after() -> None:
    """A 503 that says how long is believed, for the whole host."""
    decision = decided(attempt(), answer(503, [("Retry-After", "20")]))

    assert isinstance(decision, Wait)
    assert (decision.seconds, decision.whole_host, decision.attempt.waited) == (20.0, True, 20.0)


def test_a_fault_with_a_long_retry_after() -> None:
    """A 503 that asks for more than there is left to wait is final."""
    assert isinstance(decided(attempt(waited=590.0), answer(503, [("Retry-After", "20")])), Accept)


# 401


def test_the_first_challenge() -> None:
    """A bare request that is challenged asks for reading and deleting at once."""
    decision = decided(attempt(), unauthorized(f'{REALM},scope="repository:team/app:delete"'))

    assert isinstance(decision, Authorize)
    assert decision.scope == BOTH
    assert (decision.renew, decision.attempt.authorized) == (False, True)
    assert decision.challenge is not None
    assert decision.challenge.parameters["service"] == "r"


def test_the_better_of_two_lines() -> None:
    """Of a Basic and a Bearer line the Bearer one is answered, wherever it stands."""
    decision = decided(attempt(), unauthorized("Basic", REALM))

    assert isinstance(decision, Authorize)
    assert decision.challenge is not None
    assert decision.challenge.scheme == "bearer"


def test_no_challenge() -> None:
    """A 401 to a bare request without a challenge that bulkrm speaks is final."""
    assert given_up(decided(attempt(), unauthorized("Negotiate"))) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)


def test_bare_after_a_challenge() -> None:
    """A request that went bare although it was challenged is not challenged twice."""
    assert given_up(decided(attempt(authorized=True), unauthorized(REALM)))[0] is FailureCode.NOT_PERMITTED


def test_wrong_password() -> None:
    """A 401 to Basic means wrong credentials, for the whole host."""
    decision = decided(attempt(BasicAuthorization()), unauthorized('Basic realm="x"'))

    assert given_up(decision) == (FailureCode.BAD_CREDENTIALS, Reach.HOST)
    assert isinstance(decision, GiveUp)
    assert decision.failure.message == bad_credentials(APP.host, given=True).message
    assert "or the user needs delete on registry.example/team/app" in str(decision.failure.hint)


def test_a_user_who_may_only_read() -> None:
    """A 401 to Basic means a missing right where the registry took the user before."""
    decision = decide(
        attempt(BasicAuthorization()), unauthorized('Basic realm="x"'), STANDARD, CredentialState(accepted=True)
    )

    assert given_up(decision) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)
    assert isinstance(decision, GiveUp)
    assert "knows this user, but does not allow delete" in decision.failure.message
    assert "delete on registry.example/team/app" in str(decision.failure.hint)


def test_a_wrong_password_of_one_repository() -> None:
    """Credentials that are for some repositories only bar nothing but theirs."""
    standing = CredentialState(given=True, for_whole_host=False)

    decision = decide(attempt(BasicAuthorization()), unauthorized("Basic"), STANDARD, standing)

    assert given_up(decision) == (FailureCode.BAD_CREDENTIALS, Reach.REPOSITORY)


def test_a_password_that_was_replaced() -> None:
    """A refused password is followed once by the one that took its place meanwhile."""
    standing, refused = CredentialState(given=True, accepted=True, replaced=True), unauthorized('Basic realm="x"')

    decision = decide(attempt(BasicAuthorization()), refused, STANDARD, standing)

    assert isinstance(decision, Authorize)
    assert decision.renew
    assert isinstance(
        decide(replace(decision.attempt, authorization=BasicAuthorization()), refused, STANDARD, standing), GiveUp
    )


def test_too_many_wrong_passwords() -> None:
    """A 401 that asks to wait is no reason to try the password again: it is said."""
    refused = answer(401, [("WWW-Authenticate", "Basic"), ("Retry-After", "300")])

    decision = decided(attempt(BasicAuthorization()), refused)

    assert given_up(decision) == (FailureCode.BAD_CREDENTIALS, Reach.HOST)
    assert isinstance(decision, GiveUp)
    assert "asks to wait 300 s" in decision.failure.message


@pytest.mark.parametrize(
    ("challenge", "taken", "code"),
    [
        (f'{REALM},error="insufficient_scope",scope="repository:team/app:delete"', False, FailureCode.NOT_PERMITTED),
        (REALM, True, FailureCode.NOT_PERMITTED),
        (REALM, False, FailureCode.BAD_CREDENTIALS),
        (f'{REALM},error="invalid_token"', True, FailureCode.BAD_CREDENTIALS),
    ],
)
def test_a_ready_token_is_refused(challenge: str, taken: bool, code: FailureCode) -> None:  # noqa: FBT001 (a table)
    """A token that the user brought along cannot be renewed: a 401 is final."""
    decision = decide(attempt(ReadyAuthorization()), unauthorized(challenge), STANDARD, CredentialState(accepted=taken))

    assert given_up(decision)[0] is code


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    ("challenges", "named"), [(["Negotiate"], "Negotiate"), (['Digest realm="x"', "NTLM"], "Digest or Ntlm")]
)
def test_a_challenge_of_another_kind(challenges: list[str], named: str, given: bool) -> None:  # noqa: FBT001 (a table)
    """A challenge that bulkrm does not speak is named, and that a password was not sent."""
    decision = decide(attempt(), unauthorized(*challenges), STANDARD, CredentialState(given=given))

    assert isinstance(decision, GiveUp)
    assert f"wants {named}, and bulkrm speaks Basic and Bearer only" in decision.failure.message
    assert ("were not sent" in str(decision.failure.hint)) == given


@pytest.mark.parametrize("challenges", [[f'{REALM},error="invalid_token"'], [], [REALM], [f'{REALM},error="other"']])
def test_a_401_after_a_renewal(challenges: list[str]) -> None:
    """It is final whatever it says, and a missing right where the registry took other tokens of this user."""
    renewed = attempt(BearerAuthorization(BOTH), renewed=True)

    decision = decide(renewed, unauthorized(*challenges), STANDARD, CredentialState(accepted=True))

    assert given_up(decision) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ([("Retry-After", "60")], True),
        ([("Retry-After", "60"), ("X-RateLimit-Remaining", "12"), ("X-RateLimit-Reset", "5")], True),
        ([("Retry-After", "0")], False),
        ([("Retry-After", "soon")], False),
        ([], False),
    ],
)
def test_a_403_that_is_a_limit(headers: list[tuple[str, str]], waits: bool) -> None:  # noqa: FBT001 (a table)
    """A 403 that asks to wait is a limit (GitHub's secondary ones), and one that does not is a refusal."""
    decision = decided(attempt(), answer(403, headers))

    assert isinstance(decision, Wait if waits else Accept)
    assert not isinstance(decision, Wait) or (decision.seconds, decision.whole_host) == (60.0, True)


def test_a_403_that_limits_for_too_long() -> None:
    """Its message has the status that came."""
    decision = decided(attempt(), answer(403, [("Retry-After", "86400")]))

    assert given_up(decision) == (FailureCode.RATE_LIMITED, Reach.HOST)
    assert isinstance(decision, GiveUp)
    assert (decision.failure.status, decision.failure.message[:9]) == (403, "HTTP 403:")


def test_an_ended_token() -> None:
    """`invalid_token` renews the token once, with the same scope."""
    decision = decided(attempt(BearerAuthorization(BOTH)), unauthorized(f'{REALM},error="invalid_token"'))

    assert isinstance(decision, Authorize)
    assert (decision.scope, decision.renew, decision.attempt.renewed) == (BOTH, True, True)


def test_an_ended_token_without_a_challenge() -> None:
    """zot sends no challenge for an ended token: the one that is known is used."""
    decision = decided(attempt(BearerAuthorization(BOTH)), unauthorized())

    assert isinstance(decision, Authorize)
    assert (decision.challenge, decision.scope, decision.renew) == (None, BOTH, True)


@pytest.mark.parametrize("challenges", [[f'{REALM},error="invalid_token"'], []])
def test_a_renewed_token_is_refused(challenges: list[str]) -> None:
    """A registry that refuses the renewed token as well does not understand its token server."""
    decision = decided(attempt(BearerAuthorization(BOTH), renewed=True), unauthorized(*challenges))

    assert given_up(decision) == (FailureCode.TOKEN_SERVER, Reach.HOST)


@pytest.mark.parametrize("error", [',error="insufficient_scope"', ""])
def test_more_is_wanted(error: str) -> None:
    """A challenge that wants more is answered once with both, also where it does not name the error."""
    short = attempt(BearerAuthorization(Scope.repository("team/app", "pull")))

    decision = decided(short, unauthorized(f'{REALM},scope="repository:team/app:pull,push"{error}'))

    assert isinstance(decision, Authorize)
    assert decision.scope == Scope.repository("team/app", "pull", "push")
    assert (decision.renew, decision.attempt.extended) == (False, True)


def test_more_is_wanted_of_a_token_without_scope() -> None:
    """A token without any resource is followed by one for what the challenge wants."""
    decision = decided(attempt(BearerAuthorization(None)), unauthorized(f'{REALM},scope="repository:team/app:delete"'))

    assert isinstance(decision, Authorize)
    assert decision.scope == Scope.repository("team/app", "delete")


def test_more_is_wanted_twice() -> None:
    """A registry that wants more and more is given up, naming what is missing."""
    asked = attempt(BearerAuthorization(BOTH), extended=True)

    decision = decided(asked, unauthorized(f'{REALM},scope="repository:team/app:push"'))

    assert given_up(decision) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)
    assert isinstance(decision, GiveUp)
    assert "push" in decision.failure.message
    assert "registry.example/team/app" in str(decision.failure.hint)


def test_what_was_asked_is_not_granted() -> None:
    """`insufficient_scope` for what the token was asked for is final: the user may not."""
    challenge = f'{REALM},scope="repository:team/app:delete",error="insufficient_scope"'

    decision = decided(attempt(BearerAuthorization(BOTH)), unauthorized(challenge))

    assert given_up(decision) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)
    assert isinstance(decision, GiveUp)
    assert "does not allow delete" in decision.failure.message


@pytest.mark.parametrize("scope", ['scope=""', 'scope="repository:team/app:delete"', 'scope="repository:other:push"'])
def test_the_same_challenge_again(scope: str) -> None:
    """zot repeats its challenge where a permission is missing: one renewal, then it is final."""
    again = unauthorized(f"{REALM},{scope}")

    first = decided(attempt(BearerAuthorization(BOTH)), again)
    assert isinstance(first, Authorize)
    assert first.renew

    assert given_up(decided(first.attempt, again)) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)


def test_insufficient_without_a_scope() -> None:
    """A refusal that does not say what is missing names what the request needs."""
    decision = decided(attempt(BearerAuthorization(BOTH)), unauthorized(f'{REALM},error="insufficient_scope"'))

    assert isinstance(decision, GiveUp)
    assert "does not allow delete" in decision.failure.message


@pytest.mark.parametrize("status", [200, 401, 403])
def test_without_token(status: int) -> None:
    """Where no token can help, a 401 is an answer like any other."""
    final = answer(status, [("WWW-Authenticate", REALM)])

    assert decide_without_token(attempt(), final) == Accept(final)


def test_without_token_faults_count() -> None:
    """Faults, silence and limits of a token server are waited for as a registry's are."""
    assert isinstance(decide_without_token(attempt(), answer(500)), Wait)
    assert isinstance(decide_without_token(attempt(), answer(429)), Wait)
    assert isinstance(decide_without_token(attempt(), NoAnswer(message.LOST, "x")), Wait)


# Scopes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("repository:team/app:delete", Scope.repository("team/app", "delete")),
        ("repository:other:pull repository:team/app:pull", Scope.repository("team/app", "pull")),
        ("junk repository:team/app:pull", Scope.repository("team/app", "pull")),
        ("repository:other:pull", None),
        ("registry:catalog:*", None),
    ],
)
def test_challenge_scope(text: str | None, expected: Scope | None) -> None:
    """Of the scopes in a challenge only that of the request's own resource counts."""
    challenge = Challenge("bearer", {} if text is None else {"scope": text})

    assert challenge_scope(challenge, GET) == expected


@pytest.mark.parametrize(
    ("request_", "challenge", "traits", "expected"),
    [
        (message.PING, None, STANDARD, None),
        (GET, None, STANDARD, BOTH),
        (DELETE, None, STANDARD, BOTH),
        (GET, "repository:team/app:push", STANDARD, Scope.repository("team/app", "pull", "delete", "push")),
        (GET, None, Traits(actions=None), Scope.repository("team/app", "pull")),
        (DELETE, "repository:team/app:pull,push", Traits(actions=None), Scope.repository("team/app", "pull", "push")),
        (message.list_repositories(), None, STANDARD, CATALOG),
        (
            message.list_repositories(),
            "registry:catalog:read",
            STANDARD,
            Scope("registry", "catalog", frozenset({"read"})),
        ),
    ],
)
def test_first_scope(request_: message.Request, challenge: str | None, traits: Traits, expected: Scope | None) -> None:
    """The first token is for reading and deleting one repository, or to the letter where traits say so."""
    given = None if challenge is None else Challenge("bearer", {"scope": challenge})

    assert first_scope(request_, given, traits) == expected
