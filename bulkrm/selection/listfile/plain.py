"""Plain lists: one reference or glob a line, `#` at a line's start or after a blank begins a comment."""

import re
from collections.abc import Iterator

from bulkrm.selection.listfile.mistakes import Position
from bulkrm.selection.listfile.yaml_tree import Scalar

_COMMENT = re.compile(r"(?:^|\s)#.*")
_KEY = re.compile(r"""(?:[\w-]+|"[^"]*"|'[^']*')\s*:(?:\s|$)""")
_IPV6 = re.compile(r"\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\][:/]")
_YAML = tuple("-[{}<%&!|>'\"@`?*,]")  # first characters of YAML, or characters that need quotes there
_ITEM = re.compile(r"-\s")


def is_plain(content: str, name: str) -> bool:
    """Tell whether a list is plain and not YAML, by the file's name or the first line that is not a comment."""
    if name.endswith(".txt"):
        return True
    first = next((scalar.text for scalar in plain_lines(content)), "")
    return bool(first) and not _KEY.match(first) and (not first.startswith(_YAML) or bool(_IPV6.match(first)))


def plain_lines(content: str) -> Iterator[Scalar]:
    """Yield the text of each line that is neither blank nor a comment."""
    for number, line in enumerate(_split(content), 1):
        text = _COMMENT.sub("", line).rstrip()
        if text.strip():
            indent = len(text) - len(text.lstrip())
            yield Scalar(text.strip(), Position(number, indent + 1))


def is_item(text: str) -> bool:
    """Tell whether a line begins with `- `, as an item of a YAML list does."""
    return _ITEM.match(text) is not None


def _split(content: str) -> list[str]:
    return content.replace("\r\n", "\n").split("\n")
