"""Mistakes on the command line: exit code 2, what and where, what to write instead, and not one request sent."""

import asyncio
import json
from pathlib import Path

import pytest

from bulkrm.sandbox import Call, Sandbox, ServerRequest
from tests.cli.command import Command, bulkrm, fill, sent, tags
from tests.support.giving_up import SECONDS

BAD: dict[str, tuple[list[str], list[str]]] = {
    "concurrency zero": (["-c", "0"], ["--concurrency", "'0'", "auto"]),
    "concurrency word": (["--concurrency", "many"], ["--concurrency", "'many'", "1 to 1000"]),
    "concurrency much": (["-c", "1001"], ["--concurrency", "1001"]),
    "rate zero": (["--rate", "0"], ["--rate", "600/m"]),
    "rate unit": (["--rate", "5/d"], ["--rate", "'5/d'", "5000/h"]),
    "timeout": (["--timeout", "-1"], ["--timeout", "-1", "more than 0"]),
    "timeout infinite": (["--timeout", "inf"], ["--timeout", "seconds"]),
    "timeout word": (["--timeout", "soon"], ["--timeout", "'soon'", "number of seconds"]),
    "timeout unit": (["--timeout", "5s"], ["--timeout: '5s'", "a number of seconds", "without a unit"]),
    "registry empty": (["--registry", ""], ["--registry: the host is empty; perhaps a variable is not set"]),
    "file empty": (["-f", ""], ["--from-file: the name is empty; perhaps a variable is not set"]),
    "user empty": (["-u", ""], ["-u: the name is empty; perhaps a variable is not set"]),
    "ca file empty": (["--ca-file", ""], ["--ca-file", "the name is empty; perhaps a variable is not set"]),
    "state empty": (["--state-dir", ""], ["--state-dir", "the name is empty; perhaps a variable is not set"]),
    "option of undo": (["--force"], ["`bulkrm delete` has no option --force: it is an option of `bulkrm undo`"]),
    "option of plan": (["--out", "x"], ["has no option --out: it is an option of `bulkrm plan`"]),
    "shared": (["--shared", "untag-all"], ["--shared", "refuse, untag, delete, delete-unseen"]),
    "max-delete": (["--max-delete", "x"], ["--max-delete", "20%"]),
    "max-delete beyond all": (["--max-delete", "101%"], ["--max-delete", "'101%'"]),
    "max-delete below zero": (["--max-delete=-5"], ["--max-delete", "'-5'"]),
    "confirm-above": (["--confirm-above", "many"], ["--confirm-above: 'many'", "0 means always"]),
    "confirm-above below zero": (["--confirm-above=-1"], ["--confirm-above: '-1'", "0 means always"]),
    "protect without tag": (["--protect", "team/app"], ["--protect", "team/app:*"]),
    "protect with digest": (["--protect", f"app@sha256:{'0' * 64}"], ["--protect", "digest"]),
    "unseen and protect": (["--shared", "delete-unseen", "--protect", "*:latest"], ["--shared", "--shared delete"]),
    "output": (["-o", "xml"], ["--output", "'xml'", "json, jsonl, text"]),
    "report": (["--report", "report.json"], ["--report", "FORMAT=FILE"]),
    "report format": (["--report", "xml=report.xml"], ["--report", "json, jsonl, text"]),
    "report folder": (["--report", "json=absent/report.json"], ["--report", "absent/report.json", "another file"]),
    "report on standard output": (["--report", "json=-"], ["--report", "-o says"]),
    "two reports in one file": (["--report", "json=x", "--report", "jsonl=./x"], ["--report", "x is named twice"]),
    "user and password": (["-u", "me:hunter2"], ["-u", "no ':'", "--password-stdin"]),
    "client key": (["--client-key", "key.pem"], ["--client-key", "--client-cert"]),
    "ca file": (["--ca-file", "absent.pem"], ["--ca-file", "No such file", "PEM"]),
    "client cert": (["--client-cert", "absent.pem"], ["--client-cert", "No such file", "PEM"]),
    "file": (["-f", "absent.yaml"], ["absent.yaml", "cannot be read"]),
    "file glob": (["-f", "lists/*.yaml"], ["lists/*.yaml", "matches no file", "--from-file"]),
    "folder": (["-f", "."], [".", "cannot be read"]),
    "registry": (["--registry", "https://host"], ["--registry", "without a scheme"]),
    "unknown option": (["--farce"], ["--farce"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_option(run: Command, sandbox: Sandbox, case: str) -> None:
    """A bad value is named with its option and its remedy; exit code 2, and nothing was sent."""
    fill(sandbox, "1.0")
    options, words = BAD[case]

    result = run(f"{sandbox.host}/team/app:1.0", "-y", *options)

    assert result.code == 2
    assert [word for word in words if word not in result.err] == []
    assert "hunter2" not in result.err
    assert result.out == ""
    assert sandbox.log == []
    if "Usage: " not in result.err:  # which is how the parser's own messages begin
        assert result.err.endswith("Nothing was attempted.\n")


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("{host}/team/app", ["neither a tag nor a digest", "no default tag"]),
        ("team/app:1", ["'team/app' does not name its registry", "docker.io/team/app"]),
        ("https://{host}/team/app:1", ["scheme", "write {host}/team/app:1"]),
        ("{host}/Team/app:1", ["upper-case", "team/app"]),
        ("{host}/team/app:-1", ["'-1' is not a tag"]),
        ("{host}/team/app@sha256:12", ["sha256:12"]),
        ("{host}/team/app:[z", ["'[z' has a '[' without its partner"]),
        ("*.example.com/app:1", ["host"]),
        ("a" * 64, ["image ID"]),
        ("", ["empty reference"]),
        ("{host}/team/app@", ["'{host}/team/app@' ends with '@'", "empty variable"]),
        ("{host}/team/app@sha256:*", ["'{host}/team/app@sha256:*'", "digest"]),
        ("me:hunter2@", ["'***@' ends with '@'"]),
        ("lists/images.yaml", ["is no image", "-f lists/images.yaml"]),
        ("me:hunter2@{host}/team/app:values.yaml", ["***@{host}/team/app:values.yaml"]),
        ("https://me:hunter2@{host}/values.yml", ["https://***@{host}/values.yml"]),
        ("x" * 300, ["neither an image nor a command"]),
        ("x-" * 300, ["does not name its registry"]),
        ("/team/app:1", ["'/team/app:1' begins with '/': the host before it is empty; perhaps a variable is not set"]),
        ("/team/app:pr-*", ["the host before it is empty"]),
        (":5000/team/app:1", ["the host before it is empty"]),
        ("{host}/team/:1", ["a part of the repository is empty"]),
        ("{host}/team/app:", ["the tag behind it is empty"]),
        ("@images.yaml", ["'@images.yaml' is no image", "-f images.yaml"]),
        ("file://lists/images.yaml", ["-f lists/images.yaml"]),
        ("-", ["'-' is no image; a list from standard input is given with -f -"]),
        ("rm", ["neither an image nor a command", "`bulkrm delete` is meant", "the commands are delete, plan"]),
        ("version", ["`bulkrm --version` is meant"]),
        ("help", ["neither an image nor a command", "the commands are delete, plan"]),
    ],
)
def test_bad_argument(run: Command, sandbox: Sandbox, argument: str, words: list[str]) -> None:
    """An argument that is no reference is named by its position, with what is wrong with it."""
    good = f"{sandbox.host}/team/app:good"

    result = run(good, argument.format(host=sandbox.host))

    assert result.code == 2
    assert "argument 2: " in result.err
    assert [word for word in words if word.format(host=sandbox.host) not in result.err] == []
    assert "Nothing was attempted." in result.err
    assert "hunter2" not in result.err
    assert sandbox.log == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["apply", "--shared", "refuse", "p"], "`bulkrm apply` has no option --shared: the plan records it"),
        (["apply", "-r", "p"], "`bulkrm apply` has no option -r: the plan records it; give it to `bulkrm plan`"),
        (["apply", "-f", "x", "p"], "no option -f here: apply takes one plan file and no list: `bulkrm apply FILE`"),
        (["resume", "--max-delete", "1"], "the run goes on as it was begun, and its record holds that"),
        (["resume", "-f", "x"], "the record of the run holds its list"),
        (["undo", "--protect", "x"], "it is an option of `bulkrm delete`, `bulkrm plan`, `bulkrm apply`"),
        (["undo", "-f", "x"], "undo takes images and no list"),
        (["apply", "-"], "- is no plan file; apply reads a file"),
        (["apply", ""], "FILE: the name is empty; perhaps a variable is not set"),
        (["resume", ""], "RUN: the name is empty; perhaps a variable is not set"),
        (["runs", "show", ""], "RUN: the name is empty"),
        (["plan", "--out", "", "h.x/a:1"], "--out': the name is empty; perhaps a variable is not set"),
    ],
)
def test_other_commands(run: Command, words: list[str], message: str) -> None:
    """An option of another command, or an empty value, is named with where it belongs."""
    result = run(*words)

    assert result.code == 2
    assert message in result.err
    assert result.out == ""


def test_credentials_in_a_reference_are_masked(run: Command) -> None:
    """`user:password@` in a reference is refused, and the password is nowhere in the message."""
    result = run("me:hunter2@registry.example.com/app:1")

    assert result.code == 2
    assert "argument 1: " in result.err
    assert "***@registry.example.com" in result.err
    assert "hunter2" not in result.err + result.out


def test_mistakes_of_all_places_at_once(run: Command, tmp_path: Path) -> None:
    """Mistakes in arguments, in --protect and in two files all come in one go."""
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("- registry.example.com/app\n")
    two.write_text("- registry.example.com/APP:1\n- 7\n")

    result = run("host.example/x:1", "nope", "--protect", "app", "-f", str(one), "-f", str(two))

    places = [line.partition(": ")[2].partition(": ")[0] for line in result.err.splitlines()[:-1]]
    assert result.code == 2
    assert places == ["argument 2", "--protect", f"{one}:1:3", f"{two}:1:3", f"{two}:2:3"]


@pytest.mark.parametrize("words", [[], ["delete"], ["-n"]])
def test_nothing_named(run: Command, words: list[str]) -> None:
    """Without any image it says what to give, and where to read more."""
    result = run(*words)

    assert result.code == 2
    assert "nothing to delete was named" in result.err
    assert "-f FILE" in result.err
    assert "bulkrm -h" in result.err


@pytest.mark.parametrize("words", [[], ["delete"]])
def test_the_command_word_may_be_left_out(run: Command, sandbox: Sandbox, words: list[str]) -> None:
    """`bulkrm IMAGE` and `bulkrm delete IMAGE` are one command."""
    fill(sandbox, "1.0", "2.0")

    result = run(*words, f"{sandbox.host}/team/app:1.0", "-o", "json")

    assert (result.code, result.statuses) == (0, {"team/app:1.0": "deleted"})
    assert tags(sandbox) == {"2.0"}


def test_options_before_the_image(run: Command, sandbox: Sandbox) -> None:
    """Without the command word, options may come first."""
    fill(sandbox, "1.0")

    result = run("-n", "-o", "json", f"{sandbox.host}/team/app:1.0")

    assert (result.code, result.statuses) == (0, {"team/app:1.0": "would-delete"})


def test_registry_option(run: Command, sandbox: Sandbox) -> None:
    """--registry gives the host of arguments without one, globs included."""
    fill(sandbox, "pr-1", "pr-2", "1.0")

    result = run("--registry", sandbox.host, "team/app:pr-*", "team/*:1.0", "-o", "json")

    assert result.statuses == dict.fromkeys(["team/app:pr-1", "team/app:pr-2", "team/app:1.0"], "deleted")
    assert tags(sandbox) == set()


@pytest.mark.parametrize("option", [["-c", "1"], ["-c", "auto"], ["--rate", "1000/m"], ["--timeout", "5"]])
def test_pace_options_work(run: Command, sandbox: Sandbox, option: list[str]) -> None:
    """Each pace option lets the run come to its end."""
    fill(sandbox, "1.0", "2.0", "3.0")

    result = run(f"{sandbox.host}/team/app:*", *option, "-o", "json")

    assert (result.code, set(result.statuses.values())) == (0, {"deleted"})


def test_concurrency_is_kept(run: Command, sandbox: Sandbox) -> None:
    """-c 2 has two requests in flight together, and never a third."""
    fill(sandbox, *(f"t{number}" for number in range(30)))
    both = asyncio.Barrier(2)

    async def meet(_: ServerRequest) -> None:
        async with asyncio.timeout(SECONDS):
            await both.wait()

    sandbox.faults.add(Call(meet), method="GET", path="/manifests/", times=30)

    result = run(f"{sandbox.host}/team/app:*", "-c", "2", "-q")

    assert result.code == 0
    assert sandbox.max_in_flight == 2
    assert len(sent(sandbox)) == 30


def test_plain_http(run: Command, sandbox: Sandbox) -> None:
    """With --plain-http the first request is the ping, without a try at TLS before it."""
    fill(sandbox, "1.0")

    result = run(f"{sandbox.host}/team/app:1.0", "--plain-http", "-o", "json")

    assert result.code == 0
    assert result.report["requests"]["registry"] == len(sandbox.log)


def test_version(run: Command) -> None:
    """--version tells the version, at once and behind the command word."""
    assert run("--version").out == run("delete", "--version").out
    assert run("--version").out.startswith("bulkrm ")


def test_schema(run: Command) -> None:
    """`bulkrm schema` prints a JSON Schema."""
    result = run("schema")

    assert result.code == 0
    assert json.loads(result.out)["$schema"].startswith("https://json-schema.org/")


async def test_a_proxy_that_is_not_supported(tmp_path: Path) -> None:
    """It is exit 2 before anything is attempted, without the proxy's password, and leaves no run behind."""
    env = {"ALL_PROXY": "socks5://user:s3cret@127.0.0.1:1080", "BULKRM_STATE_DIR": str(tmp_path)}

    result = await bulkrm("-y", "registry.example/a/b:1", env=env)
    runs = await bulkrm("runs", env=env)

    assert result.code == 2
    assert "ALL_PROXY" in result.err
    assert "not supported" in result.err
    assert "s3cret" not in result.err + result.out
    assert "unfinished" not in runs.out
