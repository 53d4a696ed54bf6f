"""The picture of a terminal that the README shows is of what the command prints today."""

from pathlib import Path

from tests.support.terminal_svg import PICTURE, drawn, screen, session


async def test_the_picture_is_of_today(tmp_path: Path) -> None:
    """A run of the same command looks as the picture does; `python -m tests.support.terminal_svg` draws it anew."""
    text = await session(tmp_path)

    assert "reg.example.com" in text
    assert drawn(text) == PICTURE.read_text(encoding="utf-8")


def test_nothing_of_the_machine_in_the_picture() -> None:
    """No path, address or name of a run of the machine on which it was drawn is in it."""
    text = PICTURE.read_text(encoding="utf-8")

    for word in ("127.0.0.1", "/home/", "/root/", str(Path.home()), str(Path.cwd()), "pytest"):
        assert word not in text


def test_screen() -> None:
    """Of a stream with a bar that was drawn over and removed only what stays is on the screen."""
    stream = "\x1b[?25lbar 1\r\x1b[2Kbar 2\r\n\x1b[1A\x1b[2K\x1b[?25h$ x\r\n\x1b[31mred\x1b[0m end\r\n"

    assert screen(stream) == "$ x\n\x1b[31mr\x1b[0m\x1b[31me\x1b[0m\x1b[31md\x1b[0m end"
