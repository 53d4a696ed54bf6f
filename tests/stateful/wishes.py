"""What a list asks for, as its text and as what it means.

Images are called by their numbers: `<3>` in a reference stands for the hexadecimal digits of the digest of the third.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bulkrm.sandbox import Image
from tests.stateful.expected import Asked, Content, matching

State = Mapping[str, Content]  # by the last component of the repository
_LINE = re.compile(r"(?P<where>\w+|\*)[:@](?P<reference>[^@]*)(@(?P<pin>.*))?")


@dataclass(frozen=True)
class Wishes:
    """A list file. `lines`: what an image or pattern of the report leads to, None for nothing."""

    text: str
    protect: tuple[str, ...]
    lines: Mapping[str, tuple[str, str] | None]
    pins: frozenset[tuple[str, str, str]]

    def of(self, where: str) -> Asked:
        """What is asked of one repository."""

        def is_protected(tag: str) -> bool:
            pairs = (pattern.split(":") for pattern in self.protect)
            return any(fnmatchcase(where, place) and fnmatchcase(tag, pattern) for place, pattern in pairs)

        listed = frozenset(line[1] for line in self.lines.values() if line and line[0] == where)
        pins = frozenset((tag, pin) for place, tag, pin in self.pins if place == where)
        return Asked(listed, pins, is_protected)


def wishes(home: str, written: Sequence[str], protect: Sequence[str], images: Sequence[Image], state: State) -> Wishes:
    """Read what a list asks for; `home` is where its repositories are, with the host."""
    lines: dict[str, tuple[str, str] | None] = {}
    pins: set[tuple[str, str, str]] = set()
    texts = [_filled_in(text, images, state) for text in written]
    for text in texts:
        found = _LINE.fullmatch(text)
        assert found
        where, reference, pin = found["where"], found["reference"], found["pin"]
        if "*" in text or "?" in text:
            # What has no blobs is in no catalog.
            places = [place for place in state if state[place].blobs] if where == "*" else [where]
            chosen = [(place, tag) for place in places for tag in matching(reference, state[place].tags)]
            lines |= {f"{home}/{place}:{tag}": (place, tag) for place, tag in chosen}
            if not chosen:
                lines[f"{home}/{text}"] = None
        else:
            lines[f"{home}/{text}"] = where, reference
            pins |= {(where, reference, pin)} if pin else set()
    entries = [f"{home}/{text}" for text in texts]
    text = f"protect: {json.dumps(protect)}\nimages: {json.dumps(entries)}"
    return Wishes(text, tuple(protect), lines, frozenset(pins))


def _filled_in(text: str, images: Sequence[Image], state: State) -> str:
    """Put in digests: those of images, and for the pin `now` the one that the tag holds."""
    name, _, pin = text.partition("@")
    if pin == "now":
        where, _, tag = name.partition(":")
        text = f"{name}@{state[where].tags.get(tag, 'sha256:<0>')}"
    return re.sub(r"<(\d+)>", lambda found: images[int(found[1])].digest.partition(":")[2], text)
