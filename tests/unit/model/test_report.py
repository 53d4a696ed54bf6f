"""The result of a run."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NoMatch,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    Status,
    WouldDelete,
)
from bulkrm.model.result.report import ImageResult, Report, Requests, RunInfo
from bulkrm.model.target import Source, Target

RUN = RunInfo("r1", datetime(2026, 1, 31, tzinfo=UTC), 1.25, dry_run=False, version="1")
OUTCOMES: list[Outcome] = [
    Deleted(),
    WouldDelete(),
    Gone(),
    Kept(KeptReason.SHARED),
    Failed(Failure(FailureCode.TIMEOUT, "no answer")),
    NotAttempted(NotAttemptedReason.DECLINED),
    NoMatch(),
]


@given(st.lists(st.sampled_from(OUTCOMES)))
def test_the_summary_adds_up(outcomes: list[Outcome]) -> None:
    """Every status is a key of the summary, and the values add up to the number of images."""
    report = Report(RUN, tuple(ImageResult(str(number), outcome) for number, outcome in enumerate(outcomes)))

    assert list(report.summary) == list(Status)
    assert sum(report.summary.values()) == len(outcomes)
    assert all(report.summary[outcome.status] > 0 for outcome in outcomes)


def test_defaults() -> None:
    """A report without further word has sent nothing and says nothing more."""
    report = Report(RUN, ())

    assert report.requests == Requests(0, 0)
    assert report.closing == ()


def test_the_host_of_a_target() -> None:
    """A target knows its registry."""
    assert Target(TagRef(Repository("r.example", "a"), "1"), Source("-", 1)).host == "r.example"


def test_sources() -> None:
    """A place in a file is its line, an argument its position."""
    assert str(Source("images.yaml", 2)) == "images.yaml:2"
    assert str(Source("-", 2)) == "-:2"
    assert str(Source("argument", 2)) == "argument 2"
