"""Credential helpers: asked as Docker asks them, and trusted no further than they go."""

import os
import select
import tracemalloc
from pathlib import Path

import pytest

from bulkrm.model.secret import Secret
from bulkrm.model.settings import IdentityToken, Login
from bulkrm.remote.credentials.helper import HelperFailed, ask_helper
from tests.support.helpers import BREAKS, HAS_NONE, answers, install_helper


@pytest.mark.parametrize(
    ("host", "asked"), [("r.example:5000", "r.example:5000"), ("docker.io", "https://index.docker.io/v1/")]
)
def test_a_password(host: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the registry's name, Docker Hub's as Docker knows it, and gives user and password."""
    install_helper(tmp_path, monkeypatch, "my-1.0", answers("me", "p:w"))

    login = ask_helper("my-1.0", host)

    assert isinstance(login, Login)
    assert (login.username, login.password.reveal()) == ("me", "p:w")
    assert (tmp_path / "docker-credential-my-1.0.asked").read_text() == asked


@pytest.mark.parametrize("script", [HAS_NONE, answers("", ""), answers("me", "")])
def test_none(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that it does not know is one for which there are no credentials."""
    install_helper(tmp_path, monkeypatch, "x", script)

    assert ask_helper("x", "r.example") is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (BREAKS, "docker-credential-x failed with exit code 1"),
        ('printf \'{"Username": "me", "Secret": "\\\\ud800"}\'', "what is no text"),
        ("echo '[1]'", "no user and password"),
        ("echo 'sesame'", "no user and password"),
        ('printf \'{"Username": "me"}\'', "no user and password"),
        ("exec sleep 60", "did not answer in 0.2 s"),
    ],
)
def test_failures(script: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else it does is a failure, of which no output is repeated: it may hold a secret."""
    install_helper(tmp_path, monkeypatch, "x", script)

    with pytest.raises(HelperFailed, match=words) as caught:
        ask_helper("x", "r.example", seconds=0.2 if "sleep" in script else 30.0)

    assert "Zebra" not in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_an_identity_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of a user stands what the secret is."""
    install_helper(tmp_path, monkeypatch, "x", answers("<token>", "sesame"))

    assert ask_helper("x", "r.example") == IdentityToken(Secret("sesame"))


@pytest.mark.parametrize("name", ["nosuch-helper", "../x", "x; true", ""])
def test_no_program(name: str) -> None:
    """What is no program, or could never be the name of one, is not run."""
    with pytest.raises(HelperFailed):
        ask_helper(name, "r.example")


def test_a_program_that_cannot_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said why."""
    install_helper(tmp_path, monkeypatch, "x", "true")
    (tmp_path / "docker-credential-x").write_text("no program at all")

    with pytest.raises(HelperFailed, match="docker-credential-x cannot be run: Exec format error"):
        ask_helper("x", "r.example")


def is_over(pid: int) -> bool:
    """Wait for the end of a process, some seconds at most, and tell whether it came."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 5.0)[0])
    finally:
        os.close(process)


@pytest.mark.parametrize(
    "script",
    [
        "sleep 600 & echo $! > $0.pid; wait",
        'echo $$ > "$0.pid"; while :; do :; done',
        'echo $$ > "$0.pid"; exec >&-; exec sleep 600',
        'trap "" TERM INT; echo $$ > "$0.pid"; while :; do sleep 1; done',
    ],
)
def test_one_that_never_ends(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed when its time is over, with what it has started."""
    install_helper(tmp_path, monkeypatch, "x", script)

    with pytest.raises(HelperFailed, match=r"did not answer in 1 s"):
        ask_helper("x", "r.example", seconds=1.0)

    pid = int((tmp_path / "docker-credential-x.pid").read_text())
    assert is_over(pid)


@pytest.mark.parametrize("script", ["exec yes sesame", "yes sesame >&2", "yes sesame | cat"])
def test_one_that_never_stops_talking(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may write 1 MiB, which is all that is kept of it; what it writes to standard error is not kept at all."""
    install_helper(tmp_path, monkeypatch, "x", script)
    tracemalloc.start()

    with pytest.raises(HelperFailed) as caught:
        ask_helper("x", "r.example", seconds=1.0)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20
    assert "sesame" not in str(caught.value)


def test_one_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that knows one password only need not read the question."""
    install_helper(tmp_path, monkeypatch, "x", """exec <&-; printf '{"Username":"me","Secret":"pw"}'""")

    assert ask_helper("x", "r.example") == Login("me", Secret("pw"))


def test_a_long_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret may have 12 KB, as the tokens of Azure and Google have it."""
    secret = "x" * 12_000
    install_helper(tmp_path, monkeypatch, "x", answers("me", secret))

    assert ask_helper("x", "r.example") == Login("me", Secret(secret))
