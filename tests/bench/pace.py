"""Images a second by concurrency and by latency, on registries that are near, far, and that refuse.

`auto` beside fixed numbers, and beside what else could steer it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, oci_image, put_image
from tests.bench import plots
from tests.bench.contenders import Bulkrm
from tests.bench.ground import Plot
from tests.bench.results import aligned, write_csv
from tests.bench.steering import STEERINGS
from tests.bench.topic import Setting

_FIXED = ("4", "8", "16", "20", "32", "64", "128", "256", "512")
_FAR: Mapping[str, Any] = {"latency": 0.05, "busy_above": None}
_BUSY: Mapping[str, Any] = {"latency": 0.01, "busy_above": 20}
_NEAR: Mapping[str, Any] = {"latency": 0.0, "busy_above": None}
# What each is, and how many images it takes to see what it can.
_KINDS = {"near": (_NEAR, 10_000), "50 ms away": (_FAR, 15_000), "429 above 20": (_BUSY, 8_000)}
_LATENCIES = (0.0, 0.005, 0.02, 0.05, 0.1)
_BY_LATENCY = ("8", "32", "128", "auto")
_IMAGES = 100  # in each repository
_OTHERS = tuple(name for name in STEERINGS if name != "climb")


@dataclass(frozen=True, slots=True)
class Pace:
    """One run. `concurrency`: a number, `auto`, or what steered it instead; `latency` in seconds.

    `refused`: the share of answers that were 429; `most`: in progress at the registry at once.
    """

    registry: str
    latency: float
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
    """Run with every number on every kind of registry and latency; and on one that changes from each to the next."""
    startup = min([(await _one(setting, "near", _NEAR, "auto", 1)).seconds for _ in range(3)])
    measured: list[Pace] = []
    away: list[Pace] = []
    changing: list[Pace] = []
    for _ in range(setting.repetitions):
        for kind, (settings, images) in _KINDS.items():
            for concurrency in (*_fixed(kind, short=setting.short), "auto", *_OTHERS):
                number = 20 if setting.short else _enough(settings, concurrency, images)
                measured.append(_told(setting, await _one(setting, kind, settings, concurrency, number, startup)))
        changing += [await _changing(setting, steering, startup) for steering in ("auto", *_OTHERS)]
        for latency in _LATENCIES[:2] if setting.short else _LATENCIES:
            settings = {"latency": latency, "busy_above": None}
            for concurrency in _BY_LATENCY:
                number = 20 if setting.short else _enough(settings, concurrency, 10_000)
                away.append(_told(setting, await _one(setting, "away", settings, concurrency, number, startup)))
    write_csv(setting.output / "pace.csv", [*measured, *changing, *away])
    _plot(setting, measured, away)
    told = f"pace: images a second by requests in flight, medians of {setting.repetitions}\n\n{_table(measured)}\n"
    return told + f"what steers auto\n\n{_steerings([*measured, *changing])}\nby latency\n\n{_by_latency(away)}"


def _told(setting: Setting, entry: Pace) -> Pace:
    where = f"{entry.registry} {entry.latency * 1000:.0f} ms, {entry.concurrency}"
    setting.say(f"{where}: {entry.rate:.0f} images/s, {entry.refused:.2%} refused")
    return entry


def _enough(settings: Mapping[str, Any], concurrency: str, images: int) -> int:
    """Return how many images are enough: few requests in flight to a registry that is far show it with fewer."""
    seconds = 8
    if not concurrency.isdigit() or not settings["latency"]:
        return images
    return min(images, int(seconds * int(concurrency) / (2 * settings["latency"])))


def _fixed(kind: str, *, short: bool) -> tuple[str, ...]:
    if short:
        return ("4",)
    return tuple(number for number in _FIXED if kind != "429 above 20" or int(number) <= 32)


async def _one(
    setting: Setting, kind: str, settings: Mapping[str, Any], concurrency: str, images: int, startup: float = 0.0
) -> Pace:
    async with _filled(images, settings) as (sandbox, plot):
        seconds = await _run(setting, concurrency, plot)
        assert not any(sandbox.store.tags(repository) for repository in plot.tags)
        return Pace(
            kind,
            settings["latency"],
            concurrency,
            images,
            seconds,
            startup,
            _refused(sandbox),
            sandbox.max_in_flight,
        )


async def _changing(setting: Setting, concurrency: str, startup: float) -> Pace:
    """Let the registry be near, then far, then busy, a third of the images each."""
    images = 30 if setting.short else 24_000
    async with _filled(images, _NEAR) as (sandbox, plot):
        watching = asyncio.create_task(_change(sandbox, images))
        seconds = await _run(setting, concurrency, plot)
        watching.cancel()
        entry = Pace("changing", 0, concurrency, images, seconds, startup, _refused(sandbox), sandbox.max_in_flight)
        return _told(setting, entry)


def _refused(sandbox: Sandbox) -> float:
    return sum(line.status == 429 for line in sandbox.log) / len(sandbox.log)


async def _change(sandbox: Sandbox, images: int) -> None:
    """Each image is two requests; the registry changes after a third of them, and after two."""
    for part, settings in enumerate((_FAR, _BUSY), 1):
        while len(sandbox.log) < 2 * images * part / 3:  # noqa: ASYNC110 (a look now and then is enough)
            await asyncio.sleep(0.02)
        sandbox.change(**settings)


async def _run(setting: Setting, concurrency: str, plot: Plot) -> float:
    steered = concurrency in _OTHERS
    module = ("tests.bench.steered", concurrency) if steered else ("bulkrm",)
    options = ("--strategy", "digest")
    tool = Bulkrm("auto" if steered else concurrency, setting.folder, options=options, module=module)
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


def _table(measured: Sequence[Pace]) -> str:
    rows: list[tuple[str, ...]] = [("", "best fixed", "images/s", "auto", "auto:best", "auto refused")]
    for kind in _KINDS:
        rates = _rates(measured, kind)
        fixed = {name: rate for name, rate in rates.items() if name.isdigit()}
        best = max(fixed, key=lambda name: fixed[name])
        auto = rates["auto"]
        cells = (f"{rates[best]:.0f}", f"{auto:.0f}", f"{auto / rates[best]:.2f}", _share(measured, kind, "auto"))
        rows.append((kind, best, *cells))
    return aligned(rows)


def _steerings(measured: Sequence[Pace]) -> str:
    rows: list[tuple[str, ...]] = [("images/s, refused", "auto (climb)", *_OTHERS)]
    for kind in (*_KINDS, "changing"):
        rates = _rates(measured, kind)
        cells = (f"{rates[name]:.0f}, {_share(measured, kind, name)}" for name in ("auto", *_OTHERS))
        rows.append((kind, *cells))
    return aligned(rows)


def _by_latency(away: Sequence[Pace]) -> str:
    rows: list[tuple[str, ...]] = [("", *(f"-c {name}" for name in _BY_LATENCY))]
    for latency in dict.fromkeys(entry.latency for entry in away):
        rates = _rates([entry for entry in away if entry.latency == latency], "away")
        rows.append((f"{latency * 1000:.0f} ms", *(f"{rates[name]:.0f}" for name in _BY_LATENCY)))
    return aligned(rows)


def _share(measured: Sequence[Pace], kind: str, concurrency: str) -> str:
    chosen = (entry.refused for entry in measured if (entry.registry, entry.concurrency) == (kind, concurrency))
    return f"{median(chosen):.2%}"


def _rates(measured: Sequence[Pace], kind: str) -> dict[str, float]:
    names = dict.fromkeys(entry.concurrency for entry in measured if entry.registry == kind)
    return {
        name: median(entry.rate for entry in measured if (entry.registry, entry.concurrency) == (kind, name))
        for name in names
    }


def _plot(setting: Setting, measured: Sequence[Pace], away: Sequence[Pace]) -> None:
    values: dict[str, list[tuple[float, float]]] = {}
    for kind in _KINDS:
        rates = _rates(measured, kind)
        fixed = {float(name): rate for name, rate in rates.items() if name.isdigit()}
        values[kind] = list(fixed.items())
        values[f"{kind}, auto"] = [(number, rates["auto"]) for number in fixed]
    title = "Images deleted a second by concurrency, on the sandbox"
    plots.lines(setting.output / "pace.svg", title, ("requests in flight", "images a second"), values)
    lines: dict[str, list[tuple[float, float]]] = {}
    for latency in dict.fromkeys(entry.latency for entry in away):
        for name, rate in _rates([entry for entry in away if entry.latency == latency], "away").items():
            lines.setdefault(f"-c {name}", []).append((latency * 1000, rate))
    title = "Images deleted a second by the registry's latency, on the sandbox"
    plots.lines(setting.output / "latency.svg", title, ("milliseconds", "images a second"), lines, log=False)
