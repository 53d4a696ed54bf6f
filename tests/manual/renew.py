"""`python -m tests.manual.renew [PAGE]...`: writes what commands show now into the console blocks, and `output of` blocks, of the pages.

It changes nothing else of them. Look at the difference before you commit it: the text around a block may speak of it.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.manual.blocks import commands_of, is_missing, marker_of, script
from tests.manual.markdown import PAGES, Block, blocks_of
from tests.manual.test_blocks import run
from tests.manual.world import World, world
from tests.support.loaded import loaded


async def renewed(page: Path, text: str, place: Path, programs: Path) -> str:
    """Return a page with what its commands show now."""
    files: dict[str, str] = {}
    number = 0
    blocks = [block for block in blocks_of(page) if block.runs]
    while blocks:
        number += 1
        async with world(place / str(number), programs) as there:
            for name, content in files.items():
                (there.folder / name).write_text(content)
            while blocks:
                block = blocks.pop(0)
                fresh = await _of(block, there)
                text = text.replace(block.text, fresh, 1)
                named = marker_of(block).of("as")
                if named is not None:
                    files[named] = block.text
                if blocks and marker_of(blocks[0]).has("from the beginning"):
                    break
    return text


async def _of(block: Block, place: World) -> str:
    marker = marker_of(block)
    command = marker.of("output of")
    if command is not None:
        return (await script(command, place, marker)).out
    if block.language != "console" or is_missing(marker):
        await run(block, place)
        return block.text
    fresh = ""
    for written, _ in commands_of(block):
        ran = await script(written, place, marker, on_terminal=True)
        fresh += f"$ {written}\n{ran.shown(place.home)}"
    return fresh


def main(names: Sequence[str]) -> None:
    """Renew all pages, or those of these names."""
    chosen = [page for page in PAGES if not names or page.stem in names]
    with loaded() as programs, tempfile.TemporaryDirectory() as folder:
        for number, page in enumerate(chosen):
            before = page.read_text(encoding="utf-8")
            text = asyncio.run(renewed(page, before, Path(folder) / str(number), programs))
            if text != before:
                page.write_text(text, encoding="utf-8")
                sys.stdout.write(f"{page}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
