"""The way of one tag, as a page that people can read."""

import ast
import inspect
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import CodeType

from tests.way.recording import Growth, Way, module_of, name_of

_WIDTH = 60


def source_of(code: CodeType) -> tuple[set[int], str]:
    """The numbers of the lines of a function without blank ones and its docstring, and the first line of that."""
    if code.co_name.startswith("<"):  # a lambda or a generator: it is a part of a line or of some
        return {line for *_, line in code.co_lines() if line}, ""
    written, first_line = inspect.getsourcelines(code)
    numbers = {first_line + at for at, line in enumerate(written) if line.strip()}
    node = ast.parse(textwrap.dedent("".join(written))).body[0]
    first = node.body[0] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
    if not (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    ):
        return numbers, ""
    docstring = range(first_line + first.lineno - 1, first_line + (first.end_lineno or first.lineno))
    return numbers - {*docstring}, first.value.value.partition("\n")[0]


def modules(codes: Iterable[CodeType]) -> set[str]:
    """The modules of functions."""
    return {module_of(code) for code in codes}


def lines(codes: Iterable[CodeType]) -> int:
    """How many lines functions have, each line counted once: a function may be written within another one."""
    return len({(code.co_filename, line) for code in codes for line in source_of(code)[0]})


def until_delete(growth: Growth, way: Way) -> list[CodeType]:
    """The functions that run for each further tag, without those that come after its DELETE."""
    return [code for code in growth.functions if code in way.executed]


def page(way: Way, growth: Growth) -> Iterator[str]:
    """Yield the page, line by line."""
    yield "The way of one tag, from --from-file to its outcome. A heading is what happens to it; below are the functions"
    yield "that come into play for that, each once, in their order, with the number of their lines."
    yield from _functions(way.functions)
    yield "\nAt the DELETE, from `main` down (the tasks between the event loop and the last one wait):"
    for title, codes in (
        ("main", way.below_main),
        *(("waits", chain) for chain in reversed(way.above)),
        ("sends", way.in_task),
    ):
        for code in codes:
            yield f"  {title:<5} {name_of(code)}"
    yield "\nAfter the DELETE:"
    yield from _functions(way.later)
    yield ""
    yield f"frames in the task that sends it: {len(way.in_task)}"
    yield f"frames from `main` down, as a debugger shows them: {len(way.stack)}"
    yield f"frames across tasks, from the coroutine of `main` down: {len(way.across_tasks)}"
    yield f"on the way to its DELETE: {_size(way.functions)}"
    yield f"on the way to its outcome: {_size({**way.functions, **way.later})}"
    yield f"executed at all, until the DELETE is sent: {_size(way.executed)}"
    each = until_delete(growth, way)
    yield f"executed for each further tag, until its DELETE is sent: {_size(each)}"
    yield f"executed for each further tag, with its outcome and report: {_size(growth.functions)},"
    yield f"  by {sum(growth.calls.values()):.0f} calls"


def _functions(stations: Mapping[CodeType, str]) -> Iterator[str]:
    """Yield functions, below the headings of their stations."""
    last = ""
    for code, station in stations.items():
        if station != last:
            yield f"\n{station}"
            last = station
        numbers, what = source_of(code)
        yield f"  {len(numbers):3}  {name_of(code):<{_WIDTH}} {what}".rstrip()


def _size(codes: Collection[CodeType]) -> str:
    return f"{len(codes)} functions, {lines(codes)} lines, {len(modules(codes))} modules"
