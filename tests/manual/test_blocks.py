"""Every block of code of README and manual: it is run by a test, or says why it cannot be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkrm.selection.listfile.document import read_list
from tests.manual.blocks import Marker, attended, commands_of, is_missing, marker_of, script
from tests.manual.markdown import PAGES, ROOT, Block, blocks_of, name_of
from tests.manual.world import World, world
from tests.support.help_text import comparable
from tests.support.loaded import loaded

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
RUN_PAGES = [page for page in PAGES if any(block.runs for block in blocks_of(page))]
SHELL = ("sh", "console")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_how_it_is_tested(block: Block) -> None:
    """A comment stands before it, which says that it is run, or why it is not."""
    assert block.runs is not None, "write <!-- run --> or <!-- not run: WHY --> on the line before the block"
    assert block.language, "a block needs a language"
    assert block.runs or len(block.says.split()) >= 3, "say why it is not run"


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    """The folder in which `bulkrm` is."""
    with loaded() as folder:
        yield folder


@pytest.mark.parametrize("page", RUN_PAGES, ids=name_of)
async def test_blocks(page: Path, tmp_path: Path, programs: Path) -> None:
    """What the page prints works, in the order in which it stands there, and shows what the page says."""
    blocks = [block for block in blocks_of(page) if block.runs]
    parts: list[list[Block]] = [[]]
    for block in blocks:
        if marker_of(block).has("from the beginning"):
            parts.append([])
        parts[-1].append(block)
    files: dict[str, str] = {}
    for number, part in enumerate(parts):
        async with world(tmp_path / str(number), programs) as place:
            for name, text in files.items():
                (place.folder / name).write_text(text)
            for block in part:
                files |= await run(block, place)


async def run(block: Block, place: World) -> dict[str, str]:
    """Run a block; return the files that it is."""
    marker = marker_of(block)
    other = marker.of("by")
    if other is not None:
        assert (ROOT / other).exists()
        return {}
    if is_missing(marker):
        return {}
    if block.language in SHELL:
        if marker.has("after a run"):
            await script("bulkrm -y 'registry.example.com/team/app:pr-*'", place, marker)
        await (run_script if block.language == "sh" else run_console)(block, place, marker)
        return {}
    await check(block, place, marker)
    name = marker.of("as")
    if name is None:
        return {}
    (place.folder / name).write_text(block.text)
    return {name: block.text}


async def run_script(block: Block, place: World, marker: Marker) -> None:
    """Run the commands of a shell block, as they stand there."""
    on_terminal = marker.has("on a terminal")
    ran = await attended(block.text, place) if on_terminal else await script(block.text, place, marker)

    assert ran.code == int(marker.of("exit") or 0), f"{block}: exit {ran.code}\n{ran.out}{ran.err}"


async def run_console(block: Block, place: World, marker: Marker) -> None:
    """Run each command of a console block, and compare what it shows."""
    commands = list(commands_of(block))
    for number, (command, shown) in enumerate(commands, 1):
        ran = await script(command, place, marker, on_terminal=True)

        assert ran.shown(place.home) == shown, f"{block}: renew it by python -m tests.manual.renew"
        assert ran.code == (int(marker.of("exit") or 0) if number == len(commands) else 0)


async def check(block: Block, place: World, marker: Marker) -> None:
    """Hold a block that is no command to what its marker says of it."""
    copied, command, shape = (marker.of(word) for word in ("copy of", "output of", "shape of"))
    if copied is not None:
        assert block.text == (ROOT / copied).read_text(encoding="utf-8")
    elif command is not None:
        assert comparable(block.text) == comparable((await script(command, place, marker)).out)
    elif shape is not None:
        check_shape(json.loads(block.text), json.loads((await script(shape, place, marker)).out))
    elif marker.has("configuration"):
        await check_configuration(block, place)
    elif not marker.has("with mistakes"):
        assert read_list(block.text.encode(), marker.of("as") or "images.yaml").entries


def check_shape(shown: Any, real: Any, name: str = "") -> None:
    """Compare the keys of two JSON values at every level; a summary may have those of statuses that occur only."""
    if isinstance(shown, dict) and isinstance(real, dict):
        assert list(shown) == list(real) or name == "summary", name
        for key in shown.keys() & real.keys():
            check_shape(shown[key], real[key], key)
    elif isinstance(shown, list) and isinstance(real, list) and real:
        for item in shown:
            check_shape(item, real[0], name)
    else:
        assert type(shown) is type(real) or None in (shown, real), name


async def check_configuration(block: Block, place: World) -> None:
    """Let a command read it: it says where a mistake is."""
    (place.home / ".config/bulkrm").mkdir(parents=True)
    (place.home / ".config/bulkrm/config.toml").write_text(block.text)
    ran = await script("bulkrm login --check registry.example.com", place, Marker(()))

    assert "config.toml" not in ran.err
