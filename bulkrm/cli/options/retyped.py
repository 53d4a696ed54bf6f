"""The options that a command has to repeat to reach the same registries as the command before it.

They are never recorded, so `undo`, `resume` and `apply` need them again. What the environment or the configuration file sets
holds for the next command too, so only what was typed is repeated. A secret is never an option; a password that came from
standard input is asked for.
"""

import shlex
from collections.abc import Hashable, Iterator
from typing import cast

from bulkrm.cli.options.command import option_info, parameters_of
from bulkrm.cli.options.declared import PaceOptions, SignInOptions

_ASK = "-p"
_TYPED_BY_HAND = {"password-stdin": _ASK}


def retyped(sign_in: SignInOptions, pace: PaceOptions) -> tuple[str, ...]:
    """Return the options of a command that the next one needs, each as a text for the shell."""
    return tuple(dict.fromkeys(text for group in (sign_in, pace) for text in _of_group(group, sign_in)))


def _of_group(group: SignInOptions | PaceOptions, sign_in: SignInOptions) -> Iterator[str]:
    typed, kind = sign_in.configuration.typed, cast("Hashable", type(group))
    for parameter in parameters_of(kind):
        value = getattr(group, parameter.name)
        info = option_info(parameter.annotation)
        names = [
            str(info.default),
            *(info.param_decls or ()),
        ]  # inside Annotated the first name is in the place of a default
        long = next((name.removeprefix("--") for name in names if name.startswith("--")), None)
        if long is None and value:  # `-p`, which only the command line can set
            yield _ASK
        elif long in typed and long in _TYPED_BY_HAND:
            yield _TYPED_BY_HAND[long]
        elif long in typed and value is not False:
            yield _text(min(names, key=len), sign_in.configuration.path if long == "config" else value)


def _text(name: str, value: object) -> str:
    if value is True:
        return name
    text = str(value)
    if text.startswith("-"):
        return f"{name}{'=' if name.startswith('--') else ''}{shlex.quote(text)}"
    return f"{name} {shlex.quote(text)}"
