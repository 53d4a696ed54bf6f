"""The token server's answer: which token it holds, and for how long it is good."""

import json

import pytest

from bulkrm.model.errors import ProtocolError
from bulkrm.protocol.auth.token import Token, parse_token
from bulkrm.protocol.message import Answer

NOW = 1_800_000_000.0


def answer(**fields: object) -> Answer:
    """A 200 received at NOW."""
    return Answer(200, body=json.dumps(fields).encode(), wall=NOW)


def at(seconds: float) -> str:
    """A time of issue, relative to NOW, as Go writes it."""
    minutes, rest = divmod(int(seconds) + 8 * 3600, 60)
    return f"2027-01-15T{minutes // 60:02}:{minutes % 60:02}:{rest:02}Z"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"token": "a.b-c_d"}, "a.b-c_d"),
        ({"access_token": "x"}, "x"),
        ({"token": "old", "access_token": "new"}, "new"),
        ({"token": "t", "access_token": ""}, "t"),
        ({"token": "t", "access_token": None}, "t"),
    ],
)
def test_the_token(fields: dict[str, object], expected: str) -> None:
    """Either name will do, and access_token goes first."""
    assert parse_token(answer(**fields)).secret.reveal() == expected


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"token": ""},
        {"token": 5},
        {"token": ["t"]},
        {"token": None},
        {"token": "a b"},
        {"token": "a\r\nX-Evil: 1"},
        {"token": "t\u00f6ken"},
        {"access_token": {"a": 1}, "token": "t"},
    ],
)
def test_no_token(fields: dict[str, object]) -> None:
    """What is not there, or could not stand in a header, is no token."""
    with pytest.raises(ProtocolError):
        parse_token(answer(**fields))


@pytest.mark.parametrize("body", [b"", b"token", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"token": "t"'])
def test_no_json(body: bytes) -> None:
    """An answer that is no JSON object is the token server's mistake, and nothing worse."""
    with pytest.raises(ProtocolError):
        parse_token(Answer(200, body=body, wall=NOW))


def test_the_message_does_not_quote_the_body() -> None:
    """The message of the error says nothing of what may be a secret."""
    with pytest.raises(ProtocolError) as caught:
        parse_token(answer(token="sesame open"))

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("expires_in", "expected"),
    [
        (300, 300.0),
        (1.5, 1.5),
        (1e-9, 1.0),
        (None, 60.0),
        ("300", 60.0),
        (True, 60.0),
        (0, 60.0),
        (-1, 60.0),
        (float("inf"), 60.0),
        (float("nan"), 60.0),
        ([], 60.0),
    ],
)
def test_expires_in(expires_in: object, expected: float) -> None:
    """The life is that many seconds, at least one; 60, as the specification says, where there is none."""
    assert parse_token(answer(token="t", expires_in=expires_in)).life == expected


def test_a_huge_expires_in() -> None:
    """A number that no float can hold is a long life or none said, and no crash."""
    life = parse_token(answer(token="t", expires_in=10**400)).life

    assert life >= 60.0


def test_without_expires_in() -> None:
    """docker_auth says nothing about the life of its tokens: 60 seconds."""
    assert parse_token(answer(token="t", access_token="t")) == Token(parse_token(answer(token="t")).secret, 60.0)


@pytest.mark.parametrize(
    ("issued_at", "expected"),
    [
        (at(0), 300.0),
        (at(-40), 260.0),
        (at(-299), 1.0),
        ("2027-01-15T07:55:00.000001Z", 1.0),
        (at(-300), 300.0),
        (at(-9000), 300.0),
        (at(9000), 300.0),
        ("2027-01-15T07:59:20.123456789Z", pytest.approx(260.123456)),
        ("2027-01-15T08:59:20+01:00", 260.0),
        ("2027-01-15T07:59:20", 300.0),
        ("0001-01-01T00:00:00Z", 300.0),
        ("0001-01-01T00:00:00+23:59", 300.0),
        ("yesterday", 300.0),
        ("", 300.0),
        (1_799_999_960, 300.0),
        (None, 300.0),
    ],
)
def test_issued_at(issued_at: object, expected: float) -> None:
    """A time of issue makes the end come sooner; in the future, too far back or unreadable it does not count."""
    assert parse_token(answer(token="t", expires_in=300, issued_at=issued_at)).life == expected


@pytest.mark.parametrize(("life", "margin"), [(300.0, 5.0), (25.0, 5.0), (10.0, 2.0), (1.0, 0.2)])
def test_margin(life: float, margin: float) -> None:
    """It is renewed 5 s before its end, or a fifth of its life if that is less."""
    assert Token(parse_token(answer(token="t")).secret, life).margin == pytest.approx(margin)


def test_a_token_does_not_print() -> None:
    """Nobody sees the token by printing it."""
    assert "sesame" not in repr(parse_token(answer(token="sesame")))
