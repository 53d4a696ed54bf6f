"""The tools that are compared. Each deletes the images of a plot in processes of its own, whose time is what counts."""

import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.ground import Ground, Plot
from tests.support.admin import PASSWORD

_ROOT = Path(__file__).parents[2]
_USER = "admin"
_SKOPEO_PROCESSES = 8


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run took: seconds on the clock, and user and system seconds of the processor in the client alone."""

    seconds: float
    cpu: float


class Contender(Protocol):
    """One tool. `sample` is how many images it gets at most; None: all of them."""

    name: str
    sample: int | None

    async def delete(self, ground: Ground, plot: Plot) -> Spent:
        """Delete all images of the plot, and return what that took."""
        ...


class Bulkrm:
    """The command line, as a user has it. Its runs are recorded on a disk, not on the tmpfs of the registry."""

    sample: int | None = None

    def __init__(self, concurrency: int, folder: Path, *, record: bool = True) -> None:
        self.name = "bulkrm" if record else "no record"
        self._module = "bulkrm" if record else "tests.bench.unrecorded"
        self._concurrency = concurrency
        self._folder = folder

    async def delete(self, ground: Ground, plot: Plot) -> Spent:  # noqa: ARG002 (tokens are its own business)
        listed = self._folder / "list.yaml"
        listed.write_text("".join(f"- {plot.host}/{repository}:{tag}\n" for repository, tag in plot.images))
        options = ["-y", "-q", "-o", "jsonl", "-c", str(self._concurrency)]
        with tempfile.TemporaryDirectory() as state:
            environment = {
                "REGISTRY_USERNAME": _USER,
                "REGISTRY_PASSWORD": PASSWORD,
                "DOCKER_CONFIG": str(self._folder),
                "BULKRM_STATE_DIR": state,
            }
            command = [sys.executable, "-m", self._module, "-f", str(listed), *options]
            return await _run(command, self._folder, environment)


class Bare:
    """The bare loop of `tests.bench.bare`."""

    name = "bare loop"
    sample: int | None = None

    def __init__(self, concurrency: int, folder: Path) -> None:
        self._concurrency = concurrency
        self._folder = folder

    async def delete(self, ground: Ground, plot: Plot) -> Spent:
        work = {
            "url": plot.url,
            "concurrency": self._concurrency,
            "tags": plot.tags,
            "tokens": await ground.tokens(plot),
        }
        described = self._folder / "work.json"
        described.write_text(json.dumps(work))
        return await _run([sys.executable, "-m", "tests.bench.bare", str(described)], self._folder)


class Skopeo:
    """`skopeo delete`, eight processes at a time."""

    name = "skopeo x 8"

    def __init__(self, sample: int, folder: Path) -> None:
        self.sample: int | None = sample
        self._folder = folder

    async def delete(self, ground: Ground, plot: Plot) -> Spent:  # noqa: ARG002 (tokens are its own business)
        names = [f"docker://{plot.host}/{repository}:{tag}" for repository, tag in plot.images]
        listed = self._folder / "list.txt"
        listed.write_text("\n".join(names))
        many = ["xargs", "-a", str(listed), "-n", "1", "-P", str(_SKOPEO_PROCESSES)]
        one = ["skopeo", "delete", "--tls-verify=false", "--creds", f"{_USER}:{PASSWORD}"]
        return await _run([*many, *one], self._folder)


def contenders(concurrency: int, sample: int, folder: Path) -> Sequence[Contender]:
    """Return all that are installed, bulkrm and the loop that it is measured by first."""
    ours: list[Contender] = [Bulkrm(concurrency, folder), Bulkrm(concurrency, folder, record=False)]
    always = [*ours, Bare(concurrency, folder)]
    return [*always, Skopeo(sample, folder)] if shutil.which("skopeo") else always


async def _run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> Spent:
    """Run a command to its end; it must succeed. Its output goes to a file: a reader would cost time of its own."""
    written = folder / "output"
    with written.open("wb") as output:
        before, begin = _children_cpu(), time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ.get("PATH", os.defpath), **(environment or {})},
            cwd=_ROOT,
        )
        code = await process.wait()
        spent = Spent(time.perf_counter() - begin, _children_cpu() - before)
    assert code == 0, written.read_text()[-2000:]
    return spent


def _children_cpu() -> float:
    """Seconds of all processes that were waited for, and of those that they waited for: the registry is not among them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
