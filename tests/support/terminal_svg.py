"""The picture of a terminal in the README, as SVG.

    python -m tests.support.terminal_svg

draws it anew, by a run of the real command on a terminal of 80 columns. Only the parts that differ from run to run (port,
name of the run, seconds) are replaced by fixed ones.
"""

import asyncio
import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

import bulkrm
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, oci_image, put_image
from tests.cli.command import terminal

PICTURE = Path(bulkrm.__file__).with_name("manual") / "terminal.svg"
COLUMNS = 80
_LIST = """\
protect: ["*:latest"]
images:
  - {host}/team/app:pr-*
  - {host}/team/web:pr-*
  - {host}/team/web:latest
  - {host}/tools/*:nightly-*
"""
_THEME = TerminalTheme(
    (24, 26, 31),
    (208, 212, 220),
    [(24, 26, 31), (224, 108, 117), (152, 195, 121), (229, 192, 123), (97, 175, 239), (198, 120, 221), (86, 182, 194),
     (208, 212, 220)],
)  # fmt: skip
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # they are loaded from elsewhere; the reader's own do as well
_ESCAPE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


def screen(stream: str) -> str:
    """Return what a terminal shows after a stream: the lines with their colours, without overwritten ones.

    Only the control sequences of bulkrm and rich's progress are known: CR, LF, cursor up, erasure of a line, and colours.
    """
    lines: list[list[str]] = [[]]
    row = column = at = 0
    colour = ""
    while at < len(stream):
        escape = _ESCAPE.match(stream, at)
        if escape is not None:
            at = escape.end()
            arguments, kind = escape.groups()
            if kind == "m":
                colour = "" if arguments in ("", "0") else escape[0]
            elif kind == "A":
                row = max(0, row - int(arguments or 1))
            elif kind == "K":
                lines[row] = []
            continue
        character = stream[at]
        at += 1
        if character == "\r":
            column = 0
        elif character == "\n":
            row += 1
            lines += [[] for _ in range(row + 1 - len(lines))]
        else:
            lines[row] += [" "] * (column + 1 - len(lines[row]))
            lines[row][column] = f"{colour}{character}\x1b[0m" if colour else character
            column += 1
    return "\n".join("".join(line).rstrip() for line in lines).rstrip("\n")


async def session(folder: Path) -> str:
    """Run the command on a terminal, look at the question, agree; return the screen."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        _fill(sandbox)
        listed = folder / "images.yaml"
        listed.write_text(_LIST.format(host=sandbox.host), encoding="utf-8")
        state = {"BULKRM_STATE_DIR": str(folder / "state"), "TERM": "xterm-256color"}
        async with terminal("-f", str(listed), pipe=False, env=state) as shown:
            await shown.until("[y/N] ")
            shown.type("y\n")
            result = await shown.end()
        text = screen(shown.seen)
    assert result.code == 3, text
    for pattern, instead in (
        (
            re.escape(sandbox.host),
            "reg.example.com",
        ),  # as long as an address of loopback, so that lines break where they did
        (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "20260131T120000Z-5f3a9c"),
        (r"\d+\.\d s,", "0.4 s,"),
        (r"[^ ]*/state", "~/state"),
    ):
        text = re.sub(pattern, instead, text)
    return f"$ bulkrm --from-file images.yaml\n{text}"


def _fill(sandbox: Sandbox) -> None:
    seed = 0
    for repository, number in (("team/app", 9), ("team/web", 4)):
        for pull_request in range(1, number + 1):
            seed += 1
            put_image(sandbox.store, repository, [f"pr-{pull_request}"], oci_image(seed, config_seed=0))
    for name in ("builder", "linter", "deploy", "mirror"):
        seed += 1
        put_image(
            sandbox.store,
            f"tools/{name}",
            ["nightly-01", "1.0"][: 1 + (name == "mirror")],
            oci_image(seed, config_seed=0),
        )
    put_image(sandbox.store, "team/web", ["latest"], oci_image(100, config_seed=0))
    put_image(sandbox.store, "team/app", ["stable"], oci_image(101, config_seed=0))


def drawn(text: str) -> str:
    """Return the picture of a screen."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(text), soft_wrap=False)
    svg = console.export_svg(title="bulkrm", theme=_THEME, unique_id="bulkrm")
    return _FONTS.sub("", svg)


async def picture(folder: Path) -> str:
    """Return the picture of what the command prints today."""
    return drawn(await session(folder))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(asyncio.run(picture(Path(scratch))), encoding="utf-8")
