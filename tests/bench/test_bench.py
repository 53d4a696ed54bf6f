"""The benchmark works. How fast anything is, is not for a test to say."""

import csv
import shutil
from pathlib import Path

import pytest

from tests.bench.__main__ import TOPICS
from tests.bench.contenders import contenders
from tests.bench.ground import Size, open_ground
from tests.bench.measure import measure
from tests.bench.results import Measurement, table, write_csv
from tests.bench.topic import Setting

_QUICK = ("start",)  # the others start servers and other tools, again and again


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in _QUICK else pytest.mark.slow) for name in TOPICS]
)
async def test_every_topic_works(name: str, tmp_path: Path) -> None:
    """Each measures all that is installed, prints a table and writes its CSV; whatever is left undone fails it."""
    folder = tmp_path / "work"
    folder.mkdir()

    told = await TOPICS[name](Setting(folder, tmp_path / "results", 1, short=True, say=lambda _: None))

    assert told.startswith(name)
    with (tmp_path / "results" / f"{name}.csv").open() as file:
        assert list(csv.DictReader(file))


@pytest.mark.slow
async def test_every_tool_deletes_what_it_is_given(tmp_path: Path) -> None:
    """Each tool has one run a repetition, over all images of it, and there is a line for it in the table."""
    size = Size(2, 3)
    tools = contenders("4", 4, tmp_path)
    async with open_ground(tmp_path / "registry", size) as ground:
        measured = await measure(ground, size, tools, 1, lambda _: None)
    images = {entry.tool: entry.images for entry in measured}
    assert {name: images[name] for name in list(images)[:4]} == {
        "bulkrm": 6,
        "no record": 6,
        "bare loop": 6,
        "six requests": 4,
    }
    assert ("skopeo x 8" in images) is bool(shutil.which("skopeo"))
    assert [line.partition("  ")[0] for line in table(measured, "bare loop").splitlines()[1:]] == list(images)


def test_csv_has_a_row_for_every_run(tmp_path: Path) -> None:
    """The folder is made where it is missing."""
    path = tmp_path / "results" / "delete.csv"
    write_csv(path, [Measurement("bulkrm", "2x3", repetition, 6, 2.0, 1.0, 0.5, 0.25) for repetition in (1, 2)])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["tool"], row["repetition"], row["seconds"]) for row in rows] == [
        ("bulkrm", "1", "2.0000"),
        ("bulkrm", "2", "2.0000"),
    ]


def test_ratios_are_of_the_same_repetition() -> None:
    """A slow moment of the machine, in which both tools ran, changes no ratio."""
    runs = [("a", 1, 2.0), ("bare", 1, 1.0), ("a", 2, 20.0), ("bare", 2, 10.0)]
    measured = [Measurement(tool, "1x1001", number, 1001, took, took, 0.0, 0.0) for tool, number, took in runs]
    assert table(measured, "bare").splitlines()[1].split()[-4:] == ["0.50", "0.50", "2.00", "2.00"]
