"""What is found out once is not asked again: how far a failure reaches."""

import pytest

from bulkrm.engine.known_failures import HostMemory, KnownFailures
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach

APP, LIB, CATALOG = Repository("one.example", "app"), Repository("one.example", "lib"), None


def failure(reach: Reach, message: str = "") -> Failure:
    """A failure that reaches so far."""
    return Failure(FailureCode.REFUSED, message, reach=reach)


@pytest.mark.parametrize(
    ("reach", "known"),
    [
        (Reach.IMAGE, []),
        (Reach.REPOSITORY, [APP]),
        (Reach.HOST, [APP, LIB, CATALOG]),
    ],
)
def test_reach(reach: Reach, known: list[Repository | None]) -> None:
    """A failure is known for its image only, for its repository, or for all of its host."""
    failures = KnownFailures()

    failures.note(failure(reach), APP)

    assert [place for place in (APP, LIB, CATALOG) if failures.find(place)] == known


@pytest.mark.parametrize(("reach", "known"), [(Reach.REPOSITORY, False), (Reach.HOST, True)])
def test_noted_for_the_catalog(reach: Reach, known: bool) -> None:  # noqa: FBT001
    """What the catalog met counts for the repositories only if it is the whole host's trouble."""
    failures = KnownFailures()

    failures.note(failure(reach), CATALOG)

    assert (failures.find(APP) is not None) is known


def test_the_first_counts() -> None:
    """The first cause is the one that is reported; that of the host comes before that of the repository."""
    failures = KnownFailures()

    failures.note(failure(Reach.REPOSITORY, "repository"), APP)
    failures.note(failure(Reach.HOST, "first"), APP)
    failures.note(failure(Reach.HOST, "second"), LIB)

    assert [found.message for place in (APP, LIB) if (found := failures.find(place))] == ["first", "first"]


@pytest.mark.parametrize("kind", ["pushing", "untagging", "deleting"])
def test_a_kind_of_requests(kind: str) -> None:
    """What one kind of requests met is not what another kind would meet."""
    memory = HostMemory()

    getattr(memory, kind).note(failure(Reach.HOST), APP)

    known = [name for name in ("pushing", "untagging", "deleting", "requests") if getattr(memory, name).find(APP)]
    assert known == [kind]
    assert memory.known_failure(APP) is None


def test_forget() -> None:
    """A host that is forgotten is as if it had never been asked: no failure is known, and its circuit is closed."""
    memory = HostMemory()
    memory.requests.note(failure(Reach.REPOSITORY), LIB)
    memory.breaker.answered()
    for _ in range(100):
        memory.breaker.failed(Failure(FailureCode.TIMEOUT, ""))
    assert all(memory.known_failure(place) for place in (APP, LIB))

    memory.forget()

    assert not any(memory.known_failure(place) for place in (APP, LIB))
