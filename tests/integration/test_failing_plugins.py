"""A plugin that goes wrong in the middle of a run: an error that names it, and nothing goes that it had to judge."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, built_image, put_image
from tests.cli.command import Result, fill, tags
from tests.integration.test_extensions import Extend, plugged
from tests.support.extensions import printed

__all__ = ["plugged"]
OPEN = SandboxSettings(auth=Auth.NONE)
PLUGIN = "plugin example-plugin 1.5, entry point example of bulkrm."


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A registry that asks for nothing, with images that differ in a label."""
    async with Sandbox(OPEN) as sandbox:
        for number, tag in enumerate(("a", "b", "c", "d")):
            created = {"created": f"2020-01-0{number + 1}T00:00:00Z", "config": {"Labels": {"tag": tag}}}
            put_image(sandbox.store, "team/app", [tag], built_image(created))
        put_image(sandbox.store, "team/other", ["1.0"], built_image({"created": "2020-01-01T00:00:00Z"}))
        yield sandbox


def selector(condition: str) -> str:
    """A selector whose condition fails for the image labelled `b`."""
    return f'''"""A selector that fails."""
from bulkrm.selection.selector import (
    ChooseImages, ConditionStage, ExcludeTags, Fact, KeepVerdict, Key, Narrow, Rank, Selector,
)


class Filter:
    text = "x"

    def __init__(self, matches):
        self.matches = matches


def fails(value, otherwise=None):
    tag = value if isinstance(value, str) else value.configs[0].labels["tag"]
    if tag != "b":
        return otherwise
    BAD


LABELS = frozenset({{Fact.LABELS}})
SELECTOR = Selector(
    ConditionStage.NARROW, (Key("failing", {{}}, str),), lambda values: {condition} if "failing" in values else None
)
'''


NARROW = 'Narrow("failing", LABELS, lambda details, now: fails(details))'
CHOOSE = 'ChooseImages("failing", LABELS, lambda details: fails(details, True))'
EXCLUDE = "ExcludeTags(Filter(lambda tag: fails(tag, False)))"
GROUP = 'Rank("failing", frozenset(), lambda tag: fails(tag, ()), lambda images, now: {})'
RANK = (
    'Rank("failing", LABELS, lambda tag: (), '
    "lambda images, now: fails(next((one.details for one in images if 'b' in one.tags), 'a'), {}))"
)
BAD = {
    'raise ValueError("boom")': "ValueError: boom",
    'raise SystemExit("boom")': "SystemExit: boom",
    "return 7": "it returned int where",
    "return fails(value)": "RecursionError: ",
}
# The condition, and the tags that stay: those that it had to judge.
CASES = {
    "narrow": (NARROW, {"b"}),
    "choose": (CHOOSE, {"b"}),
    "exclude": (EXCLUDE, {"a", "b", "c"}),
    "group": (GROUP, {"a", "b", "c", "d"}),
    "rank": (RANK, {"a", "b", "c"}),
}


def spoken_of(result: Result) -> list[dict[str, Any]]:
    """The images whose reason or error names the plugin, each of which also says what to do."""
    found = []
    for image in result.images:
        text = " ".join([*image["because"], (image["error"] or {}).get("message", "")])
        if PLUGIN in text:
            assert "pip uninstall example-plugin" in image["hint"]
            found.append(image)
    return found


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("case", CASES)
async def test_a_selector_that_fails(sandbox: Sandbox, plugged: Extend, tmp_path: Path, case: str, bad: str) -> None:
    """What it had to judge stays, with the plugin and the remedy in the report; what others name goes."""
    condition, kept = CASES[case]
    run = plugged("bulkrm.selectors", selector(condition).replace("BAD", bad))
    listed = tmp_path / "images.yaml"
    listed.write_text(
        f"- {{image: '{sandbox.host}/team/app:[a-c]', failing: x}}\n"
        f"- {sandbox.host}/team/app:d\n"
        f"- {sandbox.host}/team/other:1.0\n"
    )

    result = await run("-f", str(listed), "-y", "-o", "json")

    assert "Traceback" not in result.err
    assert result.code in (1, 3)
    assert tags(sandbox) == kept
    assert tags(sandbox, "team/other") == set()
    named = spoken_of(result)
    assert {image["status"] for image in named} <= {"kept", "failed"}
    assert named
    assert all(BAD[bad] in " ".join([*image["because"], str(image["error"])]) for image in named)
    assert {image["reason"] for image in result.images} <= {None, "unreadable"}


async def test_an_undecided_image_is_not_ranked(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """Where a plugin cannot tell whether an image is in a group, none of the group goes: it could be the newest."""
    run = plugged("bulkrm.selectors", selector(CHOOSE).replace("BAD", 'raise ValueError("boom")'))
    listed = tmp_path / "images.yaml"
    listed.write_text(f"- {{image: '{sandbox.host}/team/app:[ab]', failing: x, keep-newest: 1}}\n")

    result = await run("-f", str(listed), "-y", "-o", "json")

    assert result.code == 3
    assert tags(sandbox) == {"a", "b", "c", "d"}
    assert {image["reason"] for image in result.images} == {"unreadable"}


async def test_a_selector_that_changes_its_mind(sandbox: Sandbox, plugged: Extend, tmp_path: Path) -> None:
    """An image that a plugin chose while the list was expanded, and not at the judgement, stays."""
    source = selector('ChooseImages("failing", LABELS, lambda details: SEEN.append(1) or len(SEEN) == 1)')
    run = plugged("bulkrm.selectors", source.replace("BAD", "pass").replace("LABELS = ", "SEEN = []\nLABELS = "))
    listed = tmp_path / "images.yaml"
    listed.write_text(f"- {{image: '{sandbox.host}/team/app:a', failing: x}}\n")

    result = await run("-f", str(listed), "-y", "-o", "json")

    assert [(image["status"], image["reason"]) for image in result.images] == [("kept", "unreadable")]
    assert tags(sandbox) == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('frozenset({"labels"})', "it made a condition that cannot be used: Narrow.needs is frozenset"),
        ("[]", "it made a condition that cannot be used: Narrow.needs is list"),
    ],
)
async def test_a_condition_of_wrong_fields(
    sandbox: Sandbox, plugged: Extend, tmp_path: Path, change: str, message: str
) -> None:
    """It is bad usage, and nothing is sent."""
    run = plugged("bulkrm.selectors", selector(NARROW).replace("LABELS, ", f"{change}, "))
    listed = tmp_path / "images.yaml"
    listed.write_text(f"- {{image: '{sandbox.host}/team/app:a', failing: x}}\n")

    result = await run("-f", str(listed), "-y")

    assert result.code == 2
    assert f"{PLUGIN}selectors: {message}" in result.err
    assert sandbox.log == []


async def test_a_schema_that_is_no_json(plugged: Extend) -> None:
    """A key whose schema cannot be printed makes the plugin unusable, and `bulkrm schema` says so."""
    run = plugged("bulkrm.selectors", selector(NARROW).replace('Key("failing", {}', 'Key("failing", {"enum": {1}}'))

    result = await run("schema")

    assert result.code == 2
    assert f"{PLUGIN}selectors: the schema of failing is no JSON" in result.err


@pytest.mark.parametrize(("bad", "message"), BAD.items())
async def test_a_family_that_fails(plugged: Extend, bad: str, message: str) -> None:
    """Where a family cannot tell whether a host is its own, nothing is deleted there: the order of requests is not known."""
    source = printed("A new family of a registry")[0].replace(
        "FAMILY = ", f"def fails(value):\n    {bad}\n\n\nFAMILY = "
    )
    run = plugged("bulkrm.families", source.replace("_HINT),)))", "_HINT),)), detect=fails)"))
    async with Sandbox(
        SandboxSettings(service="harbor-registry")
    ) as sandbox:  # not distribution's, which is asked first
        fill(sandbox, "1.0", "2.0")
        env = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}

        result = await run(f"{sandbox.host}/team/app:1.0", f"{sandbox.host}/team/app:2.0", "-y", "-o", "json", env=env)

        assert result.code == 1
        assert {image["error"]["code"] for image in result.images} == {"plugin-error"}
        assert len(spoken_of(result)) == 2
        assert message in str(result.images)
        assert tags(sandbox) == {"1.0", "2.0"}


@pytest.mark.parametrize("format_of", ["-o", "--report"])
@pytest.mark.parametrize("part", ["line", "whole"])
async def test_a_report_that_fails(
    sandbox: Sandbox, plugged: Extend, tmp_path: Path, part: str, format_of: str
) -> None:
    """The run ends as without it, the other reports are complete, and the exit code tells of the one that is not."""
    bad = "lambda *_: 1 / 0"
    functions = f"{bad}, whole" if part == "line" else f"no_line, {bad}"
    run = plugged("bulkrm.formats", printed("A new report format")[0].replace("no_line, whole", functions))
    other = tmp_path / "failed"
    written = ["-o", "failed"] if format_of == "-o" else ["-o", "json", "--report", f"failed={other}"]

    result = await run(f"{sandbox.host}/team/app:a", "-y", "--report", f"json={tmp_path / 'all.json'}", *written)

    assert result.code == 1
    assert "Traceback" not in result.err
    assert "the report is not complete: " in result.err
    assert f"{PLUGIN}formats: ZeroDivisionError: division by zero; repair the plugin" in result.err
    assert '"deleted": 1' in (tmp_path / "all.json").read_text()
    assert tags(sandbox) == {"b", "c", "d"}


BACKEND = '''"""A backend that fails."""
import anyio
from bulkrm.protocol.message import delete_manifest
from bulkrm.remote.backends.backend import Backend
from bulkrm.remote.registry import Registry


class Failing(Registry):
    METHOD


BACKEND = Backend("example", SERVES, OPEN)
'''


def backend(method: str = "pass", serves: str = "lambda host: True", opens: str = "Failing") -> str:
    """A backend with a method of its own."""
    return BACKEND.replace("METHOD", method).replace("SERVES", serves).replace("OPEN", opens)


@pytest.mark.parametrize("serves", ["lambda host: 1 / 0", "lambda host: None"])
async def test_a_backend_that_cannot_tell_its_hosts(sandbox: Sandbox, plugged: Extend, serves: str) -> None:
    """It is bad usage, and nothing is sent: another backend could be wrong for the host."""
    result = await plugged("bulkrm.backends", backend(serves=serves))(f"{sandbox.host}/team/app:a", "-y")

    assert result.code == 2
    assert f"{PLUGIN}backends: " in result.err
    assert "pip uninstall example-plugin" in result.err
    assert sandbox.log == []


METHODS = {
    "open": backend(opens="lambda host: 1 / 0"),
    "open another": backend(opens="lambda host: 7"),
    "manifest": backend("async def manifest(self, repository, reference):\n        return 7"),
    "inventory": backend("async def inventory(self, repository):\n        raise KeyError(repository)"),
    "not async": backend("def inventory(self, repository):\n        return None, None"),
    "tags": backend("async def tags(self, repository):\n        return [7]"),
    "delete": backend("async def delete(self, repository, digest, sending):\n        raise SystemExit(0)"),
    "no sending": backend(
        "async def delete(self, repository, digest, sending):\n"
        "        await self.ask(delete_manifest(repository, digest))"
    ),
}


@pytest.mark.parametrize("case", METHODS)
async def test_a_backend_that_fails(sandbox: Sandbox, plugged: Extend, case: str) -> None:
    """Nothing that it had to read or delete is deleted, and each image says which plugin failed."""
    run = plugged("bulkrm.backends", METHODS[case])

    result = await run(f"{sandbox.host}/team/app:a", f"{sandbox.host}/team/app:b", "-y", "-o", "json")

    assert result.code in (1, 3)
    assert "Traceback" not in result.err
    assert tags(sandbox) == {"a", "b", "c", "d"}
    assert {image["status"] for image in result.images} <= {"failed", "kept"}
    assert all(f"{PLUGIN}backends: " in str(image) for image in result.images)


async def test_a_backend_that_fails_after_its_deletion(sandbox: Sandbox, plugged: Extend) -> None:
    """What was sent may have taken effect, so the image is not said to be there, nor to be gone."""
    method = (
        "async def delete(self, repository, digest, sending):\n"
        "        await self.ask(delete_manifest(repository, digest), sending)\n"
        "        return 7"
    )
    run = plugged("bulkrm.backends", backend(method))

    result = await run(f"{sandbox.host}/team/app:a", "-y", "-o", "json")

    assert result.code == 1
    assert [image["error"]["code"] for image in result.images] == ["unconfirmed"]
    assert f"{PLUGIN}backends: it returned int where Removal is expected" in str(result.images)
    assert tags(sandbox) == {"b", "c", "d"}


SOURCE = '''"""A source of credentials that fails."""
from bulkrm.remote.credentials.source import CredentialSource


def fails(*arguments):
    raise ValueError("the password is hunter2")


SOURCE = CredentialSource("the example's agent", 90, FIELDS)
'''


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("read=fails", 2),
        ("read=lambda around: [7]", 2),
        ("login=fails, files=fails", 2),
        ("login=fails, files=lambda around: 'x'", 2),
        ("login=fails, is_alone=fails", 2),
        ("login=fails", 1),
        ("login=lambda host, repository: 7", 1),
    ],
)
async def test_a_source_of_credentials_that_fails(plugged: Extend, fields: str, code: int) -> None:
    """No request goes out as somebody else, and the text of the exception, which may hold a password, is not shown."""
    run = plugged("bulkrm.credential_sources", SOURCE.replace("FIELDS", fields))
    async with Sandbox() as sandbox:
        fill(sandbox, "1.0")

        result = await run(f"{sandbox.host}/team/app:1.0", "-y", "-o", "json")

        assert result.code == code
        assert f"{PLUGIN}credential_sources: " in result.err + result.out
        assert "hunter2" not in result.err + result.out
        assert "Traceback" not in result.err
        assert tags(sandbox) == {"1.0"}
        assert sandbox.tokens.log == []
