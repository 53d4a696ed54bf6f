"""How a run ended, in the few characters that pytest shows of a value in a failed assertion."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

_MOST = (
    220  # characters: pytest shows 240 of a value (`_pytest._io.saferepr`), and leaves away the middle of a longer one
)
_GOOD = {"deleted", "untagged", "absent", "restored", "unchanged", "would-delete", "would-untag", "would-restore"}


def briefly(code: int, images: Iterable[Mapping[str, Any]], said: str = "") -> str:
    """The exit code, and of a report's images those that are not as somebody wanted, with the reason or the error.

    `said`: what the command wrote to standard error. Its end is shown as far as there is room.
    """
    groups = defaultdict[str, list[str]](list)
    for image in images:
        if image.get("status") not in _GOOD:
            error = image.get("error") or {}
            why = (
                image.get("status"),
                image.get("reason"),
                error.get("code"),
                error.get("message") or image.get("hint"),
            )
            groups[" ".join(str(word) for word in why if word)].append(str(image.get("image")).rpartition("/")[2])
    told = "; ".join(f"{len(names)} {why} ({', '.join(names[:3])})" for why, names in groups.items())
    rest = _MOST - len(told)
    ending = f" ...{' '.join(said.split())[-rest:]}" if said and rest > 0 else ""
    return f"<exit {code}: {told[:_MOST]}{ending}>"
