"""Commands from functions that take groups of options."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import typer
import typer.main

from bulkrm.cli.commands.app import app
from bulkrm.cli.options.command import command
from bulkrm.cli.options.rule import COMMAND_LINE, OptionRule, extras_of

RULE = OptionRule(at_hosts=True)


@dataclass(frozen=True, slots=True)
class Colour:
    """A group."""

    panel: ClassVar[str] = "What"
    red: Annotated[str | None, typer.Option("--red", metavar="N", help="Red."), RULE] = None
    blue: Annotated[bool, typer.Option("--blue", help="Blue.")] = False
    handed: str = field(default="")


@dataclass(frozen=True, slots=True)
class Shade(Colour):
    """A group that has all of another one."""

    dark: Annotated[bool, typer.Option("--dark", "-d", help="Dark."), COMMAND_LINE] = False


Name = Annotated[str, typer.Argument(metavar="NAME", help="A name.")]
CALLS: list[tuple[Any, ...]] = []


def built() -> Any:
    """A command with an argument of its own and a group."""
    small = typer.Typer(add_completion=False)

    @command(small, hidden=("blue",))
    def paint(name: Name, shade: Shade) -> int:
        """Paint."""
        CALLS.append((name, shade))
        return 3

    @command(small)
    def other() -> int:
        """Do something else."""
        return 0

    return typer.main.get_command(small).commands["paint"]  # type: ignore[attr-defined]


def test_groups_are_filled() -> None:
    """The function gets its group with what was typed, the defaults, and what the context holds for the other field."""
    CALLS.clear()

    code = built().main(["x", "--red", "7", "-d"], standalone_mode=False, obj="handed over")

    assert code == 3
    assert [("x", Shade("7", blue=False, handed="handed over", dark=True))] == CALLS


def test_rules_and_panels() -> None:
    """A rule is found by the parameter, a group of more options keeps the heading, and a hidden option is accepted."""
    found = built()
    options = {parameter.name: parameter for parameter in found.params}

    assert extras_of(found).rules == {"red": RULE, "dark": COMMAND_LINE}
    assert {name: option.rich_help_panel for name, option in options.items() if name != "name"} == dict.fromkeys(
        ("red", "blue", "dark"), "What"
    )
    assert [name for name, option in options.items() if option.hidden] == ["blue"]
    assert found.main(["x", "--blue"], standalone_mode=False, obj="") == 3


def test_the_function_stays_what_it_is() -> None:
    """Whoever calls a command's function, or reads it, has the groups."""
    from bulkrm.cli.commands.app import plan  # noqa: PLC0415 (what is looked at)

    assert list(plan.__annotations__) == ["image_options", "safety", "sign_in", "pace", "output", "out", "return"]


def test_every_option_is_declared_once() -> None:
    """An option of several commands has one help, one value and one rule.

    But for `-n`, which shows what each would do, and `-o`: a list of runs has other formats than a report.
    """
    seen: dict[str, set[Any]] = {}
    for found in _commands(typer.main.get_command(app)):
        for parameter in found.params:
            rule = extras_of(found).rules.get(parameter.name)
            described = (parameter.help, parameter.metavar, parameter.rich_help_panel, rule)
            seen.setdefault(max(parameter.opts, key=len), set()).add(described)

    several = {name for name, ways in seen.items() if name.startswith("-") and len(ways) > 1}
    assert several == {"--dry-run", "--output"}


def _commands(group: Any) -> list[Any]:
    found = []
    for entry in group.commands.values():
        found += [entry, *(_commands(entry) if hasattr(entry, "commands") else [])]
    return found
