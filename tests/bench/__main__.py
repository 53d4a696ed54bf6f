"""How fast bulkrm is, and what it needs, beside others on the same machine in the same run.

    pip install -e '.[dev,bench]'
    python -m tests.bench [TOPIC...] [--repetitions 5] [--short] [--output FOLDER]

The registry is a real one, with its files in memory where there is a tmpfs, and with signed tokens; where the latency is
what matters it is the sandbox. The tools take turns, each on a fresh set of images, so that what slows the machine down
slows all of them. Only ratios mean something elsewhere. Tools and servers that are not installed are left out.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench import memory, pace, start, strategies, tools, versions
from tests.bench.topic import Setting, Topic

TOPICS: dict[str, Topic] = {
    "tools": tools.run,
    "strategies": strategies.run,
    "pace": pace.run,
    "memory": memory.run,
    "start": start.run,
    "versions": versions.run,
}
_TMPFS = Path("/dev/shm")  # noqa: S108 (a folder with a fresh name is made in it)


def main() -> None:
    """Measure, print the tables, write CSV and plots."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(TOPICS)}; default: all")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    parser.add_argument("--short", action="store_true", help="so small that it takes seconds, to see that it works")
    parser.add_argument("--output", type=Path, default=Path("bench-results"), metavar="FOLDER")
    chosen = parser.parse_args()
    unknown = [topic for topic in chosen.topics if topic not in TOPICS]
    if unknown:
        parser.error(f"there is no topic {unknown[0]}; the topics are {', '.join(TOPICS)}")
    for name in chosen.topics or TOPICS:
        with tempfile.TemporaryDirectory(dir=_TMPFS if _TMPFS.is_dir() else None) as folder:
            setting = Setting(Path(folder), chosen.output, chosen.repetitions, chosen.short, _say)
            sys.stdout.write(f"\n{asyncio.run(TOPICS[name](setting))}\n")
            sys.stdout.flush()
    sys.stdout.write(f"CSV and plots: {chosen.output}\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
