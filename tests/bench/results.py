"""What was measured, as a table for people and as CSV."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

_PER = 1000


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one tool. The start-up is what a run over one image takes, the median of several."""

    tool: str
    size: str
    repetition: int
    images: int
    seconds: float
    cpu_seconds: float
    startup_seconds: float
    startup_cpu_seconds: float

    @property
    def rate(self) -> float:
        """Images a second."""
        return self.images / self.seconds

    @property
    def warm_rate(self) -> float:
        """Images a second when the interpreter's start is left out."""
        return (self.images - 1) / max(self.seconds - self.startup_seconds, 0.001)

    @property
    def cpu(self) -> float:
        """The client's seconds of the processor for 1,000 images."""
        return self.cpu_seconds / self.images * _PER

    @property
    def warm_cpu(self) -> float:
        """As `cpu`, without the start."""
        return (self.cpu_seconds - self.startup_cpu_seconds) / (self.images - 1) * _PER


def table(measurements: Sequence[Measurement], against: str) -> str:
    """Return medians, and ratios to the tool `against` in the same repetition, as their median."""
    base = {entry.repetition: entry for entry in measurements if entry.tool == against}
    head = ("", "images/s", "warm", "CPU s/1000", "warm", "start s", "rate:bare", "warm", "CPU:bare", "warm")
    rows = [head]
    for tool in dict.fromkeys(entry.tool for entry in measurements):
        runs = [entry for entry in measurements if entry.tool == tool]
        pairs = [(entry, base[entry.repetition]) for entry in runs]
        rows.append(
            (
                tool,
                f"{median(entry.rate for entry in runs):.0f}",
                f"{median(entry.warm_rate for entry in runs):.0f}",
                f"{median(entry.cpu for entry in runs):.2f}",
                f"{median(entry.warm_cpu for entry in runs):.2f}",
                f"{runs[0].startup_seconds:.2f}",
                f"{median(entry.rate / bare.rate for entry, bare in pairs):.2f}",
                f"{median(entry.warm_rate / bare.warm_rate for entry, bare in pairs):.2f}",
                f"{median(entry.cpu / bare.cpu for entry, bare in pairs):.2f}",
                f"{median(entry.warm_cpu / bare.warm_cpu for entry, bare in pairs):.2f}",
            )
        )
    return aligned(rows)


def write_csv(path: Path, measurements: Iterable[Any]) -> None:
    """Write every single run: dataclasses of one kind."""
    rows = [asdict(entry) for entry in measurements]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{it:.4f}" if isinstance(it, float) else it for key, it in row.items()})


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return a table: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    first, *rest = widths
    lines = [
        row[0].ljust(first) + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], rest, strict=True))
        for row in rows
    ]
    return "\n".join(lines) + "\n"
