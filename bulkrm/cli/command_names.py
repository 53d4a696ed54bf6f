"""The command words: what may stand first on the command line and is no image."""

import re
from collections.abc import Sequence

# -p, also among other flags.
_PROMPT = re.compile(r"-[A-Za-z]*p[A-Za-z]*", re.ASCII)
COMMANDS = (
    "delete", "plan", "apply", "runs", "resume", "undo", "check", "login", "demo", "schema", "completion", "help",
)  # fmt: skip

# What people type who know other tools, and which command that is here.
MEANT = {
    "rm": "delete",
    "rmi": "delete",
    "del": "delete",
    "remove": "delete",
    "ls": "runs",
    "list": "runs",
    "history": "runs",
    "prune": "runs prune",
    "restore": "undo",
    "revert": "undo",
    "rollback": "undo",
    "continue": "resume",
    "remove_image_from_registry": "delete",
    "version": "--version",
    "validate": "check",
    "lint": "check",
    "logout": "login --check",
    "completions": "completion",
    "complete": "completion",
}


def meant(word: str) -> str | None:
    """Return the command that is most similar to a word; None where none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 (for mistakes only)

    word = word.lower()
    words = {**{command: command for command in COMMANDS}, **MEANT}
    # A slip of the fingers changes the length by one letter at most: `app` is no `apply`.
    near = [known for known in words if abs(len(known) - len(word)) <= 1]
    close = [word] if word in words else get_close_matches(word, near, 1, 0.7)
    return words[close[0]] if close else None


def mistaken(arguments: Sequence[str]) -> str | None:
    """Return the first word, if it is like a command and is none: an image has a tag, and no such word has one.

    With `-p` it may be a password, behind docker's habit `-p secret`.
    """
    word = arguments[0] if arguments else ""
    is_word = word.replace("-", "").replace("_", "").isalpha() and not word.startswith("-")
    is_hidden = any(_PROMPT.fullmatch(argument) for argument in arguments)
    return word if is_word and word not in COMMANDS and not is_hidden and meant(word) else None
