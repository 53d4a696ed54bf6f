"""The command lines of bulkrm in scripts and documents, and whether its parser accepts them."""

import shlex
from collections.abc import Iterator

import typer.main

from bulkrm.cli.commands.app import app
from bulkrm.cli.main import with_command


def commands(script: str) -> Iterator[list[str]]:
    """Yield the arguments of each bulkrm command in a shell script, also of one that `docker run` starts."""
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
    """Parse the arguments by the real parser, which raises for an unknown option."""
    command, *rest = with_command(arguments)
    group = typer.main.get_command(app)
    found = group.get_command(None, command)  # type: ignore[attr-defined]
    found.make_context(command, rest)
