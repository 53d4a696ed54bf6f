"""Every example of CONTRIBUTING, as it is printed: as one new file of the package, and as an entry point of others."""

import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Auth, Image, Reply, Sandbox, SandboxSettings, built_image, oci_image, put_image
from tests.cli.command import Result, bulkrm, fill, tags
from tests.support.extensions import Place, as_file, as_plugin, printed

OPEN = SandboxSettings(auth=Auth.NONE)
Run = Callable[..., Coroutine[Any, Any, Result]]
Extend = Callable[..., Run]
LOCKED = Reply(423, {"Content-Type": "application/json"}, b'{"errors":[{"code":"LOCKED","message":"locked"}]}')


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A registry that asks for nothing."""
    async with Sandbox(OPEN) as sandbox:
        yield sandbox


def labelled(number: int, created: str | None = None, **labels: str) -> Image:
    """An image with these labels, unlike that of another number."""
    return built_image({"created": created or "2020-01-01T00:00:00Z", "config": {"Labels": labels}, "number": number})


def within(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command, run in a place with the variables that it needs."""
    monkeypatch.chdir(place.folder)
    variables = {**place.env, "BULKRM_STATE_DIR": str(tmp_path / "state"), "COLUMNS": "80"}

    async def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Result:
        return await bulkrm(*arguments, stdin=stdin, env={**variables, **(env or {})}, afresh=True)

    return run


def recorded(folder: Path) -> dict[str, Any]:
    """What the only run below a folder was asked."""
    (record,) = folder.rglob("run.json")
    return dict(json.loads(record.read_text()))


@pytest.fixture(params=[as_file, as_plugin], ids=["file", "plugin"])
def extended(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Extend:
    """A function that puts an extension where it belongs, in either form, and returns the command that has it."""

    def put(group: str, source: str) -> Run:
        return within(request.param(tmp_path / "extended", group, source), monkeypatch, tmp_path)

    return put


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Extend:
    """A function that makes a distribution with a plugin, and returns the command that has it."""

    def put(group: str, source: str, **options: Any) -> Run:
        return within(as_plugin(tmp_path / "extended", group, source, **options), monkeypatch, tmp_path)

    return put


async def test_report_format(sandbox: Sandbox, extended: Extend, tmp_path: Path) -> None:
    """It is a choice of -o and --report, and help, completion and the message about another one name it."""
    run = extended("bulkrm.formats", *printed("A new report format"))
    fill(sandbox, "good", "bad")
    bad = sandbox.store.digest_of("team/app", "bad")
    sandbox.faults.add(LOCKED, method="DELETE", path=str(bad))
    image = f"{sandbox.host}/team/app"

    shown = await run(f"{image}:good", f"{image}:bad", "-o", "failed", "--report", f"failed={tmp_path / 'failed.txt'}")
    other = await run(f"{image}:good", "-o", "xml")
    completed = await run("-o", "fa", env={"_BULKRM_COMPLETE": "zsh"})

    assert (shown.code, shown.out) == (1, f"{image}:bad\n")
    assert (tmp_path / "failed.txt").read_text() == shown.out
    named = re.search(r"standard output: ([a-z, ]+)\.", " ".join((await run("-h")).out.split()))
    assert named is not None
    assert set(re.split(r", | or ", named[1])) == {"failed", "json", "jsonl", "text"}
    assert re.search(r"write one of (\w+, )*failed", other.err)
    assert completed.out == "words\nfailed\tthe names of the failed images\n"
    assert tags(sandbox) == {"bad"}


async def test_family(sandbox: Sandbox, extended: Extend) -> None:
    """A refusal that it knows gets its code and its hint."""
    run = extended("bulkrm.families", *printed("A new family of a registry"))
    fill(sandbox, "1.0")
    sandbox.faults.add(LOCKED, method="DELETE", path="sha256:", times=None)

    (image,) = (await run(f"{sandbox.host}/team/app:1.0", "-o", "json")).images

    assert (image["status"], image["error"]["code"], image["error"]["status"]) == ("failed", "refused", 423)
    assert image["hint"] == "the image is locked; unlock it in the registry's web page"


async def test_selector(sandbox: Sandbox, extended: Extend, tmp_path: Path) -> None:
    """Its key is one of lists, of the schema and of messages; what it keeps stays, and a plan remembers it."""
    run = extended("bulkrm.selectors", *printed("A new selector"))
    put_image(sandbox.store, "team/app", ["held"], labelled(1, hold="yes"))
    put_image(sandbox.store, "team/app", ["free"], labelled(2))
    listed, wrong, plan = tmp_path / "images.yaml", tmp_path / "wrong.yaml", tmp_path / "plan.json"
    listed.write_text(f"- image: {sandbox.host}/team/app:*\n  unless-label: hold\n")
    wrong.write_text(f"- image: {sandbox.host}/team/app:*\n  unless-labels: hold\n")

    schema = json.loads((await run("schema")).out)
    checked, mistaken = await run("check", str(listed)), await run("check", str(wrong))
    planned = await run("plan", "-f", str(listed), "--out", str(plan), "-o", "json")
    applied = await run("apply", str(plan), "-o", "json")

    assert schema["$defs"]["entry"]["properties"]["unless-label"]["title"] == "Unless labelled"
    assert checked.code == 0
    assert (mistaken.code, "did you mean unless-label?" in mistaken.err) == (2, True)
    assert planned.statuses == {"team/app:held": "kept", "team/app:free": "would-delete"}
    assert applied.statuses == {"team/app:held": "kept", "team/app:free": "deleted"}
    (held,) = (image for image in applied.images if image["status"] == "kept")
    assert held["reason"] == "protected"
    assert held["because"] == [f"{listed}:1: unless-label: hold", "it has the label hold"]
    assert tags(sandbox) == {"held"}


@pytest.mark.parametrize("number", [0, 1], ids=["of files", "asked"])
async def test_credential_source(extended: Extend, number: int, tmp_path: Path) -> None:
    """Its password signs in, `login --check` names it, and -v says where the password comes from."""
    source = printed("A new source of credentials")[number]
    run = extended("bulkrm.credential_sources", source)
    async with Sandbox() as sandbox:
        fill(sandbox, "1.0")
        env = _passwords(tmp_path, sandbox.host)

        checked = await run("login", "--check", f"{sandbox.host}/team/app", env=env)
        result = await run(f"{sandbox.host}/team/app:1.0", "-o", "json", "-v", env=env)

        assert checked.code == 0
        assert ("example/auth.json" if number == 0 else "the example's agent") in checked.out
        assert "holds:   the password of admin" in checked.out
        assert (result.code, tags(sandbox)) == (0, set())
        assert "the password of admin, from" in result.err or "the example's agent is asked for each" in result.err
        assert {request.account for request in sandbox.tokens.log} == {"admin"}


TELLING = SandboxSettings(auth=Auth.NONE, lists_manifests=True)


def on_loopback(source: str) -> str:
    """The example's backend, for a registry on loopback."""
    return source.replace("registry.example.com", "127.0.0.1")


def read_by_head(sandbox: Sandbox) -> set[str]:
    """The tags and digests that were asked for by HEAD."""
    paths = (entry.path for entry in sandbox.log if entry.method == "HEAD" and "/manifests/" in entry.path)
    return {path.rpartition("/")[2] for path in paths}


async def test_backend(extended: Extend) -> None:
    """A listing that tells the manifests spares a HEAD of every tag outside the list, and the same stays as without it."""
    run = extended("bulkrm.backends", *map(on_loopback, printed("A registry's own way of doing things")))
    async with Sandbox(TELLING) as sandbox:
        fill(sandbox, "a", "b", "c")
        sandbox.store.tag("team/app", "shared", str(sandbox.store.digest_of("team/app", "b")))

        result = await run(f"{sandbox.host}/team/app:a", f"{sandbox.host}/team/app:b", "-o", "json")

        assert result.statuses == {"team/app:a": "deleted", "team/app:b": "kept"}
        assert tags(sandbox) == {"b", "c", "shared"}
        assert not {"b", "c", "shared"}.intersection(read_by_head(sandbox))


async def test_backend_of_another_registry(extended: Extend, sandbox: Sandbox) -> None:
    """Where the listing is not what the backend expects nothing goes, and the report says why."""
    run = extended("bulkrm.backends", *map(on_loopback, printed("A registry's own way of doing things")))
    fill(sandbox, "a", "b")  # this registry lists names only

    (image,) = (await run(f"{sandbox.host}/team/app:a", "-o", "json")).images

    assert (image["status"], image["reason"]) == ("kept", "unreadable")
    assert "another shape" in image["because"][0]
    assert tags(sandbox) == {"a", "b"}
    assert "DELETE" not in {entry.method for entry in sandbox.log}


def _passwords(folder: Path, host: str) -> dict[str, str]:
    """Write the password of the registry where both sources look for it."""
    (folder / "config/example").mkdir(parents=True)
    (folder / "config/example/auth.json").write_text(json.dumps({"auths": {host: {"auth": "YWRtaW46YWRtaW4="}}}))
    (folder / "agent").mkdir()
    (folder / "agent" / host).write_text("admin:admin\n")
    return {"XDG_CONFIG_HOME": str(folder / "config"), "EXAMPLE_AGENT": str(folder / "agent")}


async def test_plugins_are_listed_and_recorded(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """`--version -v` names distribution, version, entry point and group, and so does the record of a run."""
    run = plugged("bulkrm.formats", *printed("A new report format"))
    fill(sandbox, "1.0")

    shown = [(await run(*words)).out for words in (["--version", "-v"], ["-Vv"], ["-v", "delete", "--version"][1:])]
    await run(f"{sandbox.host}/team/app:1.0")
    record = recorded(tmp_path)

    line = "plugin example-plugin 1.5, entry point example of bulkrm.formats"
    assert shown[0] == shown[1] == f"{shown[2]}{line}\n"
    assert record["plugins"] == [
        {"distribution": "example-plugin", "version": "1.5", "group": "bulkrm.formats", "name": "example"}
    ]


async def test_nothing_is_recorded_without_plugins(sandbox: Sandbox, tmp_path: Path) -> None:
    """A run without plugins has the record that it always had."""
    fill(sandbox, "1.0")
    await bulkrm(f"{sandbox.host}/team/app:1.0", env={"BULKRM_STATE_DIR": str(tmp_path)})

    assert "plugins" not in recorded(tmp_path)


async def test_a_plan_whose_selector_is_gone(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """It is refused where the plugin is not installed any more, and nothing is deleted."""
    run = plugged("bulkrm.selectors", *printed("A new selector"))
    fill(sandbox, "1.0")
    listed, plan = tmp_path / "images.yaml", tmp_path / "plan.json"
    listed.write_text(f"- image: {sandbox.host}/team/app:*\n  unless-label: hold\n")
    await run("plan", "-f", str(listed), "--out", str(plan))
    sandbox.log.clear()

    result = await bulkrm("apply", str(plan), env={"BULKRM_STATE_DIR": str(tmp_path / "state")})

    assert result.code == 2
    assert "unless-label" in result.err
    assert sandbox.log == []
    assert tags(sandbox) == {"1.0"}


FORMAT = printed("A new report format")[0]
UNUSABLE = {
    "a name of ours": (FORMAT.replace('"failed"', '"json"'), {}, "'json' is a name of bulkrm itself"),
    "not importable": ("import absent_module_of_nobody\n", {}, "it cannot be loaded (ModuleNotFoundError"),
    "fails on import": ("1 / 0\n", {}, "it cannot be loaded (ZeroDivisionError"),
    "exits on import": ("import sys; sys.exit(0)\n", {}, "it cannot be loaded (SystemExit"),
    "without the object": ("", {}, "it cannot be loaded (AttributeError"),
    "of another type": ("FORMAT = 'failed'\n", {}, "is not of type ReportFormat; it has to be written as"),
    "a module": (FORMAT, {"value": "example_plugin"}, "is not of type ReportFormat; it has to be written as"),
    "a field of another type": (FORMAT.replace("no_line, whole", "None, whole"), {}, "ReportFormat.line is NoneType"),
    "a name that cannot be given": (FORMAT.replace('"failed"', '"a=b"'), {}, "'a=b' is not a name for --report"),
}


@pytest.mark.parametrize("case", UNUSABLE)
async def test_unusable_plugin(sandbox: Sandbox, plugged: Extend, tmp_path: Path, case: str) -> None:
    """It is bad usage that names distribution and entry point, with a remedy, and nothing is sent or recorded."""
    source, options, message = UNUSABLE[case]
    run = plugged("bulkrm.formats", source, **options)
    fill(sandbox, "1.0")

    result = await run(f"{sandbox.host}/team/app:1.0", "-y")
    listed = await run("--version", "-v") if case in {"a name of ours", "not importable"} else result

    for shown in (result, listed):
        assert shown.code == 2
        assert "plugin example-plugin 1.5, entry point example of bulkrm.formats: " in shown.err
        assert message in shown.err
        assert "pip uninstall example-plugin" in shown.err
        assert "Traceback" not in shown.err
    assert result.err.endswith("Nothing was attempted.\n")
    assert sandbox.log == []
    assert not (tmp_path / "state").exists()


SELECTOR = printed("A new selector")[0]
OTHERS = {
    "bulkrm.families": printed("A new family of a registry")[0].replace('"Example"', '"Harbor"'),
    "bulkrm.selectors": SELECTOR.replace('Key("unless-label"', 'Key("keep-newest"'),
    "bulkrm.credential_sources": printed("A new source of credentials")[1].replace(
        '"the example\'s agent"', '"podman\'s auth.json"'
    ),
}


@pytest.mark.parametrize("group", OTHERS)
async def test_nothing_of_ours_is_replaced(sandbox: Sandbox, plugged: Extend, group: str) -> None:
    """A family, a key of a list and a source of credentials keep their names as well, whatever a run needs of them."""
    run = plugged(group, OTHERS[group])
    fill(sandbox, "1.0")

    result = await run(f"{sandbox.host}/team/app:1.0", "-y")

    assert result.code == 2
    assert f"entry point example of {group}: " in result.err
    assert "is a name of bulkrm itself, which a plugin cannot replace" in result.err
    assert sandbox.log == []


@pytest.mark.parametrize(
    ("group", "source", "message"),
    [
        ("bulkrm.selectors", SELECTOR.replace('Key("unless-label"', 'Key("protect"'), "'protect' is a name of bulkrm"),
        ("bulkrm.selectors", SELECTOR.replace("_SCHEMA, str)", "_SCHEMA, str, level=KeyLevel.FILE)").replace(
            "Key, Narrow", "Key, KeyLevel, Narrow"), "is a key of the whole list"),
        ("bulkrm.selectors", SELECTOR.replace('Key("unless-label"', 'Key("Unless Label"'), "is not a key of a list"),
        ("bulkrm.credential_sources", printed("A new source of credentials")[1].replace("90,", "5,"), "its order is 5"),
        ("bulkrm.credential_sources", printed("A new source of credentials")[1].replace(", login=_login", ""),
            "neither reads anything nor can be asked"),
    ],
)  # fmt: skip
async def test_what_plugins_may_not(sandbox: Sandbox, plugged: Extend, group: str, source: str, message: str) -> None:
    """A key of the whole list, a key that no list can have, and a source before what the user gave are refused."""
    run = plugged(group, source)
    fill(sandbox, "1.0")

    result = await run(f"{sandbox.host}/team/app:1.0", "-y")

    assert result.code == 2
    assert message in result.err
    assert sandbox.log == []


async def test_two_plugins_of_one_name(sandbox: Sandbox, plugged: Extend) -> None:
    """The second one is refused, and the first one is named."""
    plugged("bulkrm.formats", FORMAT)
    run = plugged("bulkrm.formats", FORMAT, name="second")

    result = await run(f"{sandbox.host}/team/app:1.0", "-y")

    assert result.code == 2
    assert "'failed' is a name of example-plugin 1.5, entry point example of bulkrm.formats" in result.err
    assert "plugin second-plugin 1.5" in result.err
    assert sandbox.log == []


async def test_a_distribution_without_metadata(sandbox: Sandbox, plugged: Extend) -> None:
    """A folder with an entry point alone is enough, as for Python itself."""
    run = plugged("bulkrm.formats", FORMAT, metadata=False)
    fill(sandbox, "1.0")

    assert (await run(f"{sandbox.host}/team/app:1.0", "-o", "failed")).code == 0
    assert "entry point example of bulkrm.formats" in (await run("--version", "-v")).out


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("admin", "is not a login"),
        ("somebody:else", "HTTP 401"),
    ],
)
async def test_a_source_that_fails(plugged: Extend, tmp_path: Path, answer: str, message: str) -> None:
    """What it cannot tell, and a password that is wrong, is a failure with its remedy, and no request is repeated."""
    run = plugged("bulkrm.credential_sources", printed("A new source of credentials")[1])
    async with Sandbox() as sandbox:
        fill(sandbox, "1.0", "2.0")
        env = _passwords(tmp_path, sandbox.host)
        (tmp_path / "agent" / sandbox.host).write_text(answer)

        result = await run(*(f"{sandbox.host}/team/app:{tag}" for tag in ("1.0", "2.0")), "-o", "json", env=env)
        checked = await run("login", "--check", f"{sandbox.host}/team/app", env=env)

        assert (result.code, checked.code) == (1, 1)
        assert {image["error"]["code"] for image in result.images} == {"bad-credentials"}
        assert all(message in image["error"]["message"] for image in result.images)
        assert message in checked.out
        assert tags(sandbox) == {"1.0", "2.0"}


async def test_a_user_whom_no_source_knows(plugged: Extend, tmp_path: Path) -> None:
    """With -u a source's password of somebody else is not taken, and the requests do not go out as nobody's."""
    run = plugged("bulkrm.credential_sources", printed("A new source of credentials")[1])
    async with Sandbox() as sandbox:
        fill(sandbox, "1.0")
        env = _passwords(tmp_path, sandbox.host)

        other = await run(f"{sandbox.host}/team/app:1.0", "-u", "ci", "-o", "json", env=env)
        own = await run(f"{sandbox.host}/team/app:1.0", "-u", "admin", "-n", "-o", "json", env=env)

        assert (other.code, own.code) == (2, 0)
        assert "no password for the user 'ci'" in other.err
        assert {request.account for request in sandbox.tokens.log} == {"admin"}
        assert tags(sandbox) == {"1.0"}


HOSTILE = '''"""A selector that wants more to go than the list says."""

from bulkrm.selection.patterns.pattern import TagPattern
from bulkrm.selection.selector import (
    ChooseImages, ChooseTags, ConditionStage, ExcludeTags, Key, Narrow, Rank, RequiresFact, Selector, Values,
)


class Twisted(Narrow):
    """Passes for a condition that keeps."""

    chooses = TagPattern("*")


def _make(values: Values):
    try:
        values.clear()
    except AttributeError:
        pass
    try:
        values["older-than"] = None
    except TypeError:
        pass
    WAY


def _nothing(details, now):
    for place in (details.annotations, *(config.labels for config in details.configs if config)):
        try:
            place["stage"] = "dev"
        except TypeError:
            pass
    return None


SELECTOR = Selector(ConditionStage.CHOOSE_TAG, (Key("hostile", {}, str),), _make)
'''
WAYS = {
    "chooses every tag": 'return ChooseTags(TagPattern("*"))',
    "passes for another": 'return Twisted("x", frozenset(), _nothing)',
    "needs what nobody knows": "return RequiresFact(frozenset())",
    "chooses every image": 'return ChooseImages("x", frozenset(), lambda details: not _nothing(details, None))',
    "keeps nothing": 'return Narrow("x", frozenset(), _nothing)',
    "ranks nobody": 'return Rank("x", frozenset(), lambda tag: (), lambda images, now: {})',
    "excludes nothing": 'return ExcludeTags(type("Never", (), {"text": "x", "matches": lambda self, tag: False})())',
    "returns a text": 'return "everything"',
    "says nonsense": 'return Narrow("x", frozenset(), lambda details, now: "goes")',
    "raises": 'raise ValueError("hunter")',
}
REFUSED = {
    "chooses every tag": "it made ChooseTags, and a plugin can only exclude or keep images",
    "passes for another": "it made Twisted, and",
    "needs what nobody knows": "it made RequiresFact, and",
    "returns a text": "it made str, and",
    "raises": "ValueError: hunter",
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_hostile_selector(sandbox: Sandbox, plugged: Extend, tmp_path: Path, way: str) -> None:
    """Nothing goes that the list does not name, and every other rule of the list holds as it does without it."""
    run = plugged("bulkrm.selectors", HOSTILE.replace("WAY", WAYS[way]))
    for number, tag in enumerate(["pr-1", "pr-2", "pr-new", "prod-1", "release"]):
        created = "2099-01-01T00:00:00Z" if tag == "pr-new" else f"2020-01-0{number + 1}T00:00:00Z"
        put_image(sandbox.store, "team/app", [tag], labelled(number, created, stage="prod"))
    put_image(sandbox.store, "team/other", ["1.0"], oci_image(50))
    listed = tmp_path / "images.yaml"
    listed.write_text(
        f"registry: {sandbox.host}\n"
        'protect: ["**:prod-*"]\n'
        "images:\n"
        "  - {image: 'team/app:pr*', older-than: 30d, exclude: ['pr-2'], hostile: please}\n"
        "  - {image: 'team/app:rel*', hostile: please, labels: {stage: dev}}\n"
    )

    result = await run("-f", str(listed), "-y", "--shared", "delete")

    assert "Traceback" not in result.err or way == "says nonsense"
    if way in REFUSED:
        assert result.code == 2
        assert f"plugin example-plugin 1.5, entry point example of bulkrm.selectors: {REFUSED[way]}" in result.err
        assert sandbox.log == []
    if way in REFUSED or way == "says nonsense":
        assert len(tags(sandbox)) == 5
    else:
        assert tags(sandbox) == {"pr-2", "pr-new", "prod-1", "release"}
    assert tags(sandbox, "team/other") == {"1.0"}
