"""Memory by size of list: of reading it, and of a whole run over the sandbox."""

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, oci_image, put_image
from tests.bench import plots
from tests.bench.results import aligned, write_csv
from tests.bench.topic import Setting

_SIZES = (10_000, 50_000, 100_000, 200_000)
_LIST = 1_000_000
_EACH = 1000  # images in a repository
_ROOT = Path(__file__).parents[2]
_READ = "import sys; from bulkrm.selection.listfile.document import read_list; "
_READ += "print(len(read_list(open(sys.argv[1], 'rb').read(), 'list').entries))"


@dataclass(frozen=True, slots=True)
class Used:
    """One process: what it did with so many images, the most memory it had in MB (2**20 bytes), and its seconds."""

    what: str
    images: int
    megabytes: float
    seconds: float


async def run(setting: Setting) -> str:
    """Read a list of a million references; delete 10,000 to 200,000 images of the sandbox."""
    measured = [await _read(setting, 1000 if setting.short else _LIST)]
    setting.say(f"memory: reading {measured[0].images}: {measured[0].megabytes:.0f} MB, {measured[0].seconds:.1f} s")
    for images in (100, 200) if setting.short else _SIZES:
        measured.append(await _delete(setting, images))
        setting.say(f"memory: deleting {images}: {measured[-1].megabytes:.0f} MB, {measured[-1].seconds:.1f} s")
    write_csv(setting.output / "memory.csv", measured)
    runs = measured[1:]
    values = {"bulkrm": [(entry.images, entry.megabytes) for entry in runs]}
    title = "The most memory that a run has"
    plots.lines(setting.output / "memory.svg", title, ("images", "MB"), values, log=False)
    each = (runs[-1].megabytes - runs[0].megabytes) * 2**10 / (runs[-1].images - runs[0].images)
    rows = [("", "images", "MB", "seconds")]
    rows += [(entry.what, f"{entry.images:,}", f"{entry.megabytes:.0f}", f"{entry.seconds:.1f}") for entry in measured]
    return f"memory\n\n{aligned(rows)}\n{each:.2f} KB for each image more\n"


async def _read(setting: Setting, images: int) -> Used:
    listed = setting.folder / "long.yaml"
    _write(listed, "registry.example.com", images)
    return await _used("read the list", images, [sys.executable, "-c", _READ, str(listed)])


async def _delete(setting: Setting, images: int) -> Used:
    listed = setting.folder / "list.yaml"
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        for seed in range(images):
            put_image(sandbox.store, f"team/app-{seed // _EACH}", [f"pr-{seed}"], oci_image(seed, config_seed=0))
        _write(listed, sandbox.host, images)
        command = [sys.executable, "-m", "bulkrm", "-f", str(listed), "-y", "-q", "-o", "jsonl", "--strategy", "digest"]
        used = await _used("delete", images, command)
        assert not any(sandbox.store.tags(f"team/app-{number}") for number in range(-(-images // _EACH)))
        return used


def _write(path: Path, host: str, images: int) -> None:
    with path.open("w") as file:
        file.writelines(f"- {host}/team/app-{seed // _EACH}:pr-{seed}\n" for seed in range(images))


async def _used(what: str, images: int, command: list[str]) -> Used:
    """Run a command; the kernel says how much memory it had at most."""
    with tempfile.TemporaryDirectory() as state:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "BULKRM_STATE_DIR": state, "DOCKER_CONFIG": state}
        begin = asyncio.get_running_loop().time()
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "tests.bench.peak", *command],
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=_ROOT,
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()[-2000:]
        return Used(what, images, int(said.split()[-1]) / 2**10, asyncio.get_running_loop().time() - begin)
