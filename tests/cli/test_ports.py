"""One registry has one name, whatever port is written: in plans, patterns, credentials, the configuration and images in use."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from tests.cli.command import Command, fill, served, tags

HOST = "registry.example.com"


@pytest.fixture
def registry() -> Iterator[Sandbox]:
    """A registry that wants a password."""
    with served(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _behind_a_proxy(registry: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain HTTP leads to the sandbox, whatever the host; the password for the host is in Docker's configuration."""
    monkeypatch.setenv("HTTP_PROXY", registry.url)
    fill(registry, "a", "b", "keep", "run")
    folder = Path(os.environ["DOCKER_CONFIG"])
    folder.mkdir()
    login = base64.b64encode(b"admin:admin").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": login}}}))


def renamed(plan: str, host: str) -> str:
    """A plan file in which the registry has another name; the copy's name."""
    text = Path(plan).read_text()
    Path("other.json").write_text(text.replace(f"{HOST}/", f"{host}/"))
    return "other.json"


@pytest.mark.parametrize("host", [HOST, f"{HOST}:80"])
def test_apply_with_plain_http(run: Command, registry: Sandbox, host: str) -> None:
    """Protection, images in use and credentials are those of the registry, also where the plan names its port."""
    Path("used.txt").write_text(f"{HOST}/team/app:run\n")
    planned = run("plan", f"{HOST}/team/app:*", "--plain-http", "--out", "plan.json", "--in-use", "used.txt")
    protect = f"{HOST}:80/team/app:keep"

    applied = run("apply", renamed("plan.json", host), "--plain-http", "-y", "--protect", protect, "-o", "json")

    assert planned.code == 0
    assert applied.code == 0
    assert tags(registry) == {"keep", "run"}
    assert {entry["image"].partition("/")[0] for entry in applied.images} == {HOST}
    assert {entry["reason"] for entry in applied.images} == {None, "protected", "in-use"}


def test_a_plan_with_both_names(run: Command, registry: Sandbox) -> None:
    """Two registries that are one over plain HTTP make the plan unusable, and nothing is deleted."""
    run("plan", f"{HOST}/team/app:a", "--plain-http", "--out", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    other = json.loads(Path(renamed("plan.json", f"{HOST}:80")).read_text())
    plan["repositories"] += other["repositories"]
    Path("both.json").write_text(json.dumps(plan))
    registry.log.clear()

    applied = run("apply", "both.json", "--plain-http", "-y")

    assert applied.code == 2
    assert f"{HOST}/team/app is there twice" in applied.err
    assert registry.log == []


def test_tables_of_the_configuration(run: Command, registry: Sandbox) -> None:
    """With --plain-http the table of `host:80` is that of the host, and the one of `host:443` is another registry's."""
    Path(os.environ["DOCKER_CONFIG"], "config.json").unlink()
    Path("c.toml").write_text(
        f'[hosts."{HOST}:80"]\nusername = "admin"\npassword-env = "RIGHT"\n'
        f'[hosts."{HOST}:443"]\nusername = "other"\npassword-env = "WRONG"\n'
    )
    env = {"RIGHT": "admin", "WRONG": "no"}

    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        done = run(f"{HOST}/team/app:a", "--plain-http", "--config", "c.toml", "-o", "json")

    assert done.code == 0
    assert tags(registry) == {"b", "keep", "run"}


@pytest.mark.parametrize("word", ["resume", "undo"])
def test_a_run_that_was_made_otherwise(run: Command, registry: Sandbox, word: str) -> None:
    """A run whose registry has another name now says what to do; its protection could not be found by that name."""
    done = run(f"{HOST}/team/app:*", "--plain-http", "-y", "--fail-fast", "-o", "json")
    folder = Path(os.environ["BULKRM_STATE_DIR"], "runs", done.report["run"]["id"])
    for path in folder.rglob("*.json*"):
        if path.suffix != ".gz":
            text = path.read_text().replace(f"{HOST}/", f"{HOST}:80/")
            path.write_text(
                "\n".join(text.splitlines()[:2]) + "\n" if word == "resume" and "journal" in path.name else text
            )
    registry.log.clear()

    again = run(word, "--plain-http", "-y")

    assert again.code == 2
    assert f"its registry {HOST}:80 would be {HOST} here" in again.err
    assert "leave --plain-http out" in again.err
    assert registry.log == []
