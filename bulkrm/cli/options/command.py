"""Makes commands of functions that take groups of options: typer sees one parameter for each option.

`def plan(image_options: ImageOptions, pace: PaceOptions, out: Out = None) -> int` becomes a function with the parameters
`images`, `files`, ..., `concurrency`, `rate`, `timeout` and `out`. It fills an ImageOptions and a PaceOptions and calls `plan`.
"""

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.models import ParameterInfo

from bulkrm.cli.options.layered import LayeredCommand, LayeredGroup
from bulkrm.cli.options.rule import CommandExtras, Example, OptionRule

Function = TypeVar("Function", bound=Callable[..., int | None])
_CONTEXT = "context"


def command(
    app: typer.Typer,
    *,
    name: str | None = None,
    examples: Sequence[Example] = (),
    hidden: Collection[str] = (),
    epilog: str | None = None,
) -> Callable[[Function], Function]:
    """Register a function as a command. `hidden`: parameters that are accepted, but not shown in the help."""

    def register(function: Function) -> Function:
        app.command(name=name, cls=LayeredCommand, epilog=epilog)(_flattened(function, examples, hidden))
        return function

    return register


def group(app: typer.Typer, *, examples: Sequence[Example] = ()) -> Callable[[Function], Function]:
    """Register a function as the command of an app with subcommands. It is called before a subcommand, or without one."""

    def register(function: Function) -> Function:
        app.callback(cls=LayeredGroup, invoke_without_command=True)(_flattened(function, examples, ()))
        return function

    return register


def _flattened(
    function: Callable[..., int | None], examples: Sequence[Example], hidden: Collection[str]
) -> Callable[..., int | None]:
    """Return a function with one parameter for each option, which typer reads from its signature."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {}
    parameters = [inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for parameter in inspect.signature(function).parameters.values():
        annotation = hints[parameter.name]
        if is_dataclass(annotation):
            groups[parameter.name] = hints[parameter.name]
            parameters += parameters_of(groups[parameter.name])
        elif annotation is not typer.Context:
            parameters.append(parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
    parameters = [_hidden(parameter) if parameter.name in hidden else parameter for parameter in parameters]

    @wraps(function)
    def run(**given: Any) -> int | None:
        context = given.pop(_CONTEXT)
        arguments = {name: _filled(kind, given, context) for name, kind in groups.items()}
        if _CONTEXT in hints:
            arguments[_CONTEXT] = context
        return function(**arguments, **given)

    flat: Any = run
    flat.__signature__ = inspect.Signature(parameters)
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    rules = {parameter.name: rule for parameter in parameters for rule in _rules(parameter.annotation)}
    flat.extras = CommandExtras(rules, examples)
    return run


@cache
def parameters_of(kind: Any) -> tuple[inspect.Parameter, ...]:
    """Return a parameter for each option of a group. Its heading in the help is the group's, unless it has its own."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=_with(hints[option.name], rich_help_panel=info.rich_help_panel or kind.panel),
        )
        for option in fields(kind)
        for info in _infos(hints[option.name])
    )


def _filled(kind: Any, given: dict[str, Any], context: typer.Context) -> Any:
    """Move a group's values out of `given`. A field that is no option gets the object of the context, set by `main`."""
    options = {parameter.name for parameter in parameters_of(kind)}
    return kind(**{each.name: given.pop(each.name) if each.name in options else context.obj for each in fields(kind)})


def _hidden(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(annotation=_with(parameter.annotation, hidden=True))


def _with(annotation: Any, **changes: Any) -> Any:
    """Return the annotation with changed attributes of its option or argument."""
    kind, *metadata = get_args(annotation)
    changed = []
    for entry in metadata:
        if isinstance(entry, ParameterInfo):
            info = copy(entry)
            vars(info).update(changes)
            changed.append(info)
        else:
            changed.append(entry)
    return Annotated[(kind, *changed)]


def option_info(annotation: Any) -> ParameterInfo:
    """Return what a parameter's annotation says of its option or argument."""
    return next(_infos(annotation))


def _infos(annotation: Any) -> Iterator[ParameterInfo]:
    if get_origin(annotation) is Annotated:
        yield from (entry for entry in get_args(annotation)[1:] if isinstance(entry, ParameterInfo))


def _rules(annotation: Any) -> Iterator[OptionRule]:
    if get_origin(annotation) is Annotated:
        yield from (entry for entry in get_args(annotation)[1:] if isinstance(entry, OptionRule))
