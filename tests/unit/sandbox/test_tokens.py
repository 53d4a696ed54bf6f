"""The token server, without a socket."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest

from bulkrm.model.scope import Scope
from bulkrm.sandbox import ANONYMOUS, ServerRequest, TokenServer, TokenSettings, User
from bulkrm.sandbox.auth.keys import SigningKey

NOW = 1_800_000_000.5
KEY = SigningKey.generate()
USERS = {
    "admin": User("admin"),
    "cleaner": User.allowed("secret", {"team/keep": [], "team/*": ["pull", "delete"]}),
    ANONYMOUS: User.allowed("", {"public/*": ["pull"]}),
}


def server(**settings: Any) -> TokenServer:
    """A token server whose clock stands still."""
    return TokenServer(USERS, TokenSettings(**settings), key=KEY, clock=lambda: NOW)


def asked(*scopes: str, account: str | None = "admin:admin", **more: str) -> ServerRequest:
    """A request with Basic credentials."""
    query = urlencode([("service", "registry"), *(("scope", scope) for scope in scopes), *more.items()])
    basic = {"authorization": f"Basic {b64encode(account.encode()).decode()}"} if account else {}
    return ServerRequest("GET", "/token", query, basic)


def posted(**form: str) -> ServerRequest:
    """An OAuth2 request."""
    return ServerRequest("POST", "/token", "", {}, urlencode({"service": "registry", **form}).encode())


def claims(tokens: TokenServer, request: ServerRequest) -> dict[str, Any]:
    """What the token says."""
    answer = tokens.answer(request)
    assert answer.status == 200, answer
    read = tokens.key.verify(json.loads(answer.body)["token"])
    assert read is not None
    return dict(read)


def granted(tokens: TokenServer, request: ServerRequest) -> set[str]:
    """What the token allows."""
    entries = claims(tokens, request)["access"]
    return {str(Scope(entry["type"], entry["name"], frozenset(entry["actions"]))) for entry in entries}


def test_claims() -> None:
    """A token has whole seconds, one audience as a string, and the account."""
    read = claims(server(lifetime=120), asked("repository:a:pull"))

    assert read == {
        "iss": "bulkrm-sandbox",
        "sub": "admin",
        "aud": "registry",
        "iat": 1_800_000_000,
        "nbf": 1_800_000_000,
        "exp": 1_800_000_120,
        "jti": "1",
        "access": [{"type": "repository", "name": "a", "actions": ["pull"]}],
    }


@pytest.mark.parametrize(
    ("scope", "account", "expected"),
    [
        ("repository:a/b:pull,push,delete", "admin:admin", {"repository:a/b:delete,pull,push"}),
        ("repository:a/b:*", "admin:admin", {"repository:a/b:*"}),
        ("registry:catalog:*", "admin:admin", {"registry:catalog:*"}),
        ("repository:team/app:pull,push,delete", "cleaner:secret", {"repository:team/app:delete,pull"}),
        ("repository:team/app:*", "cleaner:secret", set()),
        ("repository:team/keep:pull,delete", "cleaner:secret", set()),
        ("repository:other:pull", "cleaner:secret", set()),
        ("repository:public/app:pull,delete", None, {"repository:public/app:pull"}),
        ("repository:team/app:pull", None, set()),
    ],
)
def test_grant(scope: str, account: str | None, expected: set[str]) -> None:
    """A token holds what is both asked for and allowed, compared as strings; the first rule that matches decides."""
    assert granted(server(), asked(scope, account=account)) == expected


def test_several_scopes() -> None:
    """Scopes come in repeated parameters, and with blanks between."""
    assert granted(server(), asked("repository:a:pull repository:b:pull", "repository:c:push")) == {
        "repository:a:pull",
        "repository:b:pull",
        "repository:c:push",
    }


@pytest.mark.parametrize("header", ["Basic !", "Basic /w==", "Bearer x"])
def test_malformed_credentials(header: str) -> None:
    """Neither does a header that cannot be read, or one of another scheme."""
    assert server().answer(ServerRequest("GET", "/token", "", {"authorization": header})).status == 401


@pytest.mark.parametrize("account", ["admin:wrong", "nobody:admin", ":", "no colon"])
def test_wrong_credentials(account: str) -> None:
    """An unknown user or a wrong password is 401; it does not count as anonymous."""
    assert server().answer(asked("repository:a:pull", account=account)).status == 401


def test_malformed_scope() -> None:
    """A scope that is none is 400."""
    assert server().answer(asked("repository")).status == 400


@pytest.mark.parametrize(("scope", "status"), [("repository:a:pull,delete", 400), ("repository:a:pull,push", 200)])
def test_quay_actions(scope: str, status: int) -> None:
    """Quay's token endpoint refuses a scope with `delete`."""
    assert server(quay_actions=True).answer(asked(scope)).status == status


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"token", "access_token", "expires_in", "issued_at"}),
        ({"expires_in": False, "issued_at": False}, {"token", "access_token"}),
        ({"fields": ("access_token",)}, {"access_token", "expires_in", "issued_at"}),
    ],
)
def test_fields(settings: dict[str, Any], expected: set[str]) -> None:
    """The answer has the fields that the settings say."""
    assert set(json.loads(server(**settings).answer(asked()).body)) == expected


def test_announced() -> None:
    """The stated lifetime can be a lie, and the clock can be wrong."""
    answer = json.loads(server(lifetime=10, announced=3600, skew=-5).answer(asked()).body)

    assert (answer["expires_in"], answer["issued_at"]) == (3600, "2027-01-15T07:59:55Z")


def test_post_is_unknown() -> None:
    """A server without the OAuth2 form answers it with 404."""
    assert server().answer(posted(grant_type="password", username="admin", password="admin")).status == 404


@pytest.mark.parametrize(
    ("form", "account"),
    [
        ({"grant_type": "password", "username": "cleaner", "password": "secret"}, "cleaner"),
        ({"grant_type": "password", "username": "cleaner", "password": "wrong"}, None),
        ({"grant_type": "refresh_token", "refresh_token": "identity"}, "cleaner"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, None),
    ],
)
def test_post(form: dict[str, str], account: str | None) -> None:
    """With it, a password or a refresh token is good for a token."""
    tokens = server(post=True, refresh_tokens=(("identity", "cleaner"),))
    request = posted(scope="repository:team/a:pull repository:team/b:push,delete", **form)

    if account is None:
        assert tokens.answer(request).status == 401
    else:
        assert claims(tokens, request)["sub"] == account
        assert granted(tokens, request) == {"repository:team/a:pull", "repository:team/b:delete"}


@pytest.mark.parametrize("token", ["", "a.b.c", "garbage"])
def test_verify_refuses_garbage(token: str) -> None:
    """What is no token of the key has no claims."""
    assert KEY.verify(token) is None
    assert KEY.verify(SigningKey.generate().sign({"sub": "x"})) is None


def test_passwords_do_not_show() -> None:
    """Neither passwords nor keys are in a repr."""
    assert "secret" not in repr(USERS["cleaner"])
    assert "PrivateKey" not in repr(KEY)
