"""How fast bulkrm is, beside a bare loop that sends the same requests, and beside `skopeo delete`.

    python -m tests.bench [--repositories 20] [--tags 50] [--repetitions 5]

The registry is a real one on this machine, with its files in memory where there is a tmpfs, and with signed tokens. The
tools take turns, each on a fresh set of images, so that what slows the machine down slows all of them. Only ratios
mean something elsewhere.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench.contenders import contenders
from tests.bench.ground import Size, open_ground
from tests.bench.measure import measure
from tests.bench.results import Measurement, table, write_csv

_TMPFS = Path("/dev/shm")  # noqa: S108 (a folder with a fresh name is made in it)


def main() -> None:
    """Measure, print the table, write the CSV."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repositories", type=int, default=20, metavar="N")
    parser.add_argument("--tags", type=int, default=50, metavar="N", help="in each repository")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    parser.add_argument("--concurrency", type=int, default=32, metavar="N", help="of bulkrm and of the bare loop")
    parser.add_argument("--sample", type=int, default=200, metavar="N", help="images for skopeo")
    parser.add_argument("--output", type=Path, default=Path("bench-results"), metavar="FOLDER", help="for the CSV")
    chosen = parser.parse_args()
    size = Size(chosen.repositories, chosen.tags)
    with tempfile.TemporaryDirectory(dir=_TMPFS if _TMPFS.is_dir() else None) as folder:
        measured = asyncio.run(_measured(Path(folder), size, chosen))
    path = chosen.output / f"delete-{size}.csv"
    write_csv(path, measured)
    sys.stdout.write(
        f"\n{size} images, {chosen.concurrency} requests in flight, medians of {chosen.repetitions}; "
        f"warm: without start-up\n\n{table(measured, 'bare loop')}\n{path}\n"
    )


async def _measured(folder: Path, size: Size, chosen: argparse.Namespace) -> list[Measurement]:
    tools = contenders(chosen.concurrency, chosen.sample, folder)
    _say(f"filling {size}")
    async with open_ground(folder / "registry", size) as ground:
        return await measure(ground, size, tools, chosen.repetitions, _say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
