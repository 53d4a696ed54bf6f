"""`bulkrm apply`: what both the saved plan and a fresh judgement delete, and never more."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import (
    Auth,
    Sandbox,
    SandboxSettings,
    artifact,
    fallback_tag,
    index_of,
    oci_image,
    oci_index,
    put_image,
)
from tests.cli.command import Command, bulkrm, fill, sent, served, tags, terminal

APP = "team/app"


def plan(run: Command, sandbox: Sandbox, *options: str, images: str = "pr-*") -> None:
    """Write plan.json for these tags of the repository."""
    result = run("plan", f"{sandbox.host}/{APP}:{images}", "--out", "plan.json", *options)
    assert result.code in (0, 3), result


def edit(change: Callable[[dict[str, Any]], object]) -> None:
    """Change the plan by hand."""
    path = Path("plan.json")
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_nothing_changed(run: Command, sandbox: Sandbox) -> None:
    """The plan is carried out, and the report is that of a run."""
    fill(sandbox, "pr-1", "pr-2", "latest")
    plan(run, sandbox)

    result = run("apply", "plan.json", "-o", "json")

    assert result.code == 0
    assert result.statuses == {f"{APP}:pr-1": "deleted", f"{APP}:pr-2": "deleted"}
    assert [image["source"] for image in result.images] == ["argument 1"] * 2
    assert tags(sandbox) == {"latest"}


def test_a_dry_run(run: Command, sandbox: Sandbox) -> None:
    """-n shows what is left of the plan and deletes nothing."""
    fill(sandbox, "pr-1", "pr-2")
    plan(run, sandbox)
    sandbox.store.delete_tag(APP, "pr-2")

    result = run("apply", "plan.json", "-n", "-o", "json")

    assert result.statuses == {f"{APP}:pr-1": "would-delete", f"{APP}:pr-2": "absent"}
    assert sent(sandbox) == []


def moved(sandbox: Sandbox, digests: dict[str, str]) -> None:
    sandbox.store.tag(APP, "pr-1", digests["latest"])


def tagged(sandbox: Sandbox, digests: dict[str, str]) -> None:
    sandbox.store.tag(APP, "pr-99", digests["pr-1"])


def needed(sandbox: Sandbox, digests: dict[str, str]) -> None:
    put_image(sandbox.store, APP, ["multi"], index_of([oci_image(0, config_seed=0)]))
    assert digests["pr-1"] == oci_image(0, config_seed=0).digest


@pytest.mark.parametrize(("happens", "reason"), [(moved, "moved"), (tagged, "shared"), (needed, "needed")])
def test_what_changed_since(
    run: Command, sandbox: Sandbox, happens: Callable[[Sandbox, dict[str, str]], None], reason: str
) -> None:
    """A tag that moved, a new tag on the digest (that the list's glob chooses, too), a new index that needs it: kept."""
    digests = fill(sandbox, "pr-1", "pr-2", "latest")
    plan(run, sandbox)
    happens(sandbox, digests)

    result = run("apply", "plan.json", "-o", "json")

    assert {image["image"].rpartition(":")[2]: (image["status"], image["reason"]) for image in result.images} == {
        "pr-1": ("kept", reason),
        "pr-2": ("deleted", None),
    }
    assert result.code == 3
    assert sandbox.store.manifest(APP, digests["pr-1"]) is not None


def test_new_protection(run: Command, sandbox: Sandbox) -> None:
    """--protect holds beside the protection that the plan records."""
    fill(sandbox, "pr-1", "pr-2", "pr-3")
    plan(run, sandbox, "--protect", "*:pr-3")

    result = run("apply", "plan.json", "-o", "json", "--protect", "*:pr-2")

    assert result.statuses == {f"{APP}:pr-1": "deleted", f"{APP}:pr-2": "kept", f"{APP}:pr-3": "kept"}
    assert result.code == 0


def test_recorded_protection_of_what_came_since(run: Command, sandbox: Sandbox) -> None:
    """The protection of the plan holds for what it had not seen."""
    digests = fill(sandbox, "pr-1")
    plan(run, sandbox, "--protect", "*:keep", "--shared", "delete")
    sandbox.store.tag(APP, "keep", digests["pr-1"])

    result = run("apply", "plan.json", "-o", "json")

    assert [(image["status"], image["reason"]) for image in result.images] == [("kept", "protected")]


def test_an_item_taken_out_by_hand(run: Command, sandbox: Sandbox) -> None:
    """It is not deleted, nor what belongs to it."""
    index = oci_index(7)
    put_image(sandbox.store, APP, ["pr-multi"], index)
    digests = fill(sandbox, "pr-1")
    plan(run, sandbox, "-r")

    def take_out(document: dict[str, Any]) -> None:
        manifests = document["repositories"][0]["manifests"]
        manifests[:] = [entry for entry in manifests if entry["digest"] != index.digest]

    edit(take_out)
    result = run("apply", "plan.json", "-o", "json")

    assert result.code == 0
    assert {image["digest"]: image["status"] for image in result.images} == {
        digests["pr-1"]: "deleted",
        **{child.digest: "kept" for child in index.children},
    }
    assert sandbox.store.digests(APP) == {index.digest, *(child.digest for child in index.children)}


def test_an_image_taken_out_by_hand(run: Command, sandbox: Sandbox) -> None:
    """Where one of two tags of a digest is taken out, the digest is shared with it."""
    digests = fill(sandbox, "pr-1")
    sandbox.store.tag(APP, "pr-2", digests["pr-1"])
    plan(run, sandbox)

    def take_out(document: dict[str, Any]) -> None:
        (entry,) = document["repositories"][0]["manifests"]
        entry["images"].pop()

    edit(take_out)
    result = run("apply", "plan.json", "-o", "json")

    assert [(image["status"], image["reason"]) for image in result.images] == [("kept", "shared")]
    assert tags(sandbox) == {"pr-1", "pr-2"}


def test_untag_and_recursion(run: Command) -> None:
    """The options of the plan hold: tags are removed, children go with their index."""
    with served() as sandbox:
        env = ("-u", "admin", "--password-stdin")
        digests = fill(sandbox, "pr-1")
        sandbox.store.tag(APP, "stable", digests["pr-1"])
        put_image(sandbox.store, APP, ["pr-multi"], oci_index(7))
        options = ("--shared", "untag", "--allow-decoy", "-r", "--verify", "--out", "plan.json", *env)
        made = run("plan", f"{sandbox.host}/{APP}:pr-*", *options, stdin=b"admin")
        result = run("apply", "plan.json", "-o", "json", *env, stdin=b"admin")

        assert (made.code, result.code) == (0, 0)
        assert sorted(image["status"] for image in result.images) == ["deleted", "deleted", "deleted", "untagged"]
        assert result.report["verification"] == {"checked": 1, "differences": []}
        assert tags(sandbox) == {"stable"}
        assert sandbox.store.digests(APP) == {digests["pr-1"]}


def test_what_belongs_to_an_image_that_is_protected_now(run: Command) -> None:
    """It stays with it, also a tag that would have been taken off what another image needs."""
    one, two, sbom = (oci_image(seed) for seed in (1, 2, 9))
    names = [f"{fallback_tag(image)}.sbom" for image in (one, two)]
    with served(SandboxSettings(auth=Auth.NONE, tag_deletes=True)) as sandbox:
        put_image(sandbox.store, APP, ["a"], one)
        put_image(sandbox.store, APP, ["b"], two)
        put_image(sandbox.store, APP, names, sbom)
        plan(run, sandbox, "-r", "--shared", "untag", images="a")

        result = run("apply", "plan.json", "--protect", "app:a", "-o", "json")

        assert result.statuses == {f"{APP}:a": "kept"}
        assert tags(sandbox) == {"a", "b", *names}


async def test_items_that_wait_for_each_other(tmp_path: Path) -> None:
    """A file in which two attached manifests are each other's parents ends all the same, and they stay."""
    image = oci_image(1)
    attached = [artifact(seed, image) for seed in (2, 3)]
    env = {"BULKRM_STATE_DIR": str(tmp_path)}
    async with Sandbox(SandboxSettings(auth=Auth.NONE, referrers=True)) as sandbox:
        put_image(sandbox.store, APP, ["1"], image)
        for entry in attached:
            put_image(sandbox.store, APP, [], entry)
        await bulkrm("plan", "-r", f"{sandbox.host}/{APP}:1", "--out", "plan.json", env=env)
        other = {attached[0].digest: attached[1].digest, attached[1].digest: attached[0].digest}

        def entangle(document: dict[str, Any]) -> None:
            for entry in document["repositories"][0]["manifests"]:
                if entry["digest"] in other:
                    entry["parents"] = [other[entry["digest"]]]
                    entry["images"][0]["parent"] = f"{sandbox.host}/{APP}@{other[entry['digest']]}"

        edit(entangle)

        result = await bulkrm("apply", "plan.json", "-y", "-o", "json", env=env)

        assert sorted(result.statuses.values()) == ["deleted", "kept", "kept"]
        assert sandbox.store.digests(APP) == {entry.digest for entry in attached}


def test_the_limit(run: Command, sandbox: Sandbox) -> None:
    """--max-delete counts what is left of the plan; the one that the plan records holds without it."""
    fill(sandbox, "pr-1", "pr-2")
    plan(run, sandbox)

    result = run("apply", "plan.json", "-o", "json", "--max-delete", "1")

    assert {image["reason"] for image in result.images} == {"limit"}
    assert tags(sandbox) == {"pr-1", "pr-2"}
    plan(run, sandbox, "--max-delete", "2")
    assert run("apply", "plan.json", "-n").code == 0
    fill(sandbox, "pr-3", seed=9)
    assert run("apply", "plan.json").code == 0
    assert tags(sandbox) == {"pr-3"}


async def test_the_question() -> None:
    """On a terminal it asks, with the number of images, repositories and registries."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "pr-1", "pr-2")
        await bulkrm("plan", f"{sandbox.host}/{APP}:pr-*", "--out", "plan.json")
        async with terminal("apply", "plan.json") as shown:
            await shown.until("Delete 2 images (2 manifests) in 1 repository of 1 registry? [y/N]")
            shown.type("n\r")
            result = await shown.end()

        assert result.code == 1
        assert tags(sandbox) == {"pr-1", "pr-2"}


BROKEN: dict[str, Callable[[str], str]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "no plan": lambda _: "[]",
    "newer": lambda text: text.replace('"version": 1', '"version": 99'),
    "no digest": lambda text: text.replace("sha256:", "sha256;", 1),
    "a verdict of its own": lambda text: text.replace('"delete"', '"destroy"', 1),
    "another key": lambda text: text.replace('"options": {', '"options": {"force": true, ', 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_plan_is_refused_whole(run: Command, sandbox: Sandbox, name: str) -> None:
    """A file that was cut off or edited into something else is refused, by its place, and nothing is sent."""
    fill(sandbox, "pr-1", "pr-2")
    plan(run, sandbox)
    path = Path("plan.json")
    path.write_text(BROKEN[name](path.read_text()))
    before = len(sandbox.log)

    result = run("apply", "plan.json")

    assert result.code == 2
    assert "plan.json" in result.err
    assert "Traceback" not in result.err
    assert result.err.endswith("Nothing was attempted.\n")
    assert len(sandbox.log) == before


def test_no_file(run: Command) -> None:
    """A file that is not there is named; one file is needed."""
    missing = run("apply", "plan.json")

    assert missing.code == 2
    assert "plan.json: cannot be read: No such file or directory" in missing.err
    assert run("apply", "one.json", "two.json").code == 2


def test_a_password_in_the_place_of_a_file(run: Command) -> None:
    """Docker's habit `-p secret` does not show the secret."""
    for words in (["plan.json", "-p", "hunter2"], ["-p", "hunter2"]):
        result = run("apply", *words)

        assert result.code == 2
        assert "hunter2" not in result.out + result.err


def test_an_empty_plan(run: Command, sandbox: Sandbox) -> None:
    """A plan of nothing does nothing, with credentials too."""
    fill(sandbox, "a")
    plan(run, sandbox)

    result = run("apply", "plan.json", "-u", "admin", "--password-stdin", stdin=b"admin")

    assert result.code == 0
    assert tags(sandbox) == {"a"}
