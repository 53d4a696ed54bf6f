"""Images a second by tool: bulkrm beside a bare loop, the requests of the old script, and other people's tools."""

from statistics import median

from tests.bench import plots
from tests.bench.contenders import contenders
from tests.bench.ground import Size, open_ground
from tests.bench.measure import measure
from tests.bench.results import table, write_csv
from tests.bench.topic import Setting


async def run(setting: Setting) -> str:
    """Delete 50 repositories of 200 tags with each tool, on distribution 2.8.2 with tokens."""
    size = Size(2, 4) if setting.short else Size(50, 200)
    tools = contenders("32", 8 if setting.short else 200, setting.folder)
    setting.say(f"tools: filling {size}")
    async with open_ground(setting.folder / "registry", size) as ground:
        measured = await measure(ground, size, tools, setting.repetitions, setting.say)
    write_csv(setting.output / "tools.csv", measured)
    names = dict.fromkeys(entry.tool for entry in measured if entry.tool != "no record")
    rates = {name: median(entry.rate for entry in measured if entry.tool == name) for name in names}
    title = f"{size.images:,} images in {size.repositories} repositories, distribution 2.8.2, tokens"
    plots.bars(setting.output / "tools.svg", title, "images deleted a second", rates)
    head = f"tools: {size} images, 32 requests in flight, medians of {setting.repetitions}; warm: without start-up"
    return f"{head}\n\n{table(measured, 'bare loop')}"
