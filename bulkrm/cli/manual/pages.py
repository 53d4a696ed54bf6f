"""The pages of the manual: Markdown files of the package, which GitHub shows as well.

`README.md` among them is the table of contents, with the order of the pages and the question that each one answers.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from bulkrm.model.valueclass import valueclass

_ROW = re.compile(r"^\| \[([a-z-]+)\]\(\1\.md\) \| (.+?) \|$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADINGS = re.compile(r"^#+ (.*)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\s]+)[^`]*`")
# The first two cells of a table's row, code that begins an item of a list, and bold words that begin a paragraph.
_STARTS = re.compile(r"^(?:\| [^|]*\|[^|]*|- `[^`]*`|\*\*.*?\*\*)", re.MULTILINE)
_MOST = 3  # pages that are suggested for a word
_SHORT, _STEM, _ALIKE = 3, 4, 0.7


@valueclass
class ManualPage:
    """A page. `topic`: the word for it after `bulkrm help`. `line`: its subject, in one line."""

    topic: str
    line: str

    @property
    def text(self) -> str:
        """The Markdown of the page."""
        return _folder().joinpath(f"{self.topic}.md").read_text(encoding="utf-8")


@cache
def pages() -> tuple[ManualPage, ...]:
    """Return all pages, in the order of the table of contents."""
    contents = _folder().joinpath("README.md").read_text(encoding="utf-8")
    return tuple(ManualPage(*row) for row in _ROW.findall(contents))


def page_of(topic: str) -> ManualPage | None:
    """Return the page of a topic, None where there is none. Capitals, blanks and `.md` make no difference."""
    wanted = "-".join(topic.lower().removesuffix(".md").replace("_", " ").split())
    return next((page for page in pages() if page.topic == wanted), None)


def suggested(word: str) -> tuple[str, ...]:
    """Return the topics of pages that may be about a word, the most likely first.

    They are the pages that explain an option, a key or a code of that name; else pages with a similar topic; else pages
    with a heading about it; else the pages that use the word most.
    """
    wanted = "-".join(word.lower().split()).lstrip("-")
    if not wanted:
        return ()
    texts = {page.topic: _FENCE.sub("", page.text).lower() for page in pages()}
    ways: tuple[Callable[[], Iterable[str]], ...] = (
        lambda: (topic for topic, text in texts.items() if wanted in _explained(text)),
        lambda: _spelt_alike(wanted),
        lambda: (topic for topic, text in texts.items() if _has_heading(text, wanted)),
        lambda: _most_used(texts, wanted),
    )
    return next((found for way in ways if (found := tuple(way())[:_MOST])), ())


def _explained(text: str) -> frozenset[str]:
    return frozenset(code.lstrip("-") for start in _STARTS.findall(text) for code in _CODE.findall(start))


def _spelt_alike(word: str) -> Iterable[str]:
    parts = {
        part: page.topic for page in pages() for part in (page.topic, *page.topic.split("-")) if len(part) >= _SHORT
    }
    return dict.fromkeys(parts[part] for part in get_close_matches(word, parts, _MOST, _ALIKE))


def _has_heading(text: str, word: str) -> bool:
    stem = word[: max(_STEM, len(word) - 1)]  # so that `proxy` finds "Proxies"
    headings = (re.sub(r"[^\w]+", "-", heading) for heading in _HEADINGS.findall(text))
    return len(word) >= _SHORT and any(f"-{stem}" in f"-{heading}" for heading in headings)


def _most_used(texts: Mapping[str, str], word: str) -> Iterable[str]:
    uses = Counter({topic: len(re.findall(rf"\b{re.escape(word)}s?\b", text)) for topic, text in texts.items()})
    return (topic for topic, number in uses.most_common(_MOST) if number)


def _folder() -> Traversable:
    return files("bulkrm").joinpath("manual")
