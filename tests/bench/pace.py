"""Images a second by concurrency, on registries that are near, far, and that refuse; `auto` beside fixed numbers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, oci_image, put_image
from tests.bench import plots
from tests.bench.contenders import Bulkrm
from tests.bench.ground import Plot
from tests.bench.results import aligned, write_csv
from tests.bench.topic import Setting

_FIXED = ("4", "8", "16", "20", "32", "64", "128", "256", "512")
_FAR: Mapping[str, Any] = {"latency": 0.05, "busy_above": None}
_BUSY: Mapping[str, Any] = {"latency": 0.01, "busy_above": 20}
_NEAR: Mapping[str, Any] = {"latency": 0.0, "busy_above": None}
# What each is, and how many images it takes to see what it can.
_KINDS = {"near": (_NEAR, 10_000), "50 ms away": (_FAR, 15_000), "429 above 20": (_BUSY, 8_000)}
_IMAGES = 100  # in each repository


@dataclass(frozen=True, slots=True)
class Pace:
    """One run. `refused`: the share of answers that were 429; `most`: in progress at the registry at once."""

    registry: str
    concurrency: str
    images: int
    seconds: float
    startup_seconds: float
    refused: float
    most: int

    @property
    def rate(self) -> float:
        """Images a second, without the interpreter's start."""
        return self.images / max(self.seconds - self.startup_seconds, 0.001)


async def run(setting: Setting) -> str:
    """Run with every number on every kind of registry, and `auto` on one that changes from each to the next."""
    measured: list[Pace] = []
    startup = min([(await _one(setting, "near", "auto", 1)).seconds for _ in range(3)])
    for _ in range(setting.repetitions):
        for kind, (_, images) in _KINDS.items():
            for concurrency in (*_fixed(kind, short=setting.short), "auto"):
                number = 20 if setting.short else _enough(kind, concurrency, images)
                entry = await _one(setting, kind, concurrency, number, startup)
                measured.append(entry)
                setting.say(f"{kind}, {concurrency}: {entry.rate:.0f} images/s, {entry.refused:.2%} refused")
    changing = await _changing(setting, startup)
    write_csv(setting.output / "pace.csv", [*measured, changing])
    _plot(setting, measured)
    told = f"changing in the middle, auto: {changing.rate:.0f} images/s, {changing.refused:.2%} refused"
    return f"pace: images a second by requests in flight, medians\n\n{_table(measured)}\n{told}\n"


def _enough(kind: str, concurrency: str, images: int) -> int:
    """Return how many images are enough: with few in flight to a registry that is far, less take as long."""
    return min(images, 200 * int(concurrency)) if kind == "50 ms away" and concurrency != "auto" else images


def _fixed(kind: str, *, short: bool) -> tuple[str, ...]:
    if short:
        return ("4",)
    return tuple(number for number in _FIXED if kind != "429 above 20" or int(number) <= 32)


async def _one(setting: Setting, kind: str, concurrency: str, images: int, startup: float = 0.0) -> Pace:
    async with _filled(images, _KINDS[kind][0]) as (sandbox, plot):
        seconds = await _run(setting, concurrency, plot)
        assert not any(sandbox.store.tags(repository) for repository in plot.tags)
        refused = sum(line.status == 429 for line in sandbox.log) / len(sandbox.log)
        return Pace(kind, concurrency, images, seconds, startup, refused, sandbox.max_in_flight)


async def _changing(setting: Setting, startup: float) -> Pace:
    """Let the registry be near, then far, then busy, a third of the images each."""
    images = 30 if setting.short else 24_000
    async with _filled(images, _NEAR) as (sandbox, plot):
        watching = asyncio.create_task(_change(sandbox, images))
        seconds = await _run(setting, "auto", plot)
        watching.cancel()
        refused = sum(line.status == 429 for line in sandbox.log) / len(sandbox.log)
        return Pace("changing", "auto", images, seconds, startup, refused, sandbox.max_in_flight)


async def _change(sandbox: Sandbox, images: int) -> None:
    """Each image is two requests; the registry changes after a third of them, and after two."""
    for part, settings in enumerate((_FAR, _BUSY), 1):
        while len(sandbox.log) < 2 * images * part / 3:  # noqa: ASYNC110 (a look now and then is enough)
            await asyncio.sleep(0.02)
        sandbox.change(**settings)


async def _run(setting: Setting, concurrency: str, plot: Plot) -> float:
    tool = Bulkrm(concurrency, setting.folder, options=("--strategy", "digest"))
    return (await tool.run(plot)).seconds


@asynccontextmanager
async def _filled(images: int, settings: Mapping[str, Any]) -> AsyncIterator[tuple[Sandbox, Plot]]:
    async with Sandbox(SandboxSettings(auth=Auth.NONE, **settings)) as sandbox:
        tags: dict[str, tuple[str, ...]] = {}
        for first in range(0, images, _IMAGES):
            repository = f"team/app-{first // _IMAGES}"
            tags[repository] = tuple(f"pr-{seed}" for seed in range(first, min(images, first + _IMAGES)))
            for seed, tag in enumerate(tags[repository], first):
                put_image(sandbox.store, repository, [tag], oci_image(seed, config_seed=0))
        yield sandbox, Plot(sandbox.url, "", tags)


def _table(measured: list[Pace]) -> str:
    rows: list[tuple[str, ...]] = [("", "best fixed", "images/s", "auto", "auto:best", "auto refused")]
    for kind in _KINDS:
        rates = _rates(measured, kind)
        auto = rates.pop("auto")
        best = max(rates, key=lambda name: rates[name])
        refused = median(entry.refused for entry in measured if (entry.registry, entry.concurrency) == (kind, "auto"))
        cells = (f"{rates[best]:.0f}", f"{auto:.0f}", f"{auto / rates[best]:.2f}", f"{refused:.2%}")
        rows.append((kind, best, *cells))
    return aligned(rows)


def _rates(measured: list[Pace], kind: str) -> dict[str, float]:
    names = dict.fromkeys(entry.concurrency for entry in measured if entry.registry == kind)
    return {
        name: median(entry.rate for entry in measured if (entry.registry, entry.concurrency) == (kind, name))
        for name in names
    }


def _plot(setting: Setting, measured: list[Pace]) -> None:
    values: dict[str, list[tuple[float, float]]] = {}
    for kind in _KINDS:
        rates = _rates(measured, kind)
        auto = rates.pop("auto")
        values[kind] = [(float(number), rate) for number, rate in rates.items()]
        values[f"{kind}, auto"] = [(float(number), auto) for number in rates]
    title = "Images deleted a second by concurrency, on the sandbox"
    plots.lines(setting.output / "pace.svg", title, ("requests in flight", "images a second"), values)
