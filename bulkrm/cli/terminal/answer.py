"""Reads an answer from the terminal; input that was typed before the question is discarded."""

import os
import termios

import anyio

from bulkrm.cli.terminal.streams import STDIN

_MAX_ANSWER = 4096  # bytes; a terminal's line has no more (termios(3), "Canonical and noncanonical mode")


def drop_typed_input() -> bool:
    """Discard the unread input of the terminal; return whether that was possible."""
    try:
        termios.tcflush(STDIN, termios.TCIFLUSH)
    except termios.error:
        return False
    return True


async def read_answer() -> str | None:
    """Return a line from the terminal, without its end; None at the end of input or of the terminal.

    The line is read from the descriptor: the buffer of `sys.stdin` may hold input that was typed before.
    """
    line = b""
    while not line.endswith(b"\n") and len(line) < _MAX_ANSWER:
        await anyio.wait_readable(STDIN)
        try:
            piece = os.read(STDIN, _MAX_ANSWER)
        except OSError:
            piece = b""
        if not piece:
            return None
        line += piece
    return line.decode(errors="replace").rstrip("\n")
