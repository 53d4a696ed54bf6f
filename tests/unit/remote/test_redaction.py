"""What a server repeats of the credentials that it was sent."""

import base64

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.protocol.message import UNREACHABLE, Answer, NoAnswer
from bulkrm.remote.transport.redaction import Redaction

PASSWORD = "correct horse battery"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"


def answer(status: int, text: str, **headers: str) -> Answer:
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, CIMultiDictProxy(CIMultiDict(pairs)), text.encode())


@pytest.mark.parametrize(
    ("authorization", "secrets"), [(f"Basic {BASIC}", (BASIC, PASSWORD)), (f"Bearer {TOKEN}", (TOKEN,))]
)
def test_an_echo(authorization: str, secrets: tuple[str, ...]) -> None:
    """The credentials of a request are taken out of the message and the headers of its answer, whatever their form."""
    for secret in secrets:
        heard = answer(403, f"no, {secret}!", Content_Type=f"text/{secret}", X_Told=secret)

        seen = Redaction().apply(heard, authorization)

        assert isinstance(seen, Answer)
        assert seen.body == b"no, ***!"
        assert list(seen.headers.values()) == ["text/***", "***"]


def test_a_later_echo() -> None:
    """A password is taken out of the answers to later requests too, which carry a token of it."""
    redaction = Redaction()
    redaction.apply(answer(200, ""), f"Basic {BASIC}")

    seen = redaction.apply(answer(500, f"{PASSWORD} {BASIC} {TOKEN}"), f"Bearer {TOKEN}")

    assert isinstance(seen, Answer)
    assert seen.body == b"*** *** ***"


def test_no_answer() -> None:
    """The text of an error may quote bytes that are no HTTP."""
    assert Redaction().apply(NoAnswer(UNREACHABLE, f"Invalid header: {TOKEN}"), f"Bearer {TOKEN}") == NoAnswer(
        UNREACHABLE, "Invalid header: ***"
    )


def test_a_success() -> None:
    """The bytes of a success stay: a digest is computed over them."""
    heard = answer(200, f"{PASSWORD} {TOKEN}")

    assert Redaction().apply(heard, f"Bearer {TOKEN}") is heard


@pytest.mark.parametrize("password", ["token", "sandbox-realm", "", "a"])
def test_a_password_that_is_a_word(password: str) -> None:
    """A realm is the same whatever the password is."""
    basic = base64.b64encode(f"me:{password}".encode()).decode()
    heard = answer(401, "token", WWW_Authenticate='Bearer realm="https://sandbox-realm.example/token"')

    assert Redaction().apply(heard, f"Basic {basic}") == heard


def test_no_credentials() -> None:
    """Where none were sent nothing is changed."""
    heard = answer(401, "who are you?")

    assert Redaction().apply(heard, None) is heard
