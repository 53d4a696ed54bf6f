"""The report on a terminal: what needs a look first, and of many images nothing else; a pipe has them all."""

from pathlib import Path

import pytest

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
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.text.printable import Colour, painted, printable_in_colour
from bulkrm.reports.format import View, formats
from tests.unit.reports.test_reports import GOLDEN, HOST, report

REFUSED = Failed(Failure(FailureCode.NOT_PERMITTED, "HTTP 403: DENIED", 403, "the user needs delete"))
LOST = Failed(Failure(FailureCode.CONNECTION_LOST, "the connection broke"))
INTERRUPTED = NotAttempted(NotAttemptedReason.INTERRUPTED)


def images(number: int, outcome: Outcome, repository: str = "team/app", start: int = 0) -> list[ImageResult]:
    """So many images with one outcome."""
    return [ImageResult(f"{HOST}/{repository}:pr-{index}", outcome) for index in range(start, start + number)]


def lines(found: Report, view: View) -> list[str]:
    """The text."""
    return formats()["text"].whole(found, view).splitlines()


MANY = report(
    *images(1500, Deleted()),
    *images(30, REFUSED, start=1500),
    *images(2, LOST, start=1600),
    *images(3, Kept(KeptReason.SHARED, (f"{HOST}/team/app:stable",)), "team/web"),
    *images(1811, Kept(KeptReason.TOO_YOUNG), "team/web", start=10),
    *images(40, Deleted(), "platform/a-long-name/of-a-team/and-of-its-service/and-of-the-image/it-pushes"),
    *images(1, NoMatch(), "team/nothing"),
    *images(1, Gone(no_repository=True), "team/typo"),
    *images(19876, INTERRUPTED, "team/later"),
)
GOLDEN_FILES = (
    ("many-80.txt", View(80)),
    ("many-80-in-colour.txt", View(80, colour=True)),
    ("many-200.txt", View(200)),
    ("many-200-in-colour.txt", View(200, colour=True)),
)


@pytest.mark.parametrize(("file", "view"), GOLDEN_FILES)
def test_golden(file: str, view: View) -> None:
    """Thousands of images look as the golden file; run this module as a program to renew it after a look at the change."""
    assert formats()["text"].whole(MANY, view) == (GOLDEN / file).read_text(encoding="utf-8")


def test_a_pipe_has_all() -> None:
    """In a pipe each image that no condition keeps has its line, in the order of the list."""
    found = lines(MANY, View())

    expected = [result.image for result in MANY.images if result.outcome != Kept(KeptReason.TOO_YOUNG)]
    assert [line.split()[1] for line in found[: len(expected)]] == expected


def test_all_on_a_terminal() -> None:
    """--all lists every image on a terminal as well, those that need a look first."""
    found = lines(MANY, View(80, every=True))

    named = [line.split()[1] for line in found if line.startswith(("deleted ", "failed ", "kept ", "not-attempted "))]
    assert len(named) == 1500 + 32 + 3 + 40 + 19876
    assert found[0].startswith("failed ")
    assert not any("lists every one" in line for line in found)


def test_exceptions_first() -> None:
    """On a terminal failures come first, then what was kept, then the rest, each in the order of the list."""
    found = lines(
        report(
            *images(1, Deleted()),
            *images(1, Kept(KeptReason.SHARED), start=1),
            *images(1, LOST, start=2),
            *images(1, Deleted(), start=3),
            *images(1, REFUSED, start=4),
        ),
        View(80),
    )

    assert [line.rpartition("-")[2].split()[0] for line in found[:7] if ":pr-" in line] == ["2", "4", "1", "0", "3"]


@pytest.mark.parametrize(("number", "listed"), [(200, True), (201, False)])
def test_where_the_list_is_cut(number: int, *, listed: bool) -> None:
    """Up to 200 images are listed; of more there are totals, with the command that shows the whole."""
    found = lines(report(*images(number, Deleted())), View(80))

    assert any(line.startswith("deleted ") for line in found) is listed
    assert ("`bulkrm runs show 20260131T120000Z-abcdef`" in " ".join(found)) is not listed
    assert found[-1].startswith(f"{number} images: {number} deleted.")


def test_a_dry_run_is_not_recorded() -> None:
    """Of a dry run there is no record to be shown: only --all is named."""
    whole = report(*images(300, WouldDelete()))
    object.__setattr__(whole.run, "dry_run", True)

    text = " ".join(lines(whole, View(80)))

    assert "--all lists every one" in text
    assert "runs show" not in text


def test_after_an_interrupt() -> None:
    """What was not attempted is one line for each reason on a terminal, however few or many there are."""
    found = lines(
        report(
            *images(12345, INTERRUPTED),
            *images(2, NotAttempted(NotAttemptedReason.CIRCUIT_OPEN), "team/web"),
            *images(1, NotAttempted(NotAttemptedReason.FAIL_FAST), "team/one"),
        ),
        View(80),
    )

    assert [line for line in found if "not-attempted: " in line or line.startswith("not-attempted ")] == [
        "12,345 not-attempted: interrupted",
        "2 not-attempted: circuit-open",
        f"not-attempted  {HOST}/team/one:pr-0  fail-fast",
    ]


def test_totals_of_each_repository() -> None:
    """Several repositories have their totals, those with failures first; one repository needs none beside the last line."""
    several = lines(report(*images(9, Deleted(), "a"), *images(3, Deleted(), "b"), *images(2, LOST, "b", 7)), View(80))
    one = lines(report(*images(9, Deleted(), "a")), View(80))

    assert [line.split(maxsplit=1) for line in several if " deleted" in line][:2] == [
        [f"{HOST}/b", "3 deleted, 2 failed"], [f"{HOST}/a", "9 deleted"],
    ]  # fmt: skip
    assert sum(f"{HOST}/a " in line for line in one) == 0


def test_many_repositories() -> None:
    """Of hundreds of repositories the first twenty have their totals, the others together."""
    found = lines(report(*(entry for name in range(300) for entry in images(2, Deleted(), f"r{name:03}"))), View(80))

    assert sum(line.endswith("  2 deleted") for line in found) == 20
    assert "280 more repositories  560 deleted" in found


def test_colours() -> None:
    """Failures are red and what was kept is yellow, where colours are wanted; the text is the same without them."""
    plain, coloured = (formats()["text"].whole(MANY, View(80, colour=wanted)) for wanted in (False, True))

    assert f"{Colour.FAILED.value}failed\x1b[0m" in coloured
    assert f"{Colour.KEPT.value}kept\x1b[0m" in coloured
    assert "\x1b" not in plain
    for colour in (*(entry.value for entry in Colour), "\x1b[0m"):
        coloured = coloured.replace(colour, "")
    assert coloured == plain


def test_no_foreign_colours() -> None:
    """No escape sequence of a registry gets through where colours are wanted, and its colours do not either."""
    evil = Failed(Failure(FailureCode.NOT_PERMITTED, "\x1b[2J\x1b[31mred\x9b0m\u202e", 403))
    text = formats()["text"].whole(report(*images(1, evil)), View(200, colour=True))
    written = printable_in_colour(text)

    assert written == text
    assert "\\u001b[2J\\u001b[31mred\\u009b0m\\u202e" in written
    assert written.count("\x1b") == 2  # the status, and the end of its colour
    assert printable_in_colour("\x1b[2J" + painted("x", Colour.KEPT)) == "\\u001b[2J" + painted("x", Colour.KEPT)


def test_wide_characters() -> None:
    """Characters that take two columns are counted as two: the columns of a pipe stand below each other."""
    wide = ImageResult(f"{HOST}/{'期限切れ'}:1", LOST)
    first, second = lines(report(wide, *images(1, LOST)), View())[:2]

    def column(line: str) -> int:
        before = line[: line.index("connection-lost")]
        return len(before) + sum(ord(character) > 0x2E80 for character in before)

    assert column(first) == column(second)


if __name__ == "__main__":
    for file_, view_ in GOLDEN_FILES:
        Path(GOLDEN / file_).write_text(formats()["text"].whole(MANY, view_), encoding="utf-8")


def test_the_place_of_the_record() -> None:
    """Where the record is in a folder of the user's own, the command that lists all images names it."""
    text = " ".join(lines(MANY, View(80, place=" --state-dir '/my runs'")))

    assert "`bulkrm runs show 20260131T120000Z-abcdef --state-dir '/my runs'` lists every one" in text
