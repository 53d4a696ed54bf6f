"""What `bulkrm` exports, and that importing it costs nothing."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import bulkrm

SOURCE = Path(bulkrm.__file__)


def test_exports_are_sorted_and_there() -> None:
    """Every name of `__all__` can be imported, and is listed once."""
    assert sorted(set(bulkrm.__all__)) == list(bulkrm.__all__)
    assert {*bulkrm.__all__} <= {*dir(bulkrm)}
    for name in bulkrm.__all__:
        assert getattr(bulkrm, name) is not None


def test_type_checkers_see_the_same() -> None:
    """The imports for type checkers are those that happen when a name is asked for."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    imported = {
        alias.name: node.module
        for statement in tree.body
        if isinstance(statement, ast.If)
        for node in statement.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert imported == bulkrm._HOMES
    assert sorted(imported) == list(bulkrm.__all__)


@pytest.mark.parametrize("name", bulkrm.__all__)
def test_everything_says_what_it_is(name: str) -> None:
    """Every class and function that is exported has a docstring of its own, and so has each of its methods."""
    exported = getattr(bulkrm, name)
    if not inspect.isclass(exported) and not inspect.isfunction(exported):
        pytest.skip("a union of types that are documented themselves")
    assert exported.__doc__
    assert not exported.__doc__.startswith(f"{name}(")
    for key, member in vars(exported).items() if inspect.isclass(exported) else ():
        if not key.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert member.__doc__, f"{name}.{key}"


def test_a_name_that_is_not_there() -> None:
    """A name that is not exported is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Engine'"):
        getattr(bulkrm, "Engine")  # noqa: B009 (mypy knows that it is not there)


def test_importing_is_light() -> None:
    """`import bulkrm` loads no module of the package, and of other packages none."""
    code = (
        "import sys; import typing, importlib; before = set(sys.modules); import bulkrm; bulkrm.__version__\n"
        "print(sorted(set(sys.modules) - before))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert result.stdout.strip() == "['bulkrm']"


def test_a_client_loads_no_command_line() -> None:
    """A program that uses the front door loads neither the command line, nor what draws on a terminal, nor the sandbox."""
    code = (
        "import sys; from bulkrm import Client, DeletionPlan, Surroundings, parse_list\n"
        "heavy = ('bulkrm.cli', 'bulkrm.sandbox', 'typer', 'rich', 'aiohttp.web')\n"
        "print(sorted(name for name in sys.modules if name.startswith(heavy)))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert result.stdout.strip() == "[]"
