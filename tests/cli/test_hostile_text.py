"""Text of others in messages: it reaches no terminal as anything but text, whichever message it stands in."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkrm.cli.terminal.console import escape_unencodable
from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest
from tests.cli.command import Command, Result, fill, terminal

# A window's title, a colour in C1, DEL, right-to-left override, line ends that fake a line, a byte that is no UTF-8.
EVIL = "\x1b]0;x\x07\x9b31m\x7f\u202e\u2066\r\nfake: line\u2028fake\udcff[red]"
IN_YAML = r"\e]0;x\a\x9b31m\x7f\u202e\u2066\r\nfake: line\u2028fake[red]"
OPTIONS = [
    "--from-file", "--registry", "--username", "--ca-file", "--client-cert", "--shared", "--protect", "--max-delete",
    "--strategy", "--concurrency", "--rate", "--timeout", "--output", "--report", "--state-dir",
]  # fmt: skip


def assert_harmless(result: Result) -> None:
    """Nothing in the output acts on a terminal, and no line was faked."""
    text = result.out + result.err
    assert [character for character in text if not (character.isprintable() or character == "\n")] == []
    assert [line for line in text.splitlines() if line.startswith("fake")] == []
    assert "Traceback" not in text


@pytest.mark.parametrize("option", [*OPTIONS, "--evil" + EVIL, "-" + EVIL])
@pytest.mark.parametrize("value", ["{evil}", "h.x/a{evil}:1", "json={evil}/x", "1{evil}"])
def test_options(run: Command, option: str, value: str) -> None:
    """Every option, known or not, whose value is hostile."""
    result = run("registry.example.com/app:1", "-n", option, value.format(evil=EVIL), "--report", "json=absent/x")

    assert result.code == 2
    assert_harmless(result)


@pytest.mark.parametrize("option", [*OPTIONS, ""])
def test_options_that_another_command_has(run: Command, option: str) -> None:
    """Every command that does not know an option, or a file, or a run."""
    words = [option, EVIL] if option else [EVIL]
    for command in ("apply", "resume", "undo", "runs", "plan", "demo", "schema"):
        result = run(command, *words, "--report", "json=absent/x")

        assert result.code == 2
        assert_harmless(result)
    for line in (["runs", "show", EVIL], ["runs", "prune", "--older-than", EVIL], ["runs", "--state-dir", EVIL]):
        assert_harmless(run(*line))


ARGUMENTS = [
    "{evil}", "/{evil}:1", "h.x/{evil}:1", "h.x/app:{evil}", "h.x/app@{evil}", "h.x/app@sha256:{evil}", "{evil}/app:1",
    "https://{evil}", "https://{evil}@h.x/app:1", "u:p@{evil}", "h.x/app:*{evil}", "h.x/[{evil}]:1", "h.x/{{a,{evil}}}:1",
    "@{evil}.yaml", "{evil}.yaml", "h.x/App{evil}:1", "h.x/app:1 {evil}", "h.x:{evil}/app:1", "[{evil}]/app:1",
    "h.x//{evil}", "{evil}@", "ABC", "*{evil}.x/a:1", "h.x/**{evil}:[b-a]",
]  # fmt: skip


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_arguments(run: Command, argument: str) -> None:
    """Everything that can be wrong with an image, with hostile text in it."""
    result = run(argument.format(evil=EVIL), "-n")

    assert result.code == 2
    assert_harmless(result)


LISTS = [
    '- "{evil}"',
    '- "https://{evil}"',
    '- "h.x/{evil}:1"',
    '- "h.x/app:{evil}"',
    '- "h.x/app:*{evil}"',
    '- "u:p{evil}@h.x/app:1"',
    'registry: "{evil}"\nimages: [app:1]',
    'registry: h.x\nimages: ["{evil}:1"]',
    'images: ["app{evil}:1"]',
    'protect: ["{evil}"]\nimages: [h.x/app:1]',
    'protect: ["{evil}:*"]\nimages: [h.x/app:1]',
    '"{evil}": 1\nimages: [h.x/app:1]',
    'images: [{{image: h.x/app, tags: ["{evil}"]}}]',
    'images: [{{image: h.x/app, tags: ["{evil}*"]}}]',
    'images: [{{image: "h.x/app:*", exclude: ["{evil}"]}}]',
    'images: [{{image: "h.x/app:1", "{evil}": "{evil}"}}]',
    'images: [{{image: "h.x/app:1", note: a, "ke{evil}ys": b, "ke{evil}ys": c}}]',
    'images: [{{"{evil}": ["{evil}"]}}]',
    "- &x\u202ey h.x/app:1",
    "- *x\u202ey",
    "- !x\u202ey h.x/app:1",
    '- "\\ud800"',
    '- "{evil}',
    '- {{a: "{evil}"}}: b',
]


@pytest.mark.parametrize("name", ["images.yaml", f"li{EVIL.replace('/', '')}st.yaml"])
@pytest.mark.parametrize("text", LISTS)
def test_lists(run: Command, text: str, name: str) -> None:
    """Every mistake in a list file, with hostile text in it, in a file with a hostile name."""
    Path(name).write_bytes(text.format(evil=IN_YAML).encode("utf-8", "surrogatepass"))

    result = run("-f", name, "-n")

    assert result.code == 2
    assert_harmless(result)


TEXT = st.text(st.characters(categories=None, exclude_characters="\0"), max_size=30)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(ARGUMENTS), text=TEXT)
def test_arguments_of_any_text(run: Command, place: str, text: str) -> None:
    """The same with whatever text: it is refused, or it is an image, and never more than text."""
    words = [place.format(evil=text)]

    result = run("plan", "--", *words, "--report")  # the last word is an image too, and none

    assert result.code == 2
    assert_harmless(result)


# What comes from registries, records and files


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
@pytest.mark.parametrize("command", ["delete", "plan"])
def test_reports(run: Command, sandbox: Sandbox, output: str, command: str) -> None:
    """A report, whatever its format, shows hostile notes and file names as text, and JSON means what was written."""
    fill(sandbox, "a")
    name = f"li{EVIL}st.yaml"
    Path(name).write_text(
        f'- {{image: {sandbox.host}/team/app:a, note: "{IN_YAML}"}}\n- {sandbox.host}/team/app:gone*\n'
    )

    result = run(command, "-f", name, "-o", output, "--report", f"{output}=report")

    assert result.code == 0
    assert_harmless(result)
    assert_harmless(Result(0, Path("report").read_text(), ""))
    if output == "json":
        assert result.images[0]["note"] == EVIL.replace("\udcff", "")
    if output == "jsonl":
        notes = [json.loads(line).get("note") for line in result.out.splitlines()]
        assert EVIL.replace("\udcff", "") in notes


HOSTILE_ANSWERS: dict[str, Reply] = {
    "error": Reply(400, {"Content-Type": "application/json"}, json.dumps(
        {"errors": [{"code": f"X{EVIL}", "message": EVIL}]}).encode()),
    "page": Reply(403, {"Content-Type": "text/html"}, EVIL.encode("utf-8", "surrogatepass")),
    "link": Reply(200, {"Link": '</v2/team/app/tags/list?last=\x9b31m\x7f>; rel="next"'},
                  b'{"name": "team/app", "tags": ["a"]}'),
    "redirect": Reply(307, {"Location": "https://evil.example/\x9b31m\x7f"}),
    "tags": Reply(200, {}, json.dumps({"name": EVIL, "tags": [EVIL, "a"]}).encode()),
    "challenge": Reply(401, {"WWW-Authenticate": 'Bearer realm="https://\x9b31m/\x7f",service="\x9b"'}),
}  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE_ANSWERS)
@pytest.mark.parametrize("path", ["/tags/list", "/manifests/", "/v2/$"])
def test_answers(run: Command, sandbox: Sandbox, answer: str, path: str) -> None:
    """What a registry answers to listings and manifests, -v included."""
    fill(sandbox, "a", "b")
    sandbox.faults.add(HOSTILE_ANSWERS[answer], path=path, times=None)

    result = run(f"{sandbox.host}/team/app:*", f"{sandbox.host}/team/app:b", "-n", "-v")

    assert result.code in (0, 1, 3)
    assert_harmless(result)


def edited(folder: Path, fields: Mapping[str, object]) -> None:
    """Put hostile text into every outcome of a run's record, and into what was asked."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    for line in lines:
        line.update({name: value for name, value in fields.items() if name in line})
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = json.loads((folder / "run.json").read_text())
    asked["protect"] = [EVIL]
    asked["list"] = [{**entry, "image": EVIL, "source": f"{EVIL}:1"} for entry in asked["list"]]
    (folder / "run.json").write_text(json.dumps(asked))


@pytest.mark.parametrize(
    "fields",
    [
        {"image": EVIL},
        {"status": EVIL},
        {"reason": EVIL, "because": [EVIL]},
        {"error": {"code": EVIL, "message": EVIL, "status": 1}},
        {"repository": EVIL},
        {"summary": {EVIL: 1}},
        {"code": EVIL},
    ],
)
def test_records(run: Command, sandbox: Sandbox, fields: Mapping[str, object]) -> None:
    """`runs`, `runs show`, `resume` and `undo` of a record that somebody edited show text."""
    fill(sandbox, "a", "b")
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    failed = run(f"{sandbox.host}/team/app:*", "--fail-fast", "-c", "1", "-o", "json")
    run_id = failed.report["run"]["id"]
    edited(Path(os.environ["BULKRM_STATE_DIR"], "runs", run_id), fields)

    for words in (["runs"], ["runs", "show", run_id], ["resume", run_id], ["undo", run_id]):
        assert_harmless(run(*words))


def test_plans(run: Command, sandbox: Sandbox) -> None:
    """`apply` of a plan that somebody edited shows text."""
    fill(sandbox, "a")
    run("plan", f"{sandbox.host}/team/app:a", "--out", "plan.json")
    text = Path("plan.json").read_text()
    for old, new in (("team/app", EVIL), ('"protect": []', f'"protect": [{json.dumps(EVIL)}]'), ("delete", EVIL)):
        Path(f"p{EVIL}.json").write_text(text.replace(old, new if old[0] == '"' else json.dumps(new)[1:-1]))

        assert_harmless(run("apply", f"p{EVIL}.json"))


def test_docker_config(run: Command, sandbox: Sandbox) -> None:
    """Docker's configuration names hosts and helpers."""
    config = Path(os.environ["DOCKER_CONFIG"]) / "config.json"
    config.parent.mkdir()
    for text in (
        "{" + EVIL,
        json.dumps({"credHelpers": {sandbox.host: EVIL}}),
        json.dumps({"auths": {EVIL: {"auth": EVIL}}}),
    ):
        config.write_bytes(text.encode("utf-8", "surrogatepass"))

        assert_harmless(run(f"{sandbox.host}/team/app:a", "-n"))


def test_environment(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the environment are foreign text too."""
    for name in ("REGISTRY_USERNAME", "REGISTRY_PASSWORD", "HTTPS_PROXY", "BULKRM_STATE_DIR"):
        with monkeypatch.context() as patch:
            patch.setenv(name, EVIL)

            result = run(
                "registry.invalid/app:1", "--timeout", "0.1", "-c", "1", *(["-n"] if "STATE" not in name else [])
            )

            assert result.code in (1, 2)
            assert_harmless(result)


async def test_markup_is_no_markup() -> None:
    """What looks like markup of the library that draws the bar is shown as it is, in warnings and in the question."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "a")
        words = [f"{sandbox.host}/team/app:a", "--protect", "[bold]x:y"]
        async with terminal(*words) as screen:
            await screen.until("[y/N] ")
            screen.type("n\n")
            result = await screen.end()

    assert "warning: " in result.err
    assert "[bold]x:y" in result.err


async def test_hostile_answers_on_a_terminal() -> None:
    """On a terminal the bar has escape sequences of its own, and none that a registry sent."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "a")

        async def wait(_: ServerRequest) -> None:
            await screen.until("Resolving images")

        sandbox.faults.add(Call(wait), path="/manifests/")
        sandbox.faults.add(HOSTILE_ANSWERS["error"], path="/tags/list", times=None)
        async with terminal(f"{sandbox.host}/team/app:a", "-v", "-n", pipe=False) as screen:
            result = await screen.end()

    assert "\x1b]0;" not in result.err
    assert [mark for mark in ("\x07", "\x9b", "\x7f", "\u202e", "\u2028") if mark in result.err] == []


def test_a_narrow_encoding() -> None:
    """What an encoding does not have is escaped in the form that JSON means as well."""
    escape_unencodable()

    shown = "é期🐳".encode("ascii", "bulkrm.escaped").decode()

    assert json.loads(f'"{shown}"') == "é期🐳"
