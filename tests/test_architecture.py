"""The shape of the code."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.commands.app import app
from bulkrm.families.family import Family, families
from bulkrm.remote.backends.backend import Backend
from bulkrm.remote.credentials.source import CredentialSource, sources
from bulkrm.reports.format import ReportFormat, formats
from tests.support.help_text import FORMATS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "bulkrm").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LONGEST = 300
# The modules of a package of plugins that are none: what a plugin is, and what several of them share.
PLUGINS = {
    "bulkrm.reports": ("FORMAT", ReportFormat, {"format", "on_terminal", "plan_view", "rows"}),
    "bulkrm.families": ("FAMILY", Family, {"family"}),
    "bulkrm.remote.credentials": (
        "SOURCE",
        CredentialSource,
        {"configured", "deferred", "docker_config", "helper", "keys", "lookup", "source"},
    ),
    "bulkrm.remote.backends": ("BACKEND", Backend, {"backend"}),
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_length(path: Path) -> None:
    """A module has at most 300 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_no_class_name_is_used_twice() -> None:
    """A class name means one thing in the whole project."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("package", PLUGINS)
def test_one_constant_in_each_plugin(package: str) -> None:
    """Every module of a package of plugins holds exactly one, under the name by which it is found."""
    constant, kind, others = PLUGINS[package]
    modules = [entry.name for entry in pkgutil.iter_modules(importlib.import_module(package).__path__)]

    for name in set(modules) - others:
        values = vars(importlib.import_module(f"{package}.{name}"))
        assert [key for key, value in values.items() if isinstance(value, kind)] == [constant], name
    assert others <= set(modules)


def test_plugins_are_found() -> None:
    """A report format is known by the name of its file, and no two plugins have one name."""
    names = [family.name for family in families()]

    assert {name: entry.name for name, entry in formats().items() if name in FORMATS} == {
        name: name for name in FORMATS
    }
    assert len(names) == len(set(names)) > 0


def test_sources_of_credentials_have_an_order() -> None:
    """No two go before each other, and the order is that of the manual."""
    places = [found.value.order for found in sources()]

    assert places == sorted(set(places))
    assert [found.value.name for found in sources()][2:7] == [
        "DOCKER_AUTH_CONFIG",
        "REGISTRY_AUTH_FILE",
        "Docker's config.json",
        "podman's auth.json",
        "~/.dockercfg",
    ]


def test_nobody_lists_the_plugins() -> None:
    """No other module imports a plugin: adding one means adding a file."""
    plugins = {
        f"{package}.{entry.name}"
        for package, (_, _, others) in PLUGINS.items()
        for entry in pkgutil.iter_modules(importlib.import_module(package).__path__)
        if entry.name not in others
    }

    assert [
        (path.name, name) for path in SOURCES for name in plugins if re.search(rf"\b{name}\b", path.read_text("utf-8"))
    ] == []


def test_layers() -> None:
    """Imports point down only, and the pure packages wait for nothing: import-linter finds no broken contract."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken." in result.stdout


# Modules of the engine without tests under their own name, and why.
_WITHOUT_TESTS = {
    "context": "fields only",
    "image_facts": "tests/engine/plan/test_conditions.py counts what it asks for",
    "run": "tests/engine/plan/test_planner.py and tests/engine/execute/test_execution.py are whole runs",
    "tag_changer": "each change of a tag is one: tests/engine/execute/tags",
    "tags_ahead": "tests/engine/execute/tags/test_tags_first.py sees every tag that goes ahead",
    "untag_by_decoy": "tests/engine/execute/tags/test_decoy.py untags by nothing else",
}


def test_the_engine_has_tests_of_its_own() -> None:
    """Every module of the engine has fast tests under its name, without a server, or a reason why not."""
    modules = {path.stem for path in (ROOT / "bulkrm/engine").rglob("*.py") if path.stem != "__init__"}
    folders = (ROOT / "tests/engine", ROOT / "tests/unit/engine")
    tested = {path.stem.removeprefix("test_") for folder in folders for path in folder.rglob("test_*.py")}

    assert modules - tested == set(_WITHOUT_TESTS)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_sleeps(path: Path) -> None:
    """A test waits for what happens, or moves a clock; it does not let time pass."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]

    asleep = [
        node.lineno
        for node in calls
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("time", "asyncio", "anyio", "trio")
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]
    assert asleep == []


def test_starting_is_light() -> None:
    """`--version` and a mistake in the arguments load neither aiohttp's server nor the sandbox."""
    heavy = ("bulkrm.sandbox", "aiohttp.web", "jwt", "cryptography")
    for argument in ("--version", "no-reference"):
        code = (
            "import sys; from bulkrm.cli.main import main\n"
            f"try: main([{argument!r}])\n"
            "except SystemExit: pass\n"
            f"print(sorted(name for name in sys.modules if name.startswith({heavy!r})))"
        )

        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

        assert result.stdout.splitlines()[-1] == "[]"


def test_help_is_light() -> None:
    """Help loads neither what a run needs, nor what the parser checks types with."""
    heavy = ("aiohttp", "anyio", "pydantic", "wcmatch", "yaml", "rich.console", "bulkrm.engine")
    code = (
        "import sys; from bulkrm.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted(name for name in sys.modules if name.startswith({heavy!r})))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert result.stdout.splitlines()[-1] == "[]"


def test_every_command_has_its_word() -> None:
    """A command that `COMMANDS` does not know would be taken for an image."""
    named = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named |= {str(group.name) for group in app.registered_groups}

    assert named == set(COMMANDS)
