"""Command lines in scripts and documents: which of them are bulkrm's, and whether bulkrm understands them."""

import shlex
from collections.abc import Iterator

import typer.main

from bulkrm.cli.commands.app import app
from bulkrm.cli.main import with_command


def commands(script: str) -> Iterator[list[str]]:
    """Yield the arguments of each bulkrm in a shell script, by its name or as the image of `docker run`."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for token in [*lexer, "|"]:
            if token in {"|", "||", "&&", ";", "(", ")", ">"}:
                yield from _bulkrm(words)
                words = []
            else:
                words.append(token)


def _bulkrm(words: list[str]) -> Iterator[list[str]]:
    if words[:1] == ["bulkrm"]:
        yield words[1:]
    elif words[:2] == ["docker", "run"]:
        images = [place for place, word in enumerate(words) if word in {"bulkrm", "$IMAGE"}]
        yield from (words[place + 1 :] for place in images[:1])


def check_options(arguments: list[str]) -> None:
    """Let the real parser read the arguments; it raises what it does not know."""
    command, *rest = with_command(arguments)
    group = typer.main.get_command(app)
    found = group.get_command(None, command)  # type: ignore[attr-defined]
    found.make_context(command, rest)
