"""Conditions on the command line: lists that carry them, plans that keep them, and what is said of it all."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bulkrm.sandbox import Reply, Sandbox, SandboxSettings, built_image, index_of, put_image
from tests.cli.command import Command, Result, bulkrm, killed, served, tags

LOGIN = ("-u", "admin", "--plain-http")
APP = "team/app"


def days_ago(days: float) -> str:
    """A moment as configurations have it."""
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def put(sandbox: Sandbox, tag: str, days: float | None, *, labels: Mapping[str, str] | None = None) -> str:
    """Put an image of that age under a tag; return its digest."""
    created = {"created": days_ago(days)} if days is not None else {}
    config = {"os": "linux", "architecture": "amd64", **created, "config": {"Labels": dict(labels or {})}}
    return put_image(sandbox.store, APP, [tag], built_image(config, {"tag": tag}))


def config_of(sandbox: Sandbox, tag: str) -> str:
    """The digest of the configuration of an image that `put` has put."""
    kept = (sandbox.store.manifest(APP, digest) for digest in sandbox.store.digests(APP))
    bodies = [json.loads(manifest.content) for manifest in kept if manifest is not None]
    return next(str(body["config"]["digest"]) for body in bodies if body.get("annotations") == {"tag": tag})


def write(folder: Path, sandbox: Sandbox, text: str, name: str = "list.yaml") -> str:
    """Write a list; return its path."""
    path = folder / name
    path.write_text(f"registry: {sandbox.host}\n{text}")
    return str(path)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox with images of 1, 10, ... 60 days."""
    monkeypatch.setenv("REGISTRY_PASSWORD", "admin")
    with served() as sandbox:
        for days in (1, 10, 20, 30.5, 40, 50, 60):
            put(sandbox, f"t-{days:g}", days)
        yield sandbox


def outcomes(result: Result) -> dict[str, str]:
    """What became of each tag: its reason, or its status."""
    return {image["image"].rpartition(":")[2]: image["reason"] or image["status"] for image in result.images}


def test_ages_and_the_newest(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """What is older goes, but for the newest; the rest is counted in the text, and told one by one in JSON."""
    path = write(tmp_path, aged, f"images:\n- image: {APP}:*\n  older-than: 30d\n  keep-newest: 4\n")
    text = run(*LOGIN, "-n", "-f", path)
    result = run(*LOGIN, "-y", "-f", path, "-o", "json")

    assert text.code == result.code == 0
    assert "4 kept: newest\n" in text.out
    assert "For the conditions of the list 7 configurations were read (7 requests)." in text.out
    assert outcomes(result) == {
        "t-1": "newest", "t-10": "newest", "t-20": "newest", "t-30.5": "newest",
        "t-40": "deleted", "t-50": "deleted", "t-60": "deleted",
    }  # fmt: skip
    assert tags(aged) == {"t-1", "t-10", "t-20", "t-30.5"}


def test_a_configuration_is_read_once(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """Images that share a configuration cost one request for it; where no rule needs one none is read."""
    config = {"created": days_ago(40)}
    for number in range(5):
        put_image(aged.store, "other/app", [f"x{number}"], built_image(config, {"n": str(number)}))
    run(
        *LOGIN,
        "-n",
        "-f",
        write(tmp_path, aged, "images:\n- image: other/app:*\n  older-than: 30d\n  keep-newest: 1\n"),
    )
    assert sum("/blobs/" in line.path for line in aged.log) == 1

    aged.log.clear()
    run(*LOGIN, "-n", "-f", write(tmp_path, aged, "images:\n- image: other/app:*\n  keep-newest: 1\n  sort: semver\n"))
    assert sum("/blobs/" in line.path for line in aged.log) == 0


def test_a_configuration_that_cannot_be_read(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """It keeps its image, as unreadable, and nothing else; a 404 is no configuration, and so no date."""
    digest = config_of(aged, "t-60")
    path = write(tmp_path, aged, f"images:\n- image: {APP}:*\n  older-than: 30d\n")
    aged.faults.add(Reply(500), path=digest, times=None)
    found = run(*LOGIN, "-n", "-f", path, "-o", "json")
    assert (found.code, outcomes(found)["t-60"], outcomes(found)["t-50"]) == (3, "unreadable", "would-delete")

    aged.faults.clear()
    aged.faults.add(
        Reply(404, {"Docker-Distribution-Api-Version": "registry/2.0"}, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}'),
        path=digest,
        times=None,
    )
    found = run(*LOGIN, "-n", "-f", path, "-o", "json")
    assert (found.code, outcomes(found)["t-60"]) == (0, "no-date")


def test_labels_choose(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """What is not chosen is not in the report; an entry that chooses nothing says so."""
    put(aged, "dev", 3, labels={"stage": "dev-7"})
    chosen = run(
        *LOGIN,
        "-n",
        "-o",
        "json",
        "-f",
        write(tmp_path, aged, f"images:\n- image: {APP}:*\n  labels: {{stage: dev*}}\n"),
    )
    nothing = run(
        *LOGIN, "-n", "-o", "json", "-f", write(tmp_path, aged, f"images:\n- image: {APP}:*\n  labels: {{stage: x}}\n")
    )

    assert outcomes(chosen) == {"dev": "would-delete"}
    assert [(image["image"], image["status"]) for image in nothing.images] == [(f"{aged.host}/{APP}:*", "no-match")]
    assert "chose nothing" in nothing.err


def test_an_index_by_its_images(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """The newest of its images is the age of an index, and all of them must have the labels."""
    old, young = (built_image({"created": days_ago(age), "config": {"Labels": {"a": "b"}}}) for age in (90, 2))
    put_image(aged.store, "multi/app", ["old"], index_of([old]))
    put_image(aged.store, "multi/app", ["mixed"], index_of([old, young]))
    path = write(tmp_path, aged, "images:\n- image: multi/app:*\n  older-than: 30d\n  labels: {a: b}\n")

    assert outcomes(run(*LOGIN, "-n", "-o", "json", "-f", path)) == {"old": "would-delete", "mixed": "too-young"}


def test_a_plan_keeps_its_conditions(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """Two plans are equal byte for byte; apply needs neither list nor file of what is in use, and adds to them."""
    (tmp_path / "used.txt").write_text(f"{aged.host}/{APP}:t-50\n")
    path = write(
        tmp_path,
        aged,
        f"in-use: [used.txt]\nmin-keep: 2\nimages:\n- image: {APP}:*\n  older-than: 15d\n  keep-newest: 1\n",
    )
    plans = [tmp_path / "one.json", tmp_path / "two.json"]
    for plan in plans:
        assert run(*("plan", *LOGIN), "-f", path, "--out", str(plan)).code == 0
    assert plans[0].read_bytes() == plans[1].read_bytes()
    for name in ("used.txt", "list.yaml"):
        (tmp_path / name).unlink()
    (tmp_path / "more.txt").write_text(f"{aged.host}/{APP}:t-40\n")

    applied = run("apply", *LOGIN, "-y", "-o", "json", "--in-use", str(tmp_path / "more.txt"), str(plans[0]))

    assert applied.code == 0
    assert outcomes(applied)["t-50"] == outcomes(applied)["t-40"] == "in-use"
    assert tags(aged) == {"t-1", "t-10", "t-40", "t-50"}


def test_apply_ranks_anew(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """What went meanwhile leaves its place to the next: apply keeps it, although the plan deletes it."""
    path = write(tmp_path, aged, f"images:\n- image: {APP}:*\n  keep-newest: 3\n")
    run("plan", *LOGIN, "-f", path, "--out", str(tmp_path / "p.json"))
    for tag in ("t-1", "t-10"):
        run(*LOGIN, "-y", f"{aged.host}/{APP}:{tag}")

    applied = run("apply", *LOGIN, "-y", "-o", "json", str(tmp_path / "p.json"))

    assert {tag for tag, fate in outcomes(applied).items() if fate == "deleted"} == {"t-50", "t-60"}
    assert tags(aged) == {"t-20", "t-30.5", "t-40"}


def test_apply_holds_a_group_with_something_new_that_cannot_be_read(
    run: Command, aged: Sandbox, tmp_path: Path
) -> None:
    """A tag that was pushed since, of unknown age, may be anything: its group stays."""
    path = write(tmp_path, aged, f"images:\n- image: {APP}:*\n  keep-newest: 3\n")
    run("plan", *LOGIN, "-f", path, "--out", str(tmp_path / "p.json"))
    put(aged, "new", 0)
    digest = config_of(aged, "new")
    aged.faults.add(Reply(500), path=digest, times=None)

    applied = run("apply", *LOGIN, "-y", "-o", "json", str(tmp_path / "p.json"))

    assert applied.code == 3
    assert "new" in tags(aged)
    assert len(tags(aged)) == 8


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("older-than: 1d\n  by: pushed", "by: pushed: the registry protocol does not tell"),
        ("match: a\n  older-than: 1d\n  untagged: true", "match and untagged in one entry"),
        ("older-than: 1d\n  untagged: true", "untagged: manifests without a tag cannot be listed"),
    ],
)
def test_what_no_backend_can_tell(run: Command, aged: Sandbox, tmp_path: Path, entry: str, what: str) -> None:
    """It is exit 2 with the line, and nothing is sent."""
    image = APP if "untagged" in entry else f"{APP}:*"
    result = run(*LOGIN, "-y", "-f", write(tmp_path, aged, f"images:\n- image: {image}\n  {entry}\n"))

    assert result.code == 2
    assert what in result.err
    assert "list.yaml:3" in result.err
    assert not aged.log


@pytest.mark.parametrize("top", ["min-keep: 1\n", "in-use: [u.txt]\n", ""])
def test_delete_unseen(run: Command, aged: Sandbox, tmp_path: Path, top: str) -> None:
    """What rests on the other tags of a repository is refused where those are not read."""
    (tmp_path / "u.txt").write_text("nginx\n")
    keys = "" if top else "  keep-newest: 1\n"
    path = write(tmp_path, aged, f"{top}images:\n- image: {APP}:*\n  older-than: 1d\n{keys}")
    result = run(*LOGIN, "-y", "--shared", "delete-unseen", "-f", path)

    assert result.code == 2
    assert "delete-unseen does not read the tags" in result.err


def test_mistakes_of_files_in_use(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """All of them are shown at once, with the place in the list or the option, and nothing is attempted."""
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "odd.json").write_text('{"a": 1}')
    path = write(tmp_path, aged, f"in-use: [missing.json, empty.json]\nimages: ['{APP}:*']\n")
    result = run(*LOGIN, "-y", "-f", path, "--in-use", str(tmp_path / "odd.json"))

    assert result.code == 2
    assert "list.yaml:2:10: 'missing.json' cannot be read" in result.err
    assert "list.yaml:2:24: empty.json" in result.err
    assert "--in-use" in result.err
    assert not aged.log


def test_warnings(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """Whatever in a list does nothing is said with its line."""
    (tmp_path / "u.txt").write_text(f"other.example.com/{APP}:1\n")
    text = (
        f"in-use: [u.txt]\nimages:\n- image: {APP}:t-*\n  exclude: [zzz*]\n- image: {APP}:t-4*\n  older-than: 1d\n"
        f"- image: {APP}:*\n  keep-newest: 9\n  group-by: '(t)-1.*'\n- nosuch/app:x*\n- {APP}:t-1\n"
    )
    result = run(*LOGIN, "-n", "-f", write(tmp_path, aged, text))

    for warning in (
        "list.yaml:4: the exclusion zzz* excludes nothing",
        f"list.yaml:6: {aged.host}/{APP}:t-4* is wholly covered by {aged.host}/{APP}:t-*",
        "list.yaml:8: 5 tags fit no group, and so are not chosen",
        f"list.yaml:11: the pattern {aged.host}/nosuch/app:x* chose nothing",
        f"list.yaml:12: {aged.host}/{APP}:t-1 is wholly covered by {aged.host}/{APP}:t-*",
        "nothing of what is in use is on a registry of this run",
    ):
        assert warning in result.err.replace(str(tmp_path) + "/", ""), warning


def test_an_exclusion_of_tags_that_are_not_known(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """Where the pattern chose nothing, or the tags could not be listed, nothing is said of what it excludes."""
    text = f"images:\n- image: {APP}:nosuch-*\n  exclude: [zzz*]\n"
    path = write(tmp_path, aged, text)
    results = run(*LOGIN, "-n", "-f", path), run("-u", "nobody", "--plain-http", "-n", "-f", path)

    assert [result.code for result in results] == [0, 1]
    assert "nosuch-* chose nothing" in results[0].err
    assert all("excludes nothing" not in result.err for result in results)


def test_a_tag_in_use_that_is_not_there(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """Nobody knows what it led to, so that is said."""
    (tmp_path / "u.txt").write_text(f"{aged.host}/{APP}:gone\n")
    result = run(*LOGIN, "-n", "--in-use", str(tmp_path / "u.txt"), f"{aged.host}/{APP}:t-1")

    assert result.code == 0
    assert f"{aged.host}/{APP}:gone is in use, and cannot be read" in result.err


def test_an_image_id_holds_its_image(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """docker knows an image by the digest of its configuration; of an index by that of one of its images."""
    one, two = (built_image({"created": days_ago(age)}) for age in (90, 91))
    put_image(aged.store, APP, ["multi"], index_of([one, two]))
    ids = [json.loads(image.content)["config"]["digest"] for image in (two,)]
    ids.append(config_of(aged, "t-60"))
    (tmp_path / "u.txt").write_text("\n".join(ids))
    result = run(*LOGIN, "-n", "-o", "json", "--in-use", str(tmp_path / "u.txt"), f"{aged.host}/{APP}:*")

    assert {tag for tag, fate in outcomes(result).items() if fate == "in-use"} == {"multi", "t-60"}


@pytest.mark.parametrize("command", [("plan",), ("-n",)])
def test_explain(run: Command, aged: Sandbox, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Every rule that speaks about an image is told, in order, and what becomes of it."""
    text = f"protect: ['*:t-1']\nimages:\n- image: {APP}:t-*\n  older-than: 30d\n  keep-newest: 1\n"
    name = f"{aged.host}/{APP}"
    path = os.path.relpath(write(tmp_path, aged, text))  # short, so that no line breaks for it
    found = run(*command, *LOGIN, "-f", path, *(f"--explain={name}:{tag}" for tag in ("t-1", "t-60", "none")))
    lines = found.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:t-1: sha256:"))

    assert [line.partition(": ")[0].strip() for line in lines[at + 1 : at + 6]] == [
        f"chosen by {path}:4", "protected keeps it", "newest keeps it", "too-young keeps it", "so it is kept",
    ]  # fmt: skip
    assert "  so it is deleted: no rule keeps it" in lines
    assert f"{name}:none: no entry of the list chooses it, and no repository that was read has it" in lines


def test_explain_needs_a_dry_run(run: Command, aged: Sandbox) -> None:
    """A run that deletes explains nothing."""
    result = run(*LOGIN, "-y", f"{aged.host}/{APP}:t-1", "--explain", f"{aged.host}/{APP}:t-1")

    assert (result.code, "add -n" in result.err) == (2, True)


def test_a_plain_list(run: Command, aged: Sandbox, tmp_path: Path) -> None:
    """A text with a reference a line is a list."""
    (tmp_path / "list.txt").write_text(f"# what goes\r\n{aged.host}/{APP}:t-1 # young\r\n")
    result = run(*LOGIN, "-y", "-o", "json", "-f", str(tmp_path / "list.txt"))

    assert outcomes(result) == {"t-1": "deleted"}


async def test_resume_holds_conditions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run that was killed before its plan was complete plans again, with the conditions and what is in use."""
    monkeypatch.setenv("REGISTRY_PASSWORD", "admin")
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "REGISTRY_PASSWORD": "admin"}
    async with Sandbox(SandboxSettings()) as sandbox:
        for days in (1, 10, 20, 30.5, 40):
            put(sandbox, f"t-{days:g}", days)
        (tmp_path / "u.txt").write_text(f"{sandbox.host}/{APP}:t-30.5\n")
        path = write(
            tmp_path, sandbox, f"in-use: [u.txt]\nimages:\n- image: {APP}\n  match: 't-.*'\n  keep-newest: 2\n"
        )
        await killed(sandbox, *LOGIN, "-y", "-f", path, method="GET", path="/blobs/", env=env)
        (tmp_path / "u.txt").unlink()
        sandbox.faults.clear()

        result = await bulkrm("resume", *LOGIN, "-y", "-o", "json", env=env)

        assert outcomes(result) == {
            "t-1": "newest", "t-10": "newest", "t-20": "deleted", "t-30.5": "in-use", "t-40": "deleted",
        }  # fmt: skip
