"""What the tests of the documentation know of Markdown: blocks with their markers, headings, links and tables.

A block of code is preceded by a comment, which GitHub and `bulkrm help` do not show. It says how a test runs the block
(`<!-- run: ... -->`, see tests/manual/blocks.py), or why none does (`<!-- not run: ... -->`).
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MANUAL = ROOT / "bulkrm" / "manual"
PAGES = (README, *sorted(MANUAL.glob("*.md")))

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"<!-- (not run|run)(?:: (.*?))? -->\n$", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code. `runs` is None where it has no marker; `says` is the rest of the marker."""

    page: Path
    line: int
    language: str
    text: str
    runs: bool | None
    says: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def blocks_of(page: Path, text: str | None = None) -> list[Block]:
    """Return the blocks of code of a page, in its order. `text`: what it is to be, if not what the file holds."""
    content = page.read_text(encoding="utf-8") if text is None else text
    found = []
    for fence in _FENCE.finditer(content):
        marker = _last_marker(content[: fence.start()])
        runs = None if marker is None else marker[1] == "run"
        says = "" if marker is None else marker[2] or ""
        line = content.count("\n", 0, fence.start()) + 1
        found.append(Block(page, line, fence[1], fence[2], runs, says))
    return found


def _last_marker(before: str) -> re.Match[str] | None:
    """Return the marker that a text ends with."""
    if not before.endswith("-->\n"):
        return None
    return _MARKER.match(before, before.rindex("<!--"))


def name_of(page: Path) -> str:
    """Return a page's path in the project."""
    return str(page.relative_to(ROOT))


def prose_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links_of(page: Path) -> list[str]:
    """Return the targets of a page's links and images."""
    return _LINK.findall(prose_of(page))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section_of(page: Path, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found is not None, f"{page.name} has no heading {heading!r}"
    end = re.search(rf"^#{{1,{len(found[1])}}} ", text[found.end() :], re.MULTILINE)
    return text[found.end() : found.end() + end.start()] if end else text[found.end() :]


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of all rows of the tables in a text, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    heads = {number - 1 for number, row in enumerate(rows) if set("".join(row)) <= {"-"} and "".join(row)}
    return [row for number, row in enumerate(rows) if number not in heads and number - 1 not in heads]


def codes_in(cell: str) -> list[str]:
    """Return what stands as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)
