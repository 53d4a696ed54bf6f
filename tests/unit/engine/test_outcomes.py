"""The outcomes of a run: one outcome for every line, in the order of the list."""

import pytest

from bulkrm.engine.outcomes import Outcomes
from bulkrm.model.digest import Digest
from bulkrm.model.events import Event, EventListener, ImageSettled, ignore
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, NoMatch, NotAttempted, NotAttemptedReason, Untagged
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Source, Target, Unmatched

APP = Repository("registry.example", "team/app")
REFUSED = Failure(FailureCode.REFUSED, "HTTP 400")
RESOLVED = Resolved(Digest.of(b"one"), OCI_MANIFEST, 3)


class Heard:
    """Keeps the outcomes it hears of."""

    def __init__(self) -> None:
        self.heard: list[ImageResult] = []

    def __call__(self, event: Event) -> None:
        assert isinstance(event, ImageSettled)
        self.heard.append(event.result)


def no_bug(bug: BaseException) -> None:
    """There is none in these listeners."""
    raise bug


def outcomes_for(tell: EventListener) -> Outcomes:
    """Outcomes whose listener has no bug."""
    return Outcomes(tell, no_bug)


def target(tag: str, line: int = 1, note: str | None = None) -> Target:
    """A tag of the list."""
    return Target(TagRef(APP, tag), Source("images.yaml", line), note)


def test_order_is_that_of_the_list() -> None:
    """Results come in the order of the lines, whatever the order of the outcomes; the observer hears them as they come."""
    listener = Heard()
    outcomes = outcomes_for(listener)
    a, b = target("a"), target("b", 2, "old")
    outcomes.open([a, b])

    outcomes.record(b, Deleted(), RESOLVED)
    outcomes.record(a, Gone())
    results = outcomes.close(NotAttemptedReason.DECLINED)

    assert [result.image for result in results] == ["registry.example/team/app:a", "registry.example/team/app:b"]
    assert [result.image[-1] for result in listener.heard] == ["b", "a"]
    assert (results[0].digest, results[0].media_type) == (None, None)
    assert (results[1].digest, results[1].media_type, results[1].note) == (RESOLVED.digest, OCI_MANIFEST, "old")


def test_patterns_have_their_outcome_at_once() -> None:
    """A pattern without images is written when the lines are opened, with its source and note."""
    listener = Heard()
    outcomes = outcomes_for(listener)

    outcomes.open([Unmatched("registry.example/x:*", Source("-", 7), "n", NoMatch())])

    assert listener.heard == [ImageResult("registry.example/x:*", NoMatch(), Source("-", 7), note="n")]
    assert list(outcomes.close(NotAttemptedReason.DECLINED)) == listener.heard


@pytest.mark.parametrize("reason", NotAttemptedReason)
def test_closing_completes(reason: NotAttemptedReason) -> None:
    """Whatever has no outcome was not attempted, for the reason given; what has one keeps it."""
    outcomes = outcomes_for(ignore)
    a, b = target("a"), target("b")
    outcomes.open([a, b])
    outcomes.record(a, Deleted())

    found = [result.outcome for result in outcomes.close(reason)]

    assert found == [Deleted(), NotAttempted(reason)]


@pytest.mark.parametrize("failure", [REFUSED, CircuitOpen(FailureCode.TIMEOUT, "not asked")])
def test_what_is_recorded_is_reported(failure: Failure) -> None:
    """Nothing completes or corrects an outcome: the report and whoever listens have the very one that was recorded."""
    listener, outcome = Heard(), Failed(failure)
    outcomes = outcomes_for(listener)
    outcomes.open([target("a")])

    outcomes.record(target("a"), outcome)

    assert outcomes.outcome(target("a")) is outcome
    assert listener.heard[0].outcome is outcome
    assert outcomes.close(NotAttemptedReason.DECLINED)[0].outcome is outcome


def test_no_second_outcome() -> None:
    """A second outcome for one target is a bug, and the first stays."""
    outcomes = outcomes_for(ignore)
    a = target("a")
    outcomes.open([a])
    outcomes.record(a, Deleted())

    with pytest.raises(RuntimeError, match=r"registry\.example/team/app:a has an outcome already"):
        outcomes.record(a, Gone())

    assert [result.outcome for result in outcomes.close(NotAttemptedReason.DECLINED)] == [Deleted()]


def test_the_same_image_from_two_lines() -> None:
    """Two targets that differ only in their source are two lines."""
    outcomes = outcomes_for(ignore)
    first, second = target("a", 1), target("a", 2)
    outcomes.open([first, second])

    outcomes.record(first, Deleted())
    results = outcomes.close(NotAttemptedReason.FAIL_FAST)

    assert [(result.source, result.outcome) for result in results] == [
        (first.source, Deleted()),
        (second.source, NotAttempted(NotAttemptedReason.FAIL_FAST)),
    ]


def test_failures() -> None:
    """It knows whether anything failed, an image or a pattern."""
    failed = Failed(Failure(FailureCode.REFUSED, "HTTP 400"))
    images, patterns = outcomes_for(ignore), outcomes_for(ignore)
    images.open([target("a"), target("b")])
    images.record(target("a"), Deleted())
    before = images.has_failures

    images.record(target("b"), failed)
    patterns.open([Unmatched("registry.example/x:*", Source("-", 1), None, failed)])

    assert (before, images.has_failures, patterns.has_failures) == (False, True, True)


def test_a_listener_with_a_bug() -> None:
    """A listener that raises loses no outcome; each of its bugs is passed on."""

    def faulty(event: Event) -> None:
        assert isinstance(event, ImageSettled)
        raise ZeroDivisionError(event.result.image)

    bugs: list[BaseException] = []
    outcomes = Outcomes(faulty, bugs.append)
    outcomes.open([target("a"), target("b")])

    outcomes.record(target("a"), Deleted())
    results = outcomes.close(NotAttemptedReason.INTERNAL_ERROR)

    assert [result.outcome for result in results] == [Deleted(), NotAttempted(NotAttemptedReason.INTERNAL_ERROR)]
    assert [str(bug) for bug in bugs] == [result.image for result in results]


def test_what_disappeared() -> None:
    """Tags, those outside the list too, each once; and manifests that the list names by their digest alone."""
    two, three = (Resolved(Digest.of(name), OCI_MANIFEST, 3) for name in (b"two", b"three"))
    twin = Target(TagRef(APP, "a", RESOLVED.digest), Source("images.yaml", 2))
    same = Target(DigestRef(APP, RESOLVED.digest), Source("images.yaml", 3))
    alone = Target(DigestRef(APP, two.digest), Source("images.yaml", 4))
    a, b, c = target("a"), target("b"), target("c")
    outcomes = outcomes_for(ignore)
    outcomes.open([a, twin, same, alone, b, c])

    assert outcomes.disappeared == 0
    for each in (a, twin, same):
        outcomes.record(each, Deleted((f"{APP}:x", f"{APP}:y")), RESOLVED)
    outcomes.record(alone, Deleted(None), two)
    outcomes.replay({str(b.reference): ImageResult(str(b.reference), Untagged((f"{APP}:z",)), None, three.digest)})
    outcomes.record(c, Gone())

    assert outcomes.disappeared == 3 + 1 + 1


def test_outcomes_are_noted_first() -> None:
    """Whoever keeps the record hears of an outcome before the listener does."""
    heard: list[object] = []
    outcomes = Outcomes(heard.append, no_bug, heard.append)
    target = Target(TagRef(APP, "a"), None)

    outcomes.open([target])
    outcomes.record(target, Deleted())

    result = ImageResult("registry.example/team/app:a", Deleted())
    assert heard == [result, ImageSettled(result)]
