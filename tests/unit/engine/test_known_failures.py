"""What is found out once is not asked again: how far a failure reaches."""

import pytest

from bulkrm.engine.known_failures import KnownFailures
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach

APP, LIB = Repository("one.example", "app"), Repository("one.example", "lib")
OTHER = Repository("two.example", "app")


def failure(reach: Reach, message: str = "") -> Failure:
    """A failure that reaches so far."""
    return Failure(FailureCode.REFUSED, message, reach=reach)


@pytest.mark.parametrize(
    ("reach", "known"),
    [
        (Reach.IMAGE, []),
        (Reach.REPOSITORY, [APP]),
        (Reach.HOST, [APP, LIB, "one.example"]),
    ],
)
def test_reach(reach: Reach, known: list[Repository | str]) -> None:
    """A failure is known for its image only, for its repository, or for all of its host, and never for another host."""
    causes = KnownFailures()

    causes.note(failure(reach), APP)

    assert [place for place in (APP, LIB, OTHER, "one.example", "two.example") if causes.find(place)] == known


@pytest.mark.parametrize(("reach", "known"), [(Reach.REPOSITORY, False), (Reach.HOST, True)])
def test_noted_for_a_host(reach: Reach, known: bool) -> None:  # noqa: FBT001
    """What the catalog met counts for the repositories only if it is the whole host's trouble."""
    causes = KnownFailures()

    causes.note(failure(reach), "one.example")

    assert (causes.find(APP) is not None) is known


def test_the_first_counts() -> None:
    """The first cause is the one that is reported; that of the host comes before that of the repository."""
    causes = KnownFailures()

    causes.note(failure(Reach.REPOSITORY, "repository"), APP)
    causes.note(failure(Reach.HOST, "first"), APP)
    causes.note(failure(Reach.HOST, "second"), LIB)

    assert [found.message for place in (APP, LIB) if (found := causes.find(place))] == ["first", "first"]
