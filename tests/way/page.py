"""The way of one tag, as a page that people can read."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from types import CodeType

from tests.way.recording import Growth, Way, module_of, name_of

_WIDTH = 60


def source_of(code: CodeType) -> tuple[int, str]:
    """The lines of a function without blank ones and its docstring, and the first line of that."""
    text = textwrap.dedent("".join(inspect.getsourcelines(code)[0]))
    lines = sum(bool(line.strip()) for line in text.splitlines())
    try:
        node = ast.parse(text).body[0]
    except SyntaxError:
        return lines, ""  # a lambda
    first = node.body[0] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
    if not (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    ):
        return lines, ""
    docstring = text.splitlines()[first.lineno - 1 : first.end_lineno]
    return lines - sum(bool(line.strip()) for line in docstring), first.value.value.partition("\n")[0]


def modules(codes: Iterable[CodeType]) -> set[str]:
    """The modules of functions."""
    return {module_of(code) for code in codes}


def lines(codes: Iterable[CodeType]) -> int:
    """How many lines functions have."""
    return sum(source_of(code)[0] for code in codes)


def until_delete(growth: Growth, way: Way) -> list[CodeType]:
    """The functions that run for each further tag, without those that come after its DELETE."""
    return [code for code in growth.functions if code in way.executed]


def page(way: Way, growth: Growth) -> Iterator[str]:
    """Yield the page, line by line."""
    yield "The way of one tag, from --from-file to its DELETE. A heading is what happens to it; below are the functions"
    yield "that come into play for that, each once, in their order, with the number of their lines."
    last = ""
    for code, station in way.functions.items():
        if station != last:
            yield f"\n{station}"
            last = station
        count, what = source_of(code)
        yield f"  {count:3}  {name_of(code):<{_WIDTH}} {what}".rstrip()
    yield "\nAt the DELETE, from `main` down (the tasks between the event loop and the last one wait):"
    for title, codes in (
        ("main", way.below_main),
        *(("waits", chain) for chain in reversed(way.above)),
        ("sends", way.in_task),
    ):
        for code in codes:
            yield f"  {title:<5} {name_of(code)}"
    yield ""
    yield f"frames in the task that sends it: {len(way.in_task)}"
    yield f"frames from `main` down, as a debugger shows them: {len(way.stack)}"
    yield f"frames across tasks, from the coroutine of `main` down: {len(way.across_tasks)}"
    yield f"on the way: {len(way.functions)} functions, {lines(way.functions)} lines, {len(modules(way.functions))} modules"
    yield f"executed at all: {len(way.executed)} functions in {len(modules(way.executed))} modules"
    each = until_delete(growth, way)
    yield f"executed for each further tag: {len(each)} functions in {len(modules(each))} modules up to its DELETE,"
    yield f"  and with its outcome and report {len(growth.functions)} in {len(modules(growth.functions))},"
    yield f"  by {sum(growth.calls.values()):.0f} calls"
