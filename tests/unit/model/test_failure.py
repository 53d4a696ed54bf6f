"""The error codes of the report."""

import re

import pytest

from bulkrm.model.errors import BulkrmError, InputError, Problem, ProtocolError, RequestFailed
from bulkrm.model.result.failure import Failure, FailureCode, Reach

# Scripts rely on them: a code may be added here, and none may go.
CODES = {
    "bad-credentials",
    "certificate",
    "connection-lost",
    "deletion-disabled",
    "digest-mismatch",
    "no-catalog",
    "not-a-manifest",
    "not-a-registry",
    "not-permitted",
    "not-supported",
    "rate-limited",
    "read-only",
    "redirected",
    "refused",
    "server-error",
    "timeout",
    "token-server",
    "unconfirmed",
    "unexpected-answer",
    "unreachable",
    "unsafe-realm",
}


def test_codes_are_stable() -> None:
    """No code that a script may look for is missing."""
    assert set(FailureCode) >= CODES


@pytest.mark.parametrize("code", FailureCode)
def test_codes_look_alike(code: FailureCode) -> None:
    """Codes are lower case with dashes."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)


def test_a_failure_is_of_its_image() -> None:
    """Without further word a failure tells about its image only."""
    assert Failure(FailureCode.TIMEOUT, "no answer").reach is Reach.IMAGE


def test_a_failed_request_says_why() -> None:
    """The error carries the failure, and its text is the failure's message."""
    error = RequestFailed(Failure(FailureCode.TIMEOUT, "no answer"))

    assert (str(error), error.failure.code) == ("no answer", FailureCode.TIMEOUT)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem("f:1", "is wrong", "mend it"), "f:1: is wrong; mend it"),
        (Problem("", "is wrong", "mend it"), "is wrong; mend it"),
        (Problem("f:1", "is wrong"), "f:1: is wrong"),
        (Problem("", "is wrong"), "is wrong"),
    ],
)
def test_problems(problem: Problem, expected: str) -> None:
    """A problem says where, what and the remedy, as far as there is one."""
    assert str(problem) == expected


def test_all_problems_are_shown() -> None:
    """An input error shows every problem on a line of its own."""
    error = InputError(Problem("a", "x"), Problem("b", "y"))

    assert str(error) == "a: x\nb: y"
    assert len(error.problems) == 2


@pytest.mark.parametrize("kind", [InputError, ProtocolError, RequestFailed])
def test_one_tree(kind: type[Exception]) -> None:
    """Every error of bulkrm's own is a BulkrmError."""
    assert issubclass(kind, BulkrmError)
