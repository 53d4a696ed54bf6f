"""The tools that are compared. Each deletes the images of a plot in processes of its own, whose time is what counts."""

import asyncio
import base64
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
_PROCESSES = 8
UNRECORDED = ("tests.bench.unrecorded",)


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

    def __init__(
        self, concurrency: str, folder: Path, *, options: Sequence[str] = (), module: Sequence[str] = ("bulkrm",)
    ) -> None:
        self.name = "no record" if module == UNRECORDED else "bulkrm"
        self._command = [sys.executable, "-m", *module]
        self._options = ["-y", "-q", "-o", "jsonl", "-c", concurrency, *options]
        self._folder = folder

    async def delete(self, ground: Ground, plot: Plot) -> Spent:  # noqa: ARG002 (tokens are its own business)
        return await self.run(plot)

    async def run(self, plot: Plot) -> Spent:
        """Delete all images of the plot, on whatever registry they are."""
        listed = self._folder / "list.yaml"
        listed.write_text("".join(f"- {plot.host}/{repository}:{tag}\n" for repository, tag in plot.images))
        with tempfile.TemporaryDirectory() as state:
            environment = {
                "REGISTRY_USERNAME": _USER,
                "REGISTRY_PASSWORD": PASSWORD,
                "DOCKER_CONFIG": str(self._folder),
                "BULKRM_STATE_DIR": state,
            }
            return await _run([*self._command, "-f", str(listed), *self._options], self._folder, environment)


class Installed(Bulkrm):
    """The bulkrm of an interpreter, which may be another version than this checkout's."""

    def __init__(self, name: str, python: Path, concurrency: str, folder: Path) -> None:
        super().__init__(concurrency, folder)
        self.name = name
        self._command = [str(python), "-P", "-m", "bulkrm"]  # not the package of the working folder


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


class Script:
    """The requests of the script that bulkrm replaces, by `tests.bench.script`."""

    name = "six requests"

    def __init__(self, sample: int, folder: Path) -> None:
        self.sample: int | None = sample
        self._folder = folder

    async def delete(self, ground: Ground, plot: Plot) -> Spent:  # noqa: ARG002 (tokens are its own business)
        work = {"url": plot.url, "tags": plot.tags, "user": _USER, "password": PASSWORD}
        described = self._folder / "work.json"
        described.write_text(json.dumps(work))
        return await _run([sys.executable, "-m", "tests.bench.script", str(described)], self._folder)


class OneByOne:
    """A tool that deletes one image a process, eight processes at a time. `{}` in its command is the image."""

    def __init__(self, name: str, command: Sequence[str], sample: int, folder: Path) -> None:
        self.name = f"{name} x {_PROCESSES}"
        self.sample: int | None = sample
        self._command = command
        self._folder = folder

    async def delete(self, ground: Ground, plot: Plot) -> Spent:  # noqa: ARG002 (tokens are its own business)
        listed = self._folder / "list.txt"
        listed.write_text("\n".join(f"{plot.host}/{repository}:{tag}" for repository, tag in plot.images))
        login = base64.b64encode(f"{_USER}:{PASSWORD}".encode()).decode()
        settings = self._folder / "config.json"
        settings.write_text(json.dumps({"auths": {plot.host: {"auth": login}}}))
        # regctl has a file of its own for what it may speak plain HTTP to.
        regctl = self._folder / "regctl.json"
        host = {"tls": "disabled", "hostname": plot.host, "user": _USER, "pass": PASSWORD}
        regctl.write_text(json.dumps({"hosts": {plot.host: host}}))
        many = ["xargs", "-a", str(listed), "-I", "{}", "-P", str(_PROCESSES)]
        environment = {"DOCKER_CONFIG": str(self._folder), "REGCTL_CONFIG": str(regctl), "HOME": str(self._folder)}
        return await _run([*many, *self._command], self._folder, environment)


def contenders(concurrency: str, sample: int, folder: Path) -> Sequence[Contender]:
    """Return all that are installed, bulkrm and the loop that it is measured by first."""
    ours: list[Contender] = [Bulkrm(concurrency, folder), Bulkrm(concurrency, folder, module=UNRECORDED)]
    loops: list[Contender] = [Bare(32 if concurrency == "auto" else int(concurrency), folder), Script(sample, folder)]
    found = [(name, command, _where(command[0])) for name, command in _ONE_BY_ONE.items()]
    return [
        *ours,
        *loops,
        *(OneByOne(name, _in_shell(where, command), sample, folder) for name, command, where in found if where),
    ]


_ONE_BY_ONE = {
    "skopeo": ("skopeo", "delete --tls-verify=false docker://{}"),
    # crane deletes what it is given: a tag, which 2.8.2 does not do, or a digest, which it has to be asked for.
    "crane": ("crane", 'delete --insecure {}@$("$0" digest --insecure {})'),
    "regctl": ("regctl", "manifest delete --force-tag-dereference {}"),
}


def _in_shell(where: str, command: tuple[str, str]) -> list[str]:
    """Return a command line without a shell where none is needed: it would count as the tool's."""
    if "$" not in command[1]:
        return [where, *command[1].split()]
    return ["sh", "-c", f'"$0" {command[1]}', where]


def _where(name: str) -> str | None:
    """Find a program, also where `go install` puts it (`go help install`)."""
    folder = os.environ.get("GOBIN") or f"{os.environ.get('GOPATH') or Path.home() / 'go'}/bin"
    return shutil.which(name) or shutil.which(name, path=folder)


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
