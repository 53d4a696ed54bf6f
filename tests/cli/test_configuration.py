"""Options from the environment and the configuration file, and what neither can set."""

import os
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bulkrm.cli.commands.app import app
from bulkrm.cli.options.configuration import RESERVED, Configuration, is_reserved
from bulkrm.cli.options.declared import PaceOptions, SignInOptions
from bulkrm.cli.options.layered import options_below
from bulkrm.cli.options.layers import variable_of
from bulkrm.cli.setup import settings_of
from bulkrm.cli.terminal.descriptors import free_descriptors, share_of
from bulkrm.model.settings import Pacing, Rate
from bulkrm.sandbox import Sandbox
from tests.cli.command import Command, fill, sent, served, tags

# What a command shows instead of running, and the file itself, which cannot name another one.
ASIDE = {"help", "version", "check", "config"}
OPTIONS = {option.name: option for option in options_below(typer.main.get_command(app))}
FORBIDDEN = {name for name, option in OPTIONS.items() if is_reserved(name, option)} | RESERVED


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the configuration file is by default."""
    path = tmp_path / "config/bulkrm/config.toml"
    path.parent.mkdir(parents=True)
    return path


def image(sandbox: Sandbox, tag: str = "1.0") -> str:
    """An image of the registry."""
    return f"{sandbox.host}/team/app:{tag}"


# What neither can set

EXAMPLES = {
    "from-file": "more.yaml", "yes": "1", "shared": "delete", "allow-decoy": "1", "recursive": "1",
    "ignore-unreadable": "*", "insecure": "1", "plain-http": "1", "strategy": "tags-first", "force": "1",
    "api-url": "http://127.0.0.1:1", "image": "HOST/team/app:2.0",
}  # fmt: skip


def test_every_forbidden_name_is_tried() -> None:
    """The tests below leave none out."""
    assert set(EXAMPLES) == FORBIDDEN


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_a_forbidden_variable(run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It changes nothing: the same requests, the same outcome; and a warning says so."""
    Path("more.yaml").write_text(f"- {image(sandbox, '2.0')}\n")
    digests = fill(sandbox, "1.0", "2.0")
    sandbox.store.tag("team/app", "stays", digests["1.0"])
    before = run(image(sandbox), "-n", "-o", "json")
    plain = sent(sandbox, "GET") + sent(sandbox, "HEAD")
    sandbox.log.clear()
    variable = f"BULKRM_{name.upper().replace('-', '_')}"
    monkeypatch.setenv(variable, EXAMPLES[name].replace("HOST", sandbox.host))

    after = run(image(sandbox), "-n", "-o", "json")

    assert (after.code, after.images) == (before.code, before.images)
    assert sorted(sent(sandbox, "GET") + sent(sandbox, "HEAD")) == sorted(plain)
    assert f"warning: {variable} has no effect" in after.err


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_a_forbidden_key(run: Command, sandbox: Sandbox, config: Path, name: str) -> None:
    """In the file it is a mistake that names file and line, and nothing is sent."""
    config.write_text(f"# mine\n{name} = true\n")

    result = run(image(sandbox), "-n")

    assert result.code == 2
    assert f"{config}:2: {name} is taken from the command line only" in result.err
    assert sandbox.log == []


@pytest.mark.parametrize("name", ["BULKRM_IMAGES", "BULKRM_MAXDELETE", "BULKRM_PROTECTED", "BULKRM_HELP"])
def test_a_variable_that_means_nothing(
    run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One that is misspelt does not go unseen; -q wants no warnings."""
    fill(sandbox, "1.0")
    monkeypatch.setenv(name, "1")

    assert f"warning: {name} has no effect" in run(image(sandbox), "-n").err
    assert run(image(sandbox), "-n", "-q").err == ""


# What both can set


def options() -> list[Any]:
    """Every option of every command that layers are for."""
    return [option for name, option in OPTIONS.items() if name not in FORBIDDEN | ASIDE]


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_every_option_has_a_variable(
    run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, option: Any
) -> None:
    """No variable of an option is called one without effect, and one that is no value is refused by its own name."""
    fill(sandbox, "1.0")
    monkeypatch.setenv(variable_of(option.name), "0" if option.is_flag else "")

    assert "has no effect" not in run(image(sandbox), "-n").err
    if option.is_flag and option.name not in {"check", "dry-run"}:
        monkeypatch.setenv(variable_of(option.name), "perhaps")
        commands = (["runs", "prune", "--older-than", "1d"], [image(sandbox), "-n"])
        assert any(
            f"{variable_of(option.name)}: 'perhaps' is neither true nor false" in run(*words).err for words in commands
        )


def test_a_flag_and_a_value(run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """BULKRM_DRY_RUN and BULKRM_OUTPUT do what the options do."""
    fill(sandbox, "1.0")
    monkeypatch.setenv("BULKRM_DRY_RUN", "1")
    monkeypatch.setenv("BULKRM_OUTPUT", "json")

    result = run(image(sandbox))

    assert (result.code, result.statuses) == (0, {"team/app:1.0": "would-delete"})
    assert tags(sandbox) == {"1.0"}


def test_precedence(run: Command, sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line goes before the environment, and that before the file."""
    fill(sandbox, "1.0")
    shown = []
    config.write_text('output = "json"\n')
    shown.append(run(image(sandbox), "-n").out[:1])
    monkeypatch.setenv("BULKRM_OUTPUT", "jsonl")
    shown.append(run(image(sandbox), "-n").out[:9])
    shown.append(run(image(sandbox), "-n", "-o", "text").out[:12])

    assert shown == ["{", '{"image":', "would-delete"]


def test_protection_adds_up(run: Command, sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern of the file, of the environment (one a line) and of the command line: each protects."""
    fill(sandbox, "a", "b", "c", "d", "e")
    config.write_text('protect = ["*:a"]\n')
    monkeypatch.setenv("BULKRM_PROTECT", "*:b\n\n  *:c\n")

    result = run(image(sandbox, "*"), "--protect", "*:d")

    assert result.code == 0
    assert tags(sandbox) == {"a", "b", "c", "d"}


def test_what_is_in_use_adds_up(run: Command, sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the configuration (relative to it), of the environment and of the command line, for `apply` as well."""
    fill(sandbox, "a", "b", "c", "d")
    for tag, folder in (("a", config.parent), ("b", Path()), ("c", Path())):
        (folder / f"{tag}.txt").write_text(f"{image(sandbox, tag)}\n")
    run("plan", image(sandbox, "*"), "--out", "plan.json")
    config.write_text('in-use = "a.txt"\n')
    monkeypatch.setenv("BULKRM_IN_USE", "b.txt\n")

    planned = run(image(sandbox, "*"), "-n", "--in-use", "c.txt", "-o", "json")
    applied = run("apply", "plan.json", "--in-use", "c.txt")

    assert [image["reason"] for image in planned.images] == ["in-use", "in-use", "in-use", None]
    assert applied.code == 0
    assert tags(sandbox) == {"a", "b", "c"}


def test_what_is_explained(run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable explains an image in dry runs, and stops no run that deletes; the option says that it does not fit."""
    fill(sandbox, "a")
    monkeypatch.setenv("BULKRM_EXPLAIN", image(sandbox, "a"))

    assert run(image(sandbox, "a"), "-n", "--protect", "*:a").out.count("*:a") > 0
    assert run(image(sandbox, "a"), "--explain", image(sandbox, "a")).code == 2
    assert run(image(sandbox, "a")).code == 0
    assert tags(sandbox) == set()


@pytest.mark.parametrize(
    ("sources", "number"),
    [
        (("", None, None), 1000),
        (("confirm-above = 5000", None, None), 5000),
        (("confirm-above = 50", None, "70"), 50),
        (('confirm-above = "50"', "7", "70"), 7),
        (("confirm-above = 50", "7", "0"), 0),
        (("", "7", "70"), 7),
    ],
)
def test_the_smallest_number_to_confirm_holds(
    config: Path, monkeypatch: pytest.MonkeyPatch, sources: tuple[str, str | None, str | None], number: int
) -> None:
    """Of the file, the environment and the command line; 0 is the smallest, and the default holds where none says it."""
    text, variable, option = sources
    config.write_text(f"{text}\n")
    if variable is not None:
        monkeypatch.setenv("BULKRM_CONFIRM_ABOVE", variable)
    command: Any = typer.main.get_command(app)

    typed = [] if option is None else ["--confirm-above", option]
    context = command.get_command(None, "delete").make_context("delete", ["host.example/a:1", *typed])

    assert int(context.params["confirm_above"]) == number


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (("max-delete = 1", None, "3"), {"1.0", "2.0"}),
        (("max-delete = 3", "1", None), {"1.0", "2.0"}),
        (("max-delete = 3", "1", "3"), {"1.0", "2.0"}),
        (("", "3", "1"), {"1.0", "2.0"}),
        (('max-delete = "5%"', "90%", "90%"), {"1.0", "2.0"}),
        (("max-delete = 2", "3", "2"), set()),
    ],
)
def test_the_smallest_limit_holds(
    run: Command,
    sandbox: Sandbox,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[str, str | None, str | None],
    left: set[str],
) -> None:
    """No layer can raise a limit that another one has."""
    fill(sandbox, "1.0", "2.0")
    file, variable, option = limits
    config.write_text(file)
    if variable is not None:
        monkeypatch.setenv("BULKRM_MAX_DELETE", variable)

    result = run(image(sandbox, "*"), *(["--max-delete", option] if option else []))

    assert (result.code, tags(sandbox)) == (3 if left else 0, left)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("BULKRM_MAX_DELETE", "", "BULKRM_MAX_DELETE: it is empty"),
        ("BULKRM_PROTECT", " \n", "BULKRM_PROTECT: it is empty"),
        ("BULKRM_MAX_DELETE", "many", "BULKRM_MAX_DELETE: 'many' is not understood"),
        ("BULKRM_RATE", "fast", "BULKRM_RATE: 'fast' is not understood"),
        ("BULKRM_TIMEOUT", "1m", "BULKRM_TIMEOUT: '1m' is not understood"),
        ("BULKRM_CONCURRENCY", "0", "BULKRM_CONCURRENCY: '0' is not understood"),
        ("BULKRM_VERIFY", "maybe", "BULKRM_VERIFY: 'maybe' is neither true nor false"),
        ("BULKRM_CONFIG", "/nonexistent.toml", "/nonexistent.toml: there is no such file"),
    ],
)
def test_a_variable_that_cannot_be(
    run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    """It is named, not the option, and nothing is sent; a limit or a protection that is empty is a mistake, too."""
    monkeypatch.setenv(variable, value)

    result = run(image(sandbox), "-n")

    assert result.code == 2
    assert message in result.err
    assert sandbox.log == []


@pytest.mark.parametrize(("variable", "option", "left"), [("40%", "5", 5), ("100%", "4", 5), ("100%", "5", 0)])
def test_limits_of_two_forms(
    run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str, option: str, left: int
) -> None:
    """A number and a share both hold."""
    fill(sandbox, "1", "2", "3", "4", "5")
    monkeypatch.setenv("BULKRM_MAX_DELETE", variable)

    run(image(sandbox, "*"), "--max-delete", option)

    assert len(tags(sandbox)) == left


@pytest.mark.parametrize(
    ("limits", "options", "left"),
    [
        (("1", "100"), [], {"1.0", "2.0"}),
        (("100", "1"), [], {"1.0", "2.0"}),
        (("100", "10%"), [], {"1.0", "2.0"}),
        (("1", "100"), ["--max-delete", "2"], set()),
        (("2", "100%"), [], set()),
    ],
)
def test_a_default_does_not_loosen_a_plan(
    run: Command,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[str, str],
    options: list[str],
    left: set[str],
) -> None:
    """A variable makes the limit that a plan records smaller, never larger; the option of `apply` replaces it."""
    fill(sandbox, "1.0", "2.0")
    planned, variable = limits
    run("plan", image(sandbox, "*"), "--max-delete", "2", "--out", "plan.json")
    text = Path("plan.json").read_text()
    Path("plan.json").write_text(text.replace('"max_delete": "2"', f'"max_delete": "{planned}"'))
    monkeypatch.setenv("BULKRM_MAX_DELETE", variable)

    run("apply", "plan.json", *options)

    assert tags(sandbox) == left


# The file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nmax_delete = 3\n", ":2: unknown key 'max_delete'; perhaps max-delete is meant"),
        ("\n[hosts.x]\nusername = 'a'\nuser = 'b'\n", ":4: unknown key 'user' of a host"),
        ("[hosts.x]\npassword = 's3cr3t-Zebra'\n", ":2: unknown key 'password' of a host"),
        ("password = 's3cr3t-Zebra'\n", ":1: unknown key 'password'; a password does not belong there"),
        ("[other]\nx = 1\n", ":1: unknown key 'other'"),
        ("hosts = 3\n", ":1: is no table"),
        ("[hosts]\nx = 3\n", ":2: is no table"),
        ("[hosts.'a b']\nusername = 'a'\n", ":1: "),
        ("verify = 'yes'\n", ":1: verify is neither true nor false"),
        ("protect = 3\n", ":1: protect is no list of texts"),
        ("protect = [3]\n", ":1: protect is no list of texts"),
        ("protect = ['']\n", ":1: protect is no list of texts"),
        ("rate = ['1']\n", ":1: rate is no text"),
        ("rate = 'fast'\n", ":1: 'fast' is not understood"),
        ("max-delete = true\n", ":1: max-delete is no text"),
        ("config = 'x'\n", ":1: unknown key 'config'"),
        ("verify = \n", "is no TOML: "),
        ("verify = true\nverify = true\n", "is no TOML: "),
        ("x = " + "[" * 5000, "is no TOML: "),
    ],
)
def test_a_mistake_in_the_file(run: Command, sandbox: Sandbox, config: Path, text: str, message: str) -> None:
    """It is named with file and line, without any value, and nothing is sent."""
    config.write_text(text)

    result = run(image(sandbox), "-n")

    assert result.code == 2
    assert f"{config}" in result.err
    assert message in result.err
    assert "Zebra" not in result.err
    assert "Traceback" not in result.err
    assert sandbox.log == []


def test_all_mistakes_at_once(run: Command, config: Path) -> None:
    """Every one is shown."""
    config.write_text("one = 1\ntwo = 2\n")

    assert run("localhost:1/a:1").err.count("unknown key") == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x = 1\n" * 400_000])
def test_no_text(run: Command, config: Path, content: bytes) -> None:
    """What is no text, or has no end, is bad usage."""
    config.write_bytes(content)

    assert run("localhost:1/a:1").code == 2


def test_never_from_the_working_folder(run: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a repository has planted where the command runs is not read, also where the folders are said relatively."""
    fill(sandbox, "1.0")
    for name in ("config.toml", "bulkrm.toml", "bulkrm/config.toml", ".config/bulkrm/config.toml"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("unknown = 1\n")
    for variable, value in (("XDG_CONFIG_HOME", "."), ("XDG_CONFIG_HOME", ""), ("HOME", ".")):
        monkeypatch.setenv(variable, value)
        assert run(image(sandbox), "-n").code == 0, variable


@pytest.mark.parametrize("how", ["option", "variable"])
def test_another_file(run: Command, sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """--config and BULKRM_CONFIG name a file instead of the default one; the option goes first."""
    fill(sandbox, "1.0")
    config.write_text("unknown = 1\n")
    Path("mine.toml").write_text('output = "json"\n')
    monkeypatch.setenv("BULKRM_CONFIG", "mine.toml" if how == "variable" else "/nonexistent.toml")

    result = run(image(sandbox), "-n", *(["--config", "mine.toml"] if how == "option" else []))

    assert result.statuses == {"team/app:1.0": "would-delete"}


def test_help_with_a_broken_file(run: Command, config: Path) -> None:
    """Help is there when it is needed most."""
    config.write_text("unknown = 1\n")

    assert run("-h").code == run("apply", "--help").code == run("help").code == run("--version").code == 0


def test_no_report_overwrites_it(run: Command, sandbox: Sandbox, config: Path) -> None:
    """The configuration is what the command reads."""
    config.write_text("verify = false\n")

    result = run(image(sandbox), "-n", "--report", f"json={config}")

    assert result.code == 2
    assert "is what this command reads" in result.err
    assert config.read_text() == "verify = false\n"


def test_the_state_folder_beside_the_file(
    run: Command, sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative name in the file is beside the file, and all commands take it from there."""
    monkeypatch.delenv("BULKRM_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(config.parent / "elsewhere"))
    config.write_text('state-dir = "records"\n')
    fill(sandbox, "1.0")
    run(image(sandbox))

    shown = run("runs")

    assert len(list((config.parent / "records/runs").iterdir())) == 1
    assert "1 deleted" in shown.out
    assert run("undo", "-y").code == 0
    assert tags(sandbox) == {"1.0"}


# Profiles of hosts


def test_a_user_for_each_host(
    run: Command, token_sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run over several registries takes each one's user and variable from its profile."""
    with served() as other:
        for sandbox in (token_sandbox, other):
            fill(sandbox, "1.0")
        tables = (f'[hosts."{sandbox.host}"]\nusername = "admin"\n' for sandbox in (token_sandbox, other))
        config.write_text("".join(f'{table}password-env = "TOKEN_{n}"\n' for n, table in enumerate(tables)))
        monkeypatch.setenv("TOKEN_0", "admin")
        monkeypatch.setenv("TOKEN_1", "admin")

        result = run(image(token_sandbox), image(other), "-v")

    assert (result.code, tags(token_sandbox), tags(other)) == (0, set(), set())
    assert "TOKEN_1 (the profile of" in result.err


def test_a_profile_without_its_variable(run: Command, token_sandbox: Sandbox, config: Path) -> None:
    """Where the variable is not set a later source may have the password; where none has, that is bad usage."""
    config.write_text(f'[hosts."{token_sandbox.host}"]\nusername = "admin"\npassword-env = "NOT_SET"\n')

    result = run(image(token_sandbox))

    assert result.code == 2
    assert "no password for the user 'admin'" in result.err
    assert token_sandbox.log == []


def paced(concurrency: int, rate: Rate) -> Pacing:
    """The pace of one of two hosts, with its share of the files that whoever runs the tests may open."""
    share = share_of(free_descriptors(), 2)
    return Pacing(concurrency, rate, connections=share.registry, token_connections=share.token_server)


@pytest.mark.parametrize(("overridden", "expected"), [(set(), (1, Rate(5, 60.0))), ({"rate"}, (1, Rate(9, 1.0)))])
def test_the_pace_of_a_host(overridden: set[str], expected: tuple[int, Rate]) -> None:
    """A profile's concurrency and rate hold at its host only, and an option or a variable goes before it."""
    hosts = {"a.example": {"concurrency": "1", "rate": "5/m"}}
    sign_in = SignInOptions(config=Configuration(hosts=hosts, overridden=frozenset(overridden)))

    settings = settings_of(sign_in, PaceOptions("20", "9", "60"), ["a.example", "b.example"])

    assert settings.pacing == paced(20, Rate(9, 1.0))
    assert settings.own_pacings == {"a.example": paced(*expected)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('rate = "fast"', ":2: 'fast' is not understood"),
        ("concurrency = 0", ":2: '0' is not understood"),
        ('client-key = "key.pem"', ":2: there is no client-cert"),
        ("username = 3.5", ":2: username is no text"),
        ('username = ""', ":2: username is no text, or empty"),
    ],
)
def test_a_mistake_in_a_profile(run: Command, sandbox: Sandbox, config: Path, line: str, message: str) -> None:
    """A value that cannot be is named with its place, and nothing is sent."""
    config.write_text(f'[hosts."{sandbox.host}"]\n{line}\n')

    result = run(image(sandbox))

    assert result.code == 2
    assert f"{config}{message}" in result.err
    assert sandbox.log == []
