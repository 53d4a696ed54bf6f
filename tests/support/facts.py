"""The table of facts about servers, each with its contract test: `python -m tests.support.facts` prints it.

A test has the mark `@pytest.mark.fact("...")` if bulkrm relies on the fact, and SERVERS of its file names the servers.
CONTRIBUTING.md has the table, and tests/contract/test_facts.py compares the two.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

_CONTRACT = Path(__file__).parents[1] / "contract"
_HEAD = "| server | fact | test |\n|---|---|---|\n"


def table() -> str:
    """Return the table, sorted by server as the files are, and within a file as the tests stand."""
    return _HEAD + "".join(row for path in sorted(_CONTRACT.glob("test_*.py")) for row in _rows(path))


def _rows(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    servers = next((_text(node.value) for node in tree.body if _is_servers(node)), "")
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            for fact in filter(None, map(_fact, node.decorator_list)):
                assert servers, f"{path.name}: SERVERS is missing"
                yield f"| {servers} | {fact} | `{path.name}::{node.name}` |\n"


def _is_servers(node: ast.stmt) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SERVERS"


def _fact(node: ast.expr) -> str:
    """Return the text of a marker, empty for other decorators."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fact":
        return _text(node.args[0])
    return ""


def _text(node: ast.expr) -> str:
    return str(ast.literal_eval(node))


if __name__ == "__main__":
    sys.stdout.write(table())
