"""The command words, one of which may stand first on the command line, and the words that people mistake for them."""

import re
from collections.abc import Sequence

# -p, also among other flags.
_PROMPT = re.compile(r"-[A-Za-z]*p[A-Za-z]*", re.ASCII)
COMMANDS = (
    "delete", "plan", "apply", "runs", "resume", "undo", "check", "login", "demo", "schema", "completion", "help",
)  # fmt: skip

# Words of other tools, with the command that does the same here.
WORDS_OF_OTHER_TOOLS = {
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


def nearest_command(word: str) -> str | None:
    """Return the command that is most similar to a word; None where none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 (for mistakes only)

    word = word.lower()
    words = {**{command: command for command in COMMANDS}, **WORDS_OF_OTHER_TOOLS}
    # A typing error changes the length by one letter at most: `app` is not meant as `apply`.
    near = [known for known in words if abs(len(known) - len(word)) <= 1]
    close = [word] if word in words else get_close_matches(word, near, 1, 0.7)
    return words[close[0]] if close else None


def mistyped_command(arguments: Sequence[str]) -> str | None:
    """Return the first word if it resembles a command and is none. It is no image, which has a tag.

    With `-p` the word may be a password (docker's `-p secret`); then it is not returned, because messages quote it.
    """
    word = arguments[0] if arguments else ""
    is_word = word.replace("-", "").replace("_", "").isalpha() and not word.startswith("-")
    is_hidden = any(_PROMPT.fullmatch(argument) for argument in arguments)
    return word if is_word and word not in COMMANDS and not is_hidden and nearest_command(word) else None
