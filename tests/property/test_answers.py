"""What holds for every challenge, token answer, error body, credentials file and helper's answer, whatever is in it.

Each is accepted or raises its one documented error, in time and memory that do not grow faster than it.
"""

import base64
import json
import time
import tracemalloc
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.families.family import traits_of
from bulkrm.model.errors import InputError, Problem, ProtocolError
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.secret import Secret
from bulkrm.model.settings import IdentityToken, Login, RegistryToken
from bulkrm.protocol import message
from bulkrm.protocol.auth.challenge import parse_challenges
from bulkrm.protocol.auth.token import parse_token
from bulkrm.protocol.explanation import error_entries, explanation, is_registry_answer, masked, missing_blobs
from bulkrm.protocol.message import MAX_ERROR, Answer
from bulkrm.protocol.refusal import refusal
from bulkrm.remote.credentials import Credentials, DockerConfig, read_docker_config
from bulkrm.remote.credentials.helper import HelperFailed, parse_helper_answer
from bulkrm.remote.credentials.keys import covering_keys, most_specific, normal_key
from tests.property import strategies as some
from tests.support.work import work

APP_HOST = "registry.example"
_text = st.text(max_size=12) | st.sampled_from(["\ud800", "\x1b[31m", "\u202e", "<title>", "9" * 5000])
_numbers = st.integers() | st.floats() | st.sampled_from([10**400, -1, float("nan"), float("inf")])
_scalars = st.none() | st.booleans() | _numbers | _text
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)


def _fields(*names: str) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, _json))


# What is nearly right finds more than what is quite wrong.
_errors = _fields("code", "message", "detail", "status")
_error_bodies = st.fixed_dictionaries(
    {}, optional={"errors": st.lists(_errors | _json, max_size=3) | _json, "error": _errors | _json, "message": _json}
)
_auths = st.sampled_from([base64.b64encode(b"me:pw").decode(), "bWU6cHc", "!", ""]) | _text
_entry = st.fixed_dictionaries(
    {},
    optional={"auth": _auths | _json, "username": _json, "identitytoken": _json, "registrytoken": _json},
)
_keys = (
    st.sampled_from(["r.example", "https://r.example/v1/", "r.example/team", "R.example:443/team/app", "a@b"]) | _text
)
_configs = st.fixed_dictionaries(
    {},
    optional={
        "auths": st.dictionaries(_keys, _entry | _json, max_size=3) | _json,
        "credHelpers": st.dictionaries(_keys, _json, max_size=2) | _json,
        "credsStore": _json,
    },
)
_helped = st.fixed_dictionaries({}, optional={"ServerURL": _json, "Username": _json, "Secret": _json})


def _bytes(values: st.SearchStrategy[object]) -> st.SearchStrategy[bytes]:
    """JSON of a value, sometimes cut or with something odd in it; or any bytes."""
    texts = values.map(json.dumps)
    return (texts | some.almost(texts)).map(lambda text: text.encode(errors="surrogatepass")) | st.binary(max_size=40)


_types = st.sampled_from(["", "text/plain", "text/html", "application/json; charset=utf-8"])
_answers = st.builds(
    lambda status, body, kind: Answer(status, CIMultiDictProxy(CIMultiDict({"Content-Type": kind})), body),
    st.sampled_from([200, 400, 401, 403, 404, 405, 407, 408, 409, 412, 429, 500, 503]),
    _bytes(_error_bodies | _json),
    _types,
)


def is_fit_to_be_shown(text: str) -> bool:
    """Tell whether a text is one short line for a terminal."""
    odd = {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Zl", "Zp", "Cs"}
    return not odd and len(text) < 400


@given(_answers)
def test_any_body_has_an_explanation(answer: Answer) -> None:
    """It is one short line or nothing, and so is all that is read of the body."""
    assert is_fit_to_be_shown(explanation(answer))
    for entry in error_entries(answer):
        assert entry.code
        assert is_fit_to_be_shown(entry.code + entry.message)
    assert all(is_fit_to_be_shown(name) for name in missing_blobs(answer))
    assert isinstance(is_registry_answer(answer), bool)


_repository = some.repositories
_requests = st.one_of(
    _repository.map(lambda repository: message.get_manifest(repository, "1")),
    _repository.map(lambda repository: message.head_manifest(repository, "1")),
    _repository.map(lambda repository: message.delete_manifest(repository, "1")),
    _repository.map(message.list_tags),
    st.just(message.list_repositories()),
)


@given(_answers, _requests, st.sampled_from([APP_HOST, "docker.io", "ghcr.io", "quay.io"]))
def test_any_refusal_says_what_to_do(answer: Answer, request: message.Request, host: str) -> None:
    """It has a code and a hint, and one about rights names the repository."""
    failure = refusal(answer, host, request, traits_of(host))

    assert isinstance(failure.code, FailureCode)
    assert is_fit_to_be_shown(failure.message)
    assert failure.hint
    if failure.code is FailureCode.NOT_PERMITTED:
        assert str(request.repository or "registry:catalog:*") in failure.hint


@given(_answers, st.text(st.characters(min_codepoint=33), min_size=4, max_size=12))
def test_no_secret_is_repeated(answer: Answer, secret: str) -> None:
    """A body that repeats a secret, in JSON or plainly, is shown without it."""
    with suppress(UnicodeEncodeError):
        for body in (
            secret,
            json.dumps({"message": f"no {secret}"}),
            json.dumps({"message": secret}, ensure_ascii=False),
        ):
            told = Answer(answer.status, answer.headers, body.encode() + answer.body)

            assert secret not in explanation(masked(told, [secret])).replace("***", "")


@given(_bytes(_fields("token", "access_token", "expires_in", "issued_at", "errors")))
def test_any_token_answer(body: bytes) -> None:
    """It is a token, or a ProtocolError."""
    with suppress(ProtocolError):
        token = parse_token(Answer(200, body=body, wall=1.8e9))

        assert token.secret.reveal().isprintable()
        assert 0 < token.margin <= token.life < 1e13


def config_or_problems(path: Path) -> DockerConfig | Sequence[Problem]:
    """Read a file, and return what is wrong with it where it is none."""
    try:
        return read_docker_config(path)
    except InputError as error:
        return error.problems


@settings(deadline=None)  # it writes a file
@given(_bytes(_configs))
def test_any_config_file(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    """It is a configuration whose credentials can be sent, or an InputError that can be shown."""
    path = tmp_path_factory.getbasetemp() / "config.json"
    path.write_bytes(body)
    config = config_or_problems(path)

    if isinstance(config, DockerConfig):
        assert all(key == normal_key(key) for key in (*config.logins, *config.helpers, *config.marked, *config.broken))
        assert all(_can_be_sent(login) for login in config.logins.values())
    else:
        assert config
        for problem in config:
            assert problem.where.startswith(str(path))
            assert problem.remedy
            assert is_fit_to_be_shown(str(problem))


def _can_be_sent(login: object) -> bool:
    match login:
        case Login(user, password):
            return bool(f"{user}:{password.reveal()}".encode())
        case IdentityToken(token) | RegistryToken(token):
            return bool(token.reveal().encode())
        case _:
            return False


@given(_bytes(_helped))
def test_any_helpers_answer(body: bytes) -> None:
    """It is a login, none, or HelperFailed."""
    with suppress(HelperFailed):
        login = parse_helper_answer("docker-credential-x", body)

        assert login is None or _can_be_sent(login)


@given(st.lists(some.paths, max_size=6), some.paths)
def test_the_most_specific_key(keys: list[str], path: str) -> None:
    """It is the longest of those that are the path or end before one of its slashes."""
    logins = {f"r.example/{key}": Login("me", Secret(key)) for key in keys}
    covering = [key for key in keys if path == key or path.startswith(f"{key}/")]

    found = Credentials({}, DockerConfig(logins)).login("r.example", path)

    expected = max(covering, key=len, default=None)
    assert found == (None if expected is None else Login("me", Secret(expected)))
    assert most_specific(logins, "other.example", path) is None
    assert len(set(covering_keys("r.example", path))) == path.count("/") + 2


# The worst of their kind

_DEEP = b"[" * MAX_ERROR, b'{"a":' * (MAX_ERROR // 5), b'{"errors":[' * (MAX_ERROR // 11)
_WORST = [
    *_DEEP,
    b'{"errors": [' + b"{}," * (MAX_ERROR // 3),
    b'{"errors": [' + b'{"message": "x"},' * 3800 + b"{}]}",
    b'{"expires_in": ' + b"9" * 60_000 + b', "token": "t"}',
    b'{"expires_in": 1e999999999, "token": "t"}',
    b'{"token": NaN}',
    b"{" + b'"token": "t",' * 5000 + b'"token": "u"}',
    b'{"message": "' + b"\\u202e" * 10_000 + b'"}',
    b"<html>" + b"<title " * 9_000,
    b"<html>" + b"<title>" * 9_000,
    b" " * MAX_ERROR,
    b"<" * MAX_ERROR,
    b"\xff" * MAX_ERROR,
]


@pytest.mark.parametrize("body", _WORST, ids=range(len(_WORST)))
@pytest.mark.parametrize("kind", ["", "text/plain", "text/html"])
def test_the_worst_answers(body: bytes, kind: str) -> None:
    """They are read in no time and next to no memory."""
    answer = Answer(401, CIMultiDictProxy(CIMultiDict({"Content-Type": kind})), body, 1.8e9)

    def read() -> None:
        refusal(masked(answer, ["s3cr3t", "x" * 3000]), "r", message.list_repositories())
        with suppress(ProtocolError):
            parse_token(answer)
        with suppress(HelperFailed):
            parse_helper_answer("x", body)

    assert _is_cheap(read)


@pytest.mark.parametrize("piece", ["Bearer ", 'a="', ",", "\\", '"', 'Basic realm="x",', "a=b,"])
def test_the_worst_challenges(piece: str) -> None:
    """Many long lines of challenges are read in no time and next to no memory."""
    lines = [piece * 20_000] * 20

    assert _is_cheap(lambda: parse_challenges(lines) and None)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2**22,
        b'{"auths":' * 400_000,
        b'{"auths": {' + b'"r.example": {},' * 200_000 + b'"x": {}}}',
        b'{"auths": {"r.example": {"auth": "' + b"A" * 3_000_000 + b'"}}}',
        b'{"auths": {"r.example/' + b"a/" * 1_000_000 + b'": {}}}',
        b'{"auths": {"' + b"r" * 3_000_000 + b'": 5}}',
        b'{"credsStore": "' + b"x" * 3_000_000 + b'"}',
    ],
    ids=range(7),
)
def test_the_worst_files(body: bytes, tmp_path: Path) -> None:
    """They are read in a second, and a message about them is no longer than any other."""
    path = tmp_path / "config.json"
    path.write_bytes(body)
    begin = time.process_time()

    found = config_or_problems(path)

    assert time.process_time() - begin < 1250 * work()
    assert isinstance(found, DockerConfig) or len(str(found)) < 1000


def _is_cheap(read: Callable[[], object]) -> bool:
    tracemalloc.start()
    begin = time.process_time()
    read()
    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds < 750 * work() and peak < 64 * 2**20
