"""This checkout beside another version of bulkrm, and that one beside itself, which is the spread that means nothing.

    BULKRM_BENCH_OTHER=/path/to/other/venv/bin/python python -m tests.bench versions --repetitions 7

Without the variable this checkout is all three.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from tests.bench.contenders import Installed
from tests.bench.ground import Size, open_ground
from tests.bench.measure import measure
from tests.bench.results import Measurement, aligned, write_csv
from tests.bench.topic import Setting

_NEW, _OLD, _OLD_AGAIN = "new", "old", "old again"


async def run(setting: Setting) -> str:
    """Delete 20 repositories of 50 tags with each, in turns, on distribution 2.8.2 with tokens."""
    size = Size(2, 4) if setting.short else Size(20, 50)
    here = Path(sys.executable)
    other = Path(os.environ.get("BULKRM_BENCH_OTHER") or here)
    places = {_OLD: other, _NEW: here, _OLD_AGAIN: other}
    setting.say(f"versions: filling {size}")
    async with open_ground(setting.folder / "registry", size) as ground:
        installed = [Installed(name, python, "32", setting.folder) for name, python in places.items()]
        measured = await measure(ground, size, installed, setting.repetitions, setting.say)
    write_csv(setting.output / "versions.csv", measured)
    head = f"versions: {size} images, 32 requests in flight, {setting.repetitions} pairs; ratios to the old version"
    return f"{head}\n\n{_table(measured)}"


def _table(measured: Sequence[Measurement]) -> str:
    """Return the median, the smallest and the largest ratio of the pairs, of rate and of the processor's time."""
    old = {entry.repetition: entry for entry in measured if entry.tool == _OLD}
    rows: list[Sequence[str]] = [("", "rate:old", "min", "max", "CPU:old", "min", "max")]
    for tool in (_NEW, _OLD_AGAIN):
        runs = [entry for entry in measured if entry.tool == tool]
        rates = _ratios(runs, old, lambda entry: entry.rate)
        rows.append((tool, *rates, *_ratios(runs, old, lambda entry: entry.cpu)))
    return aligned(rows)


def _ratios(
    runs: Sequence[Measurement], old: dict[int, Measurement], figure: Callable[[Measurement], float]
) -> tuple[str, str, str]:
    ratios = [figure(entry) / figure(old[entry.repetition]) for entry in runs]
    return f"{median(ratios):.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}"
