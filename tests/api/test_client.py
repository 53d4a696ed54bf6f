"""The front door: plan, delete, apply, resume and undo as a program calls them."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm import (
    Client,
    Connection,
    DeletionPlan,
    InputError,
    Login,
    Plan,
    PlanMade,
    Policy,
    RequestAnswered,
    RunBegan,
    RunEnded,
    Secret,
    Settings,
    Shared,
    Status,
    Surroundings,
    UndoableRun,
    Warned,
    WarningKind,
    parse_images,
    parse_list,
    parse_reference,
    undoable_run,
)
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, put_image
from bulkrm.sandbox.images import oci_image
from bulkrm.state.known import known_runs
from tests.api.opening import ADMIN, APP, Journal, fill, listed, opened, tags, words
from tests.support.clock import FakeClock


async def test_plan_and_apply() -> None:
    """A plan deletes nothing; applying it deletes what it says, and what it protects stays."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b", "latest")
        async with opened(sandbox) as client:
            plan = await client.plan(listed(sandbox, "*", protect='["*:latest"]'))
            before = tags(sandbox)
            report = await client.apply(plan)

        assert before == ["a", "b", "latest"]
        assert words(plan.images) == [("a", "would-delete"), ("b", "would-delete"), ("latest", "kept protected")]
        assert words(report.images) == [("a", "deleted"), ("b", "deleted"), ("latest", "kept protected")]
        assert (report.summary[Status.DELETED], report.run.dry_run, plan.report.run.dry_run) == (2, False, True)
        assert tags(sandbox) == ["latest"]


async def test_events_in_order() -> None:
    """The run begins, phases follow, then the plan, then outcomes; its end comes last and has the report."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b", "c")
        journal = Journal()
        async with opened(sandbox, journal) as client:
            report = await client.delete(listed(sandbox, "a", "b"))

    assert journal.kinds == [
        "RunBegan",
        *["PhaseBegan"] * 3,
        "PlanMade",
        "PhaseBegan",
        "ImageSettled",
        "ImageSettled",
        "RunEnded",
    ]
    first, last = journal.events[0], journal.events[-1]
    assert isinstance(first, RunBegan)
    assert isinstance(last, RunEnded)
    assert first.run == report.run.id
    assert last.report is report
    assert journal.settled == list(report.images)
    assert sum(isinstance(event, RequestAnswered) for event in journal.events) == sum(
        (report.requests.registry, report.requests.token)
    )


async def test_the_plan_is_told_before_anything_goes() -> None:
    """Whoever hears of the plan finds the registry untouched, and the plan that the report has."""
    seen: list[tuple[Plan, list[str]]] = []

    def look(event: object) -> None:
        if isinstance(event, PlanMade):
            seen.append((event.plan, tags(sandbox)))

    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b")
        async with opened(sandbox, Journal(look)) as client:
            report = await client.delete(listed(sandbox, "a"))

    assert seen == [(report.plan, ["a", "b"])]


@pytest.mark.parametrize("answer", [True, False])
async def test_confirmation(*, answer: bool) -> None:
    """`confirm` gets the complete plan; where it says no nothing goes, and the report says so."""
    asked: list[int] = []

    async def confirm(plan: Plan) -> bool:
        asked.append(len(list(plan.deletions)))
        return answer

    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b")
        async with opened(sandbox) as client:
            report = await client.delete(listed(sandbox, "a"), confirm=confirm)

        assert asked == [1]
        assert words(report.images) == [("a", "deleted" if answer else "not-attempted declined")]
        assert tags(sandbox) == (["b"] if answer else ["a", "b"])


async def test_policy_of_a_dry_run() -> None:
    """A dry run shows what would go by the policy, and deletes nothing; nobody is asked."""

    async def never(plan: Plan) -> bool:
        raise AssertionError(plan)

    async with Sandbox() as sandbox:
        put_image(sandbox.store, APP, ["a", "other"], oci_image(1))
        async with opened(sandbox) as client:
            images = listed(sandbox, "a")
            refused = await client.delete(images, Policy(dry_run=True), confirm=never)
            deleted = await client.delete(images, Policy(Shared.DELETE, dry_run=True), confirm=never)

        assert words(refused.images) == [("a", "kept shared")]
        assert words(deleted.images) == [("a", "would-delete")]
        assert tags(sandbox) == ["a", "other"]


async def test_explanations() -> None:
    """What every rule says of an image is in the report of the plan."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "latest")
        async with opened(sandbox) as client:
            latest = parse_reference(f"{sandbox.host}/{APP}:latest")
            plan = await client.plan(listed(sandbox, "*", protect='["*:latest"]'), explain=[latest])

    assert any("*:latest" in line for line in plan.report.explained)


async def test_undo(tmp_path: Path) -> None:
    """What a recorded run deleted is put back: all of it, or the images that are named."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b")
        async with opened(sandbox, state_dir=tmp_path) as client:
            deleted = await client.delete(listed(sandbox, "a", "b"))
            gone = tags(sandbox)
            some = await client.undo(deleted.run.id, listed(sandbox, "a"))
            between = tags(sandbox)
            rest = await client.undo()

        assert (gone, between, tags(sandbox)) == ([], ["a"], ["a", "b"])
        assert words(some.images) == [("a", "restored")]
        assert words(rest.images) == [("a", "unchanged"), ("b", "restored")]


async def test_undo_is_confirmed(tmp_path: Path) -> None:
    """Who is asked before an undo sees what would be put back; a no puts nothing back, and so does a dry run."""
    asked: list[tuple[str, ...]] = []

    async def refuse(run: UndoableRun) -> bool:
        asked.append(run.images)
        return False

    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox, state_dir=tmp_path) as client:
            await client.delete(listed(sandbox, "a"))
            declined = await client.undo(confirm=refuse)
            dry = await client.undo(dry_run=True, confirm=refuse)

        assert asked == [(f"{sandbox.host}/{APP}:a",)]
        assert list(declined.images) == []
        assert words(dry.images) == [("a", "would-restore")]
        assert tags(sandbox) == []


async def test_an_open_run_is_held(tmp_path: Path) -> None:
    """A run that is open cannot be opened a second time."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox, state_dir=tmp_path) as client:
            await client.delete(listed(sandbox, "a"))
            with undoable_run(tmp_path) as run:
                with pytest.raises(InputError, match="another bulkrm works on the run"):
                    await client.undo(run.id)
                report = await client.undo(run)

    assert run.hosts == (sandbox.host,)
    assert words(report.images) == [("a", "restored")]


async def test_runs_at_the_same_time() -> None:
    """Two runs of one client go on side by side, each with its own events in its own report."""
    async with Sandbox() as one, Sandbox() as other:
        fill(one, "a")
        fill(other, "b", "c")
        async with Client(credentials={one.host: ADMIN, other.host: ADMIN}) as client, asyncio.TaskGroup() as tasks:
            first = tasks.create_task(client.delete(listed(one, "*")))
            second = tasks.create_task(client.delete(listed(other, "*")))

        assert words(first.result().images) == [("a", "deleted")]
        assert words(second.result().images) == [("b", "deleted"), ("c", "deleted")]
        assert (tags(one), tags(other), client.stopped_by) == ([], [], None)


# Records


async def test_without_a_state_dir_nothing_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder for records there is none, and neither undo nor resume can be asked for."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox) as client:
            await client.delete(listed(sandbox, "a"))
            for call in (client.undo, client.resume):
                with pytest.raises(InputError, match="no folder of recorded runs"):
                    await call()

    assert os.listdir(tmp_path) == []  # noqa: PTH208 (of a folder that is not to be touched)


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A record that cannot be kept is an error before anything is sent."""
    (tmp_path / "file").write_text("")
    journal = Journal()
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox, journal, tmp_path / "file") as client:
            with pytest.raises(InputError, match="cannot be made"):
                await client.delete(listed(sandbox, "a"))

        assert tags(sandbox) == ["a"]
        assert sandbox.log == []
    assert journal.events == []


async def test_a_dry_run_is_not_recorded(tmp_path: Path) -> None:
    """A plan leaves no record, an applied one does."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox, state_dir=tmp_path) as client:
            plan = await client.plan(listed(sandbox, "a"))
            before = known_runs(tmp_path)
            report = await client.apply(plan)

    assert before == []
    assert [run.id for run in known_runs(tmp_path)] == [report.run.id]


# Plans as text


async def test_a_plan_as_text() -> None:
    """A plan that was written and read is the same, shows the same, and can be applied."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b", "latest")
        async with opened(sandbox) as client:
            plan = await client.plan(listed(sandbox, "*", "none-*", protect='["*:latest"]'))
            read = DeletionPlan.from_json(plan.to_json())
            report = await client.apply(read)

    assert read.to_json() == plan.to_json()
    assert words(read.images) == words(plan.images)
    assert read.hosts == (sandbox.host,)
    assert [word for _, word in words(report.images)] == ["deleted", "deleted", "kept protected", "no-match"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda text: text.replace('"version": 1', '"version": 2'), "it has version 2"),
        (lambda text: text[: len(text) // 2], "it is not JSON"),
        (lambda _: "{}", "it is not a plan of bulkrm"),
    ],
)
async def test_a_plan_that_cannot_be_read(spoil: Callable[[str], str], why: str) -> None:
    """A plan of another version, a half one and something else are refused by their name."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox) as client:
            text = (await client.plan(listed(sandbox, "a"))).to_json()

    with pytest.raises(InputError) as refused:
        DeletionPlan.from_json(spoil(text), "cleanup.json")

    assert refused.value.problems[0].where.startswith("cleanup.json")
    assert why in refused.value.problems[0].what


async def test_apply_adds_to_a_plan() -> None:
    """What is protected or in use by now stays, and a limit may be given when the plan is applied."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b", "c")
        async with opened(sandbox) as client:
            plan = await client.plan(listed(sandbox, "a", "b", "c"))
            in_use = [f"{sandbox.host}/{APP}:b"]
            dry = await client.apply(plan, replace(plan.policy, dry_run=True), protect=["*:a"], in_use=in_use)
            report = await client.apply(plan, protect=["*:a"], in_use=in_use)

        expected = [("a", "kept protected"), ("b", "kept in-use")]
        assert words(dry.images) == [*expected, ("c", "would-delete")]
        assert words(report.images) == [*expected, ("c", "deleted")]
        assert tags(sandbox) == ["a", "b"]


async def test_what_moved_since_the_plan_stays() -> None:
    """A tag that leads elsewhere by now is kept."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b")
        async with opened(sandbox) as client:
            plan = await client.plan(listed(sandbox, "a", "b"))
            put_image(sandbox.store, APP, ["a"], oci_image(99))
            report = await client.apply(plan)

    assert words(report.images) == [("a", "kept moved"), ("b", "deleted")]


# What goes wrong


def test_a_bad_list() -> None:
    """All mistakes of a list are raised at once, each with its place."""
    with pytest.raises(InputError) as refused:
        parse_list("images:\n  - no-host\n  - reg.example/app\n", "images.yaml")

    assert [problem.where.rpartition(":")[0] for problem in refused.value.problems] == [
        "images.yaml:2",
        "images.yaml:3",
    ]


def test_bad_images() -> None:
    """All images that are none are raised at once, by their position; none at all is an error, too."""
    with pytest.raises(InputError) as refused:
        parse_images(["reg.example/app:1", "app", "reg.example/UPPER:1"])
    with pytest.raises(InputError, match="no image was named"):
        parse_images([])

    assert [problem.where for problem in refused.value.problems] == ["argument 2", "argument 3"]


async def test_a_host_that_is_not_there() -> None:
    """A registry that cannot be reached is an outcome of its images, no exception."""
    async with Sandbox() as sandbox:
        host = sandbox.host
    async with Client(settings=Settings(), clock=FakeClock(auto=True)) as client:
        report = await client.delete(parse_images([f"{host}/{APP}:a"]))

    assert words(report.images) == [("a", "failed unreachable")]
    assert report.exit_code() == 1


@pytest.mark.parametrize("login", [None, Login("admin", Secret("wrong"))])
async def test_a_wrong_password(login: Login | None) -> None:
    """Credentials that are refused, or missing, are an outcome of each image."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        fill(sandbox, "a", "b")
        async with Client(credentials={sandbox.host: login} if login else None) as client:
            report = await client.delete(listed(sandbox, "a", "b"))

        assert words(report.images) == [("a", "failed bad-credentials"), ("b", "failed bad-credentials")]
        assert tags(sandbox) == ["a", "b"]


async def test_a_policy_that_contradicts_the_list() -> None:
    """Protection together with not reading other tags is refused before anything is sent."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox) as client:
            with pytest.raises(InputError, match="delete-unseen does not read the tags that protection needs"):
                await client.delete(listed(sandbox, "a", protect='["*:latest"]'), Policy(Shared.DELETE_UNSEEN))

        assert sandbox.log == []


async def test_a_list_for_another_port() -> None:
    """Hosts without a port mean another registry with plain HTTP: such a list is refused, and not asked at the wrong one."""
    async with Client(settings=Settings(connection=Connection(plain_http=True))) as client:
        with pytest.raises(InputError, match="default_port=80"):
            await client.delete(parse_images(["reg.example/app:1"]))


async def test_files_of_settings_are_read_at_once(tmp_path: Path) -> None:
    """A CA file that is not there is an error when the client is opened."""
    with pytest.raises(InputError, match=r"none\.pem"):
        async with Client(settings=Settings(connection=Connection(ca_file=tmp_path / "none.pem"))):
            pass


# Credentials, warnings


async def test_sources_of_credentials_are_a_value() -> None:
    """The surroundings that are given are looked at, whatever the environment of the process is."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        config = f'{{"auths": {{"{sandbox.host}": {{"auth": "YWRtaW46YWRtaW4="}}}}}}'  # admin:admin
        surroundings = Surroundings({"DOCKER_AUTH_CONFIG": config, "HOME": "/nonexistent"})
        async with Client(credentials=surroundings) as client:
            report = await client.delete(listed(sandbox, "a"))

    assert words(report.images) == [("a", "deleted")]


async def test_warnings_have_a_kind() -> None:
    """What is odd about a list is told while it is planned, with a kind that a program can tell apart."""
    journal = Journal()
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox, journal) as client:
            await client.plan(listed(sandbox, "a", protect='["*:none"]'))

    warnings = [event for event in journal.events if isinstance(event, Warned)]
    assert [warning.kind for warning in warnings] == [WarningKind.UNUSED_PATTERN]
    assert "*:none" in warnings[0].text


@pytest.mark.parametrize(("password", "works"), [("admin", True), ("wrong", False)])
async def test_credentials_are_tried(password: str, *, works: bool) -> None:
    """Whether a registry takes the credentials can be asked without changing anything."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        fill(sandbox, "a")
        async with Client(credentials={sandbox.host: replace(ADMIN, password=Secret(password))}) as client:
            check = await client.check_login(sandbox.host)

    assert check.works is works
