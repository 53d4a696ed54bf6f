"""How long it takes to start: `--version` and `--help` beside an interpreter that does nothing."""

import asyncio
import sys
import time
from dataclasses import dataclass
from statistics import median

from tests.bench.results import aligned, write_csv
from tests.bench.topic import Setting

_COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "bulkrm --version": [sys.executable, "-m", "bulkrm", "--version"],
    "bulkrm --help": [sys.executable, "-m", "bulkrm", "--help"],
}
_STARTS = 15


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in seconds."""

    command: str
    seconds: float


async def run(setting: Setting) -> str:
    """Start each a few times, in turns."""
    measured = []
    for _ in range(2 if setting.short else _STARTS):
        for name, command in _COMMANDS.items():
            begin = time.perf_counter()
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
            assert await process.wait() == 0
            measured.append(Start(name, time.perf_counter() - begin))
    write_csv(setting.output / "start.csv", measured)
    medians = {name: median(entry.seconds for entry in measured if entry.command == name) for name in _COMMANDS}
    least = medians["python -c pass"]
    rows = [
        ("", "ms", "ratio"),
        *((name, f"{took * 1e3:.0f}", f"{took / least:.1f}") for name, took in medians.items()),
    ]
    return f"start\n\n{aligned(rows)}"
