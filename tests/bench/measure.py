"""The order of the runs: tools take turns, and each run has images of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.contenders import Contender, Spent
from tests.bench.ground import Ground, Size
from tests.bench.results import Measurement

_STARTS = 3


@dataclass(frozen=True, slots=True)
class _Start:
    tool: Contender
    spent: Spent


async def measure(
    ground: Ground, size: Size, tools: Sequence[Contender], repetitions: int, say: Callable[[str], None]
) -> list[Measurement]:
    """Run every tool so many times, in another order each time."""
    starts = [_Start(tool, await _start(ground, tool)) for tool in tools]
    measured = []
    for repetition in range(1, repetitions + 1):
        for start in starts:
            entry = await _one(ground, size, start, repetition)
            say(f"{repetition}/{repetitions}  {entry.tool:<10}  {entry.rate:.0f} images/s  {entry.cpu:.2f} CPU s/1000")
            measured.append(entry)
        starts = [*starts[1:], starts[0]]
    return measured


async def _start(ground: Ground, tool: Contender) -> Spent:
    """Return what it takes to start, connect, get a token and delete one image."""
    runs = []
    for _ in range(_STARTS):
        async with ground.plot(Size(1, 1)) as plot:
            runs.append(await tool.delete(ground, plot))
    return Spent(median(run.seconds for run in runs), median(run.cpu for run in runs))


async def _one(ground: Ground, size: Size, start: _Start, repetition: int) -> Measurement:
    tool = start.tool
    async with ground.plot() as plot:
        chosen = plot if tool.sample is None else plot.sample(tool.sample)
        spent = await tool.delete(ground, chosen)
        left = await ground.left(chosen)
        assert not left, f"{tool.name} left {len(left)} images, {left[0]} among them"
    return Measurement(
        tool.name,
        str(size),
        repetition,
        len(chosen.images),
        spent.seconds,
        spent.cpu,
        start.spent.seconds,
        start.spent.cpu,
    )
