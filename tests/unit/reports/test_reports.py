"""Reports: golden texts, fields, and that every image is in them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bulkrm.codec.report_fields import image
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST
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
    WouldDelete,
)
from bulkrm.model.result.report import ImageResult, Report, Requests, RunInfo
from bulkrm.model.target import Source
from bulkrm.reports.format import View, formats
from bulkrm.reports.rows import detail
from bulkrm.reports.text import totals

GOLDEN = Path(__file__).parent / "golden"
HOST = "registry.example.com"
DIGEST = Digest.of(b"one")
REFUSED = Failure(FailureCode.NOT_PERMITTED, "HTTP 401: UNAUTHORIZED", 401, "the user needs delete")
LOST = Failure(FailureCode.CONNECTION_LOST, "the connection broke")
OUTCOMES: tuple[Outcome, ...] = (
    Deleted(),
    Deleted(tuple(f"{HOST}/team/app:also-{number}" for number in range(5))),
    Deleted(None),
    WouldDelete((f"{HOST}/team/app:also",)),
    Gone(),
    Gone(no_repository=True),
    *(Kept(reason, (f"{HOST}/team/app:because-of-{reason}",)) for reason in KeptReason if not reason.is_condition),
    Failed(REFUSED),
    Failed(LOST),
    *(NotAttempted(reason) for reason in NotAttemptedReason),
    NoMatch(),
)


def rows() -> Iterator[ImageResult]:
    """One image for every outcome there is, some with digest, type and note, and several repositories."""
    for number, outcome in enumerate(OUTCOMES):
        name = f"{HOST}/team/app@{DIGEST}" if number == 2 else f"{HOST}/team/app:{number}"
        source = Source("images.yaml", number + 1)
        if isinstance(outcome, Deleted | Kept):
            note = "Überfällig, 期限切れ" if number == 1 else None
            yield ImageResult(name, outcome, source, DIGEST, OCI_INDEX if number == 1 else OCI_MANIFEST, note)
        else:
            yield ImageResult(name, outcome, source)


def report(*images: ImageResult, closing: tuple[str, ...] = (), seconds: float = 12.3456) -> Report:
    """A run with these images."""
    started = datetime(2026, 1, 31, 13, 0, 0, tzinfo=timezone(timedelta(hours=1)))
    info = RunInfo("20260131T120000Z-abcdef", started, seconds, False, "1.2.3")  # noqa: FBT003
    return Report(info, images, Requests(1012, 20), closing)


WHOLE = report(*rows(), closing=(f"{HOST}: the space is freed by garbage collection; " + "word " * 20 + "end.",))


GOLDEN_FILES = (
    ("text", "pipe.txt", View()),
    ("text", "pipe-in-colour.txt", View(colour=True)),
    ("text", "terminal-80.txt", View(80)),
    ("text", "terminal-80-in-colour.txt", View(80, colour=True)),
    ("text", "terminal-160.txt", View(160)),
    ("text", "terminal-200.txt", View(200)),
    ("text", "terminal-200-in-colour.txt", View(200, colour=True)),
    ("json", "report.json", View()),
    ("jsonl", "report.jsonl", View()),
)


@pytest.mark.parametrize(("name", "file", "view"), GOLDEN_FILES)
def test_golden(name: str, file: str, view: View) -> None:
    """Each format looks as its golden file; run this module as a program to renew them after a look at the change."""
    assert render(name, view) == (GOLDEN / file).read_text(encoding="utf-8")


def render(name: str, view: View) -> str:
    """A whole report, lines first."""
    kind = formats()[name]
    return "".join(kind.line(result) for result in WHOLE.images) + kind.whole(WHOLE, view)


# JSON


def test_json_is_an_object() -> None:
    """The report parses, with an object for each image in their order, and the run in UTC."""
    found = json.loads(formats()["json"].whole(WHOLE, View()))

    assert found["images"] == [image(result) for result in WHOLE.images]
    assert found["run"] == {
        "id": "20260131T120000Z-abcdef",
        "started": "2026-01-31T12:00:00Z",
        "seconds": 12.346,
        "dry_run": False,
        "version": "1.2.3",
    }
    assert sum(found["summary"].values()) == len(OUTCOMES)
    assert found["requests"] == {"registry": 1012, "token": 20}


def test_json_of_nothing() -> None:
    """A report without images is one all the same."""
    found = json.loads(formats()["json"].whole(report(), View()))

    assert found["images"] == []
    assert set(found["summary"].values()) == {0}


def test_jsonl_is_an_object_a_line() -> None:
    """Each line parses by itself, whatever is in a note."""
    result = ImageResult(f"{HOST}/app:1", Deleted(), None, note='two\nlines\u2028and "quotes"')
    kind = formats()["jsonl"]

    assert kind.line(result).count("\n") == 1
    assert json.loads(kind.line(result))["note"] == result.note
    assert list(json.loads(kind.whole(WHOLE, View()))) == [
        "summary", "run", "requests", "orphans", "verification",
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
def test_fields(outcome: Outcome) -> None:
    """Every image has the same keys; an error comes with a failure only, reasons where there are any."""
    fields = image(ImageResult(f"{HOST}/app:1", outcome, Source("-", 1)))

    assert list(fields) == [
        "image", "status", "digest", "media_type", "also_removed", "reason", "because", "error", "hint", "note",
        "source", "parent",
    ]  # fmt: skip
    assert (fields["error"] is None) is (fields["status"] != "failed")
    assert (fields["reason"] is not None) is (fields["status"] in ("kept", "not-attempted") or outcome == Gone(True))  # noqa: FBT003
    assert isinstance(fields["because"], list)
    assert fields["source"] == "-:1"


# Text


def test_a_line_for_each_image_in_a_pipe() -> None:
    """In a pipe each image is one line that begins with its status and its full name."""
    lines = formats()["text"].whole(WHOLE, View()).splitlines()

    assert [line.split()[:2] for line in lines[: len(OUTCOMES)]] == [
        [result.outcome.status, result.image] for result in WHOLE.images
    ]
    assert lines[len(OUTCOMES)] == ""


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_nothing_wider_than_the_terminal(width: int) -> None:
    """On a terminal no line is wider than it, except for a name that is; names are never broken."""
    lines = formats()["text"].whole(WHOLE, View(width)).splitlines()

    # A status takes 15 columns; one word alone may be longer than a line.
    assert [line for line in lines if len(line) > width and len(line.split()) > 2] == []
    for result in WHOLE.images:
        assert any(result.image.partition("@")[0] in line for line in lines)


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Deleted(), ""),
        (Deleted(None), ""),
        (Deleted(("a", "b")), "with a, b"),
        (Deleted(("a", "b", "c", "d", "e")), "with a, b, c and 2 more"),
        (WouldDelete(("a",)), "with a"),
        (Gone(), ""),
        (Gone(no_repository=True), "no such repository: a typing error?"),
        (Kept(KeptReason.PROTECTED, ("*:latest",)), "protected: *:latest"),
        (Kept(KeptReason.LIMIT), "limit"),
        (Failed(LOST), "connection-lost: the connection broke"),
        (NotAttempted(NotAttemptedReason.DECLINED), "declined"),
        (NoMatch(), ""),
    ],
)
def test_detail(outcome: Outcome, text: str) -> None:
    """What is said beside the status."""
    assert detail(ImageResult("x", outcome)) == text


def test_hints_once() -> None:
    """A hint stands once, with the number of images that it is about."""
    images = [ImageResult(f"{HOST}/app:{number}", Failed(REFUSED)) for number in range(500)]

    lines = formats()["text"].whole(report(*images), View()).splitlines()

    assert [line for line in lines if "hint" in line] == ["hint for not-permitted (500 images): the user needs delete"]


@pytest.mark.parametrize("reason", [reason for reason in KeptReason if reason.is_safety_rule])
def test_every_safety_rule_has_a_hint(reason: KeptReason) -> None:
    """Whoever gets exit code 3 is told what to do about it."""
    text = formats()["text"].whole(report(ImageResult(f"{HOST}/app:1", Kept(reason))), View())

    assert f"hint for {reason} (1 image): " in text


def test_totals() -> None:
    """The last line has the numbers; one is not many, and none is none."""
    one = report(ImageResult("x", Deleted()), seconds=0.04)

    assert totals(one) == "1 image: 1 deleted. 0.0 s, 1,032 requests."
    assert totals(report()) == "0 images. 12.3 s, 1,032 requests."


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name_, file_, view_ in GOLDEN_FILES:
        (GOLDEN / file_).write_text(render(name_, view_), encoding="utf-8")


def test_what_conditions_keep_is_counted() -> None:
    """In the text each condition of the list has one line with a number; in JSON each of its images has its own."""
    young = [ImageResult(f"{HOST}/app:{number}", Kept(KeptReason.TOO_YOUNG, ("x",))) for number in range(1234)]
    results = (*young, ImageResult(f"{HOST}/app:n", Kept(KeptReason.NEWEST)), ImageResult(f"{HOST}/app:d", Deleted()))
    text = formats()["text"].whole(report(*results), View())

    assert text.splitlines()[:3] == [f"deleted        {HOST}/app:d", "1 kept: newest", "1,234 kept: too-young"]
    assert formats()["json"].whole(report(*results), View()).count('"too-young"') == 1234
