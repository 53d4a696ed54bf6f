"""One repository, all its tags deleted: by digest that is quadratic in their number, with tags first it is linear."""

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from tests.bench import plots
from tests.bench.contenders import Bulkrm
from tests.bench.ground import Ground, Size, open_ground
from tests.bench.results import aligned, write_csv
from tests.bench.topic import Setting
from tests.support.executables import installed_3, real_registry_binary

_SIZES = (1_000, 2_000, 5_000, 10_000)
_QUICK = 2_000
_WAYS = {"digest": ("--strategy", "digest"), "tags-first": ("--strategy", "tags-first", "--allow-decoy")}


@dataclass(frozen=True, slots=True)
class Taken:
    """One run: so many tags, deleted in one way, in so many seconds, start-up included."""

    server: str
    strategy: str
    tags: int
    repetition: int
    seconds: float


async def run(setting: Setting) -> str:
    """Delete 1,000 to 10,000 tags of one repository in both ways on 2.8.2, and on 3.1.1 where it is installed."""
    sizes = (4, 8) if setting.short else _SIZES
    newer = installed_3()
    servers = {"2.8.2": real_registry_binary(), **({"3.1.1": newer} if newer else {})}
    measured: list[Taken] = []
    for number, (server, binary) in zip(count(), servers.items()):
        folder = setting.folder / f"registry-{number}"
        setting.say(f"strategies: filling {max(sizes)} tags on {server}")
        async with open_ground(folder, Size(1, max(sizes)), binary) as ground:
            for repetition in range(1, setting.repetitions + 1):
                for tags in sizes:
                    for strategy in _WAYS:
                        # By digest a large one takes minutes, and always the same.
                        if repetition == 1 or strategy != "digest" or tags <= _QUICK:
                            seconds = await _seconds(ground, tags, strategy, setting.folder)
                            measured.append(Taken(server, strategy, tags, repetition, seconds))
                            setting.say(f"{server}  {tags} tags, {strategy}: {seconds:.2f} s")
    write_csv(setting.output / "strategies.csv", measured)
    _plot(setting.output / "strategies.svg", measured)
    return f"strategies: seconds for all tags of one repository, medians\n\n{_table(measured)}"


async def _seconds(ground: Ground, tags: int, strategy: str, folder: Path) -> float:
    tool = Bulkrm("auto", folder, options=_WAYS[strategy])
    async with ground.plot(Size(1, tags)) as plot:
        spent = await tool.delete(ground, plot)
        left = await ground.left(plot)
        assert not left, f"{len(left)} tags are left"
    return spent.seconds


def _table(measured: list[Taken]) -> str:
    sizes = sorted({entry.tags for entry in measured})
    rows: list[tuple[str, ...]] = [("", *(f"{size:,}" for size in sizes), "last:first", "digest:this")]
    for server in dict.fromkeys(entry.server for entry in measured):
        slow = _median(measured, server, "digest", sizes[-1])
        for strategy in _WAYS:
            seconds = [_median(measured, server, strategy, size) for size in sizes]
            ratios = (f"{seconds[-1] / seconds[0]:.1f}", f"{slow / seconds[-1]:.1f}")
            rows.append((f"{server} {strategy}", *(f"{took:.2f}" for took in seconds), *ratios))
    return aligned(rows)


def _plot(path: Path, measured: list[Taken]) -> None:
    names = {"digest": "by digest", "tags-first": "tags first"}
    values = {}
    for server in dict.fromkeys(entry.server for entry in measured):
        for strategy, name in names.items():
            how = " (by a decoy)" if strategy == "tags-first" and server.startswith("2") else ""
            values[f"{server}, {name}{how}"] = [
                (size, _median(measured, server, strategy, size)) for size in sorted({entry.tags for entry in measured})
            ]
    title = "All tags of one repository deleted by bulkrm, on distribution"
    plots.lines(path, title, ("tags", "seconds"), values)


def _median(measured: list[Taken], server: str, strategy: str, tags: int) -> float:
    wanted = (server, strategy, tags)
    return median(entry.seconds for entry in measured if (entry.server, entry.strategy, entry.tags) == wanted)
