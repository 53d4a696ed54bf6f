"""What happens between plan and deletion: plans that grow old, bugs, failures of one image."""

import io
from collections.abc import Callable

import pytest

from bulkrm.cli.client_run import ClientRun
from bulkrm.cli.options.declared import ConfirmationOptions, OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.terminal.writers import Writer
from bulkrm.model.events import Event, ImageSettled, Phase, PhaseBegan
from bulkrm.model.plan import Plan
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.settings import Policy, Settings, Shared
from bulkrm.remote.credentials import Credentials, DockerConfig
from bulkrm.reports.format import ReportFormat, View, formats
from bulkrm.sandbox import Auth, Drop, DropAfter, Reply, Sandbox, SandboxSettings, docker_list, oci_image, put_image
from bulkrm.selection.image_list import ImageList
from bulkrm.selection.listfile.document import read_list
from tests.integration.engine import Options, Warnings, delete
from tests.support.clock import FakeClock

APP = "team/app"
OPEN = SandboxSettings(auth=Auth.NONE)
OLD = 61.0  # seconds after which a repository is read again


def fill(sandbox: Sandbox, *tags: str, seed: int = 0) -> dict[str, str]:
    """Put a different image under each tag."""
    return {
        tag: put_image(sandbox.store, APP, [tag], oci_image(index, config_seed=0))
        for index, tag in enumerate(tags, seed)
    }


def names(*tags: str) -> str:
    """A list of tags."""
    return "".join(f"  - {APP}:{tag}\n" for tag in tags)


# Plans that grow old


async def run_after(
    sandbox: Sandbox, change: Callable[[], object], text: str, *, seconds: float = OLD, shared: Shared = Shared.REFUSE
) -> dict[str, str]:
    """Carry out a list, with a change and so much time between the plan and the first DELETE."""
    clock = FakeClock(auto=True)

    async def wait(_: Plan) -> None:
        change()
        clock.skip(seconds)

    done = await delete(sandbox.host, text, Options(clock=clock, before_delete=wait, shared=shared))
    return done.statuses


async def test_tag_moved() -> None:
    """A tag that leads to another image after the plan grew old is kept as moved, and so are both its images."""
    async with Sandbox(OPEN) as sandbox:
        old = fill(sandbox, "a", "b")
        new = put_image(sandbox.store, APP, [], oci_image(50, config_seed=0))

        statuses = await run_after(sandbox, lambda: sandbox.store.tag(APP, "a", new), names("a", "b"))

        assert statuses == {f"{APP}:a": "kept moved", f"{APP}:b": "deleted"}
        assert sandbox.store.digest_of(APP, "a") == new
        assert sandbox.store.manifest(APP, old["a"]) is not None


async def test_tag_added() -> None:
    """A tag that somebody put on a digest to delete in the meantime keeps it as shared."""
    async with Sandbox(OPEN) as sandbox:
        digests = fill(sandbox, "a", "b")

        statuses = await run_after(sandbox, lambda: sandbox.store.tag(APP, "release", digests["a"]), names("a", "b"))

        assert statuses == {f"{APP}:a": "kept shared", f"{APP}:b": "deleted"}
        assert sandbox.store.digest_of(APP, "release") == digests["a"]


async def test_protected_tag_added() -> None:
    """A protected tag put on it keeps it as protected, also with --shared delete."""
    async with Sandbox(OPEN) as sandbox:
        digests = fill(sandbox, "a", "b")
        text = f'protect: ["*:latest"]\nimages:\n{names("a", "b")}'

        statuses = await run_after(
            sandbox, lambda: sandbox.store.tag(APP, "latest", digests["a"]), text, shared=Shared.DELETE
        )

        assert statuses == {f"{APP}:a": "kept protected", f"{APP}:b": "deleted"}


async def test_index_added() -> None:
    """An index that needs a manifest to delete, pushed in the meantime, keeps it."""
    async with Sandbox(OPEN) as sandbox:
        index = docker_list(1)
        put_image(sandbox.store, APP, ["child"], index.children[0])

        statuses = await run_after(sandbox, lambda: put_image(sandbox.store, APP, ["index"], index), names("child"))

        assert statuses == {f"{APP}:child": "kept needed"}


async def test_gone_in_the_meantime() -> None:
    """What somebody else deleted in the meantime is absent."""
    async with Sandbox(OPEN) as sandbox:
        digests = fill(sandbox, "a", "b")

        statuses = await run_after(sandbox, lambda: sandbox.store.delete_manifest(APP, digests["a"]), names("a", "b"))

        assert statuses == {f"{APP}:a": "absent", f"{APP}:b": "deleted"}


async def test_unreadable_the_second_time() -> None:
    """A repository that cannot be read again is kept, all of it."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c")

        def break_it() -> None:
            sandbox.faults.add(Reply(400), method="GET|HEAD", path="/manifests/c", times=None)

        statuses = await run_after(sandbox, break_it, names("a", "b"))

        assert statuses == {f"{APP}:a": "kept unreadable", f"{APP}:b": "kept unreadable"}
        assert set(sandbox.store.tags(APP) or ()) == {"a", "b", "c"}


async def test_what_was_kept_stays_kept() -> None:
    """Only what both judgements delete goes: a tag that was shared at first is not deleted when it is no more."""
    async with Sandbox(OPEN) as sandbox:
        digests = fill(sandbox, "a", "b")
        sandbox.store.tag(APP, "other", digests["a"])

        statuses = await run_after(sandbox, lambda: sandbox.store.delete_tag(APP, "other"), names("a", "b"))

        assert statuses == {f"{APP}:a": "kept shared", f"{APP}:b": "deleted"}


async def test_a_fresh_plan_is_not_read_again() -> None:
    """Within 60 seconds no tag is read twice; the first deletion alone is looked at, in the list too."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b")

        statuses = await run_after(sandbox, lambda: None, names("a", "b"), seconds=59.0)

        assert set(statuses.values()) == {"deleted"}
        assert len([request for request in sandbox.log if request.path == f"/v2/{APP}/tags/list"]) == 1 + 1
        methods = [request.method for request in sandbox.log if "/manifests/" in request.path]
        assert methods == ["GET"] * 2 + ["DELETE"] + ["HEAD"] * 2 + ["DELETE"]


async def test_an_old_plan_is_read_again_once() -> None:
    """After 60 seconds each repository is read again once, whatever the number of its images."""
    async with Sandbox(OPEN) as sandbox:
        tags = list(fill(sandbox, *(f"t{index:02}" for index in range(30))))

        statuses = await run_after(sandbox, lambda: None, names(*tags))

        assert set(statuses.values()) == {"deleted"}
        assert len([request for request in sandbox.log if request.path == f"/v2/{APP}/tags/list"]) == 2 + 1
        assert [request.method for request in sandbox.log].count("HEAD") == 30 + 2


async def test_time_at_the_question() -> None:
    """The seconds that pass before the answer are told apart from those of the run."""
    clock = FakeClock(auto=True)

    async def wait(_: Plan) -> None:
        clock.skip(600.0)

    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")
        done = await delete(sandbox.host, f"- {APP}:a", Options(clock=clock, before_delete=wait))

    assert (done.code, done.waited) == (0, 600.0)


# Failures


async def test_one_failure_stops_nothing_else() -> None:
    """An image that fails leaves all others to be deleted."""
    async with Sandbox(OPEN) as sandbox:
        digests = fill(sandbox, "a", "b", "c")
        sandbox.faults.add(Reply(400), method="DELETE", path=digests["b"], times=None)

        done = await delete(sandbox.host, names("a", "b", "c"))

        assert (done.code, done.statuses) == (
            1, {f"{APP}:a": "deleted", f"{APP}:b": "failed refused", f"{APP}:c": "deleted"},
        )  # fmt: skip


@pytest.mark.parametrize("action", [Reply(503), Reply(429, {"Retry-After": "3"}), Drop(), DropAfter()])
async def test_trouble_that_passes(action: Reply | Drop | DropAfter) -> None:
    """A server error, a request to wait, and a connection that drops before or after the deletion: no failure."""
    clock = FakeClock(auto=True)
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c", "stays")
        sandbox.faults.add(action, method="DELETE", times=2, skip=1)

        done = await delete(sandbox.host, names("a", "b", "c"), Options(clock=clock))

        assert (done.code, set(done.statuses.values())) == (0, {"deleted"})
        assert set(sandbox.store.tags(APP) or ()) == {"stays"}


async def test_unreadable_neighbour() -> None:
    """A tag outside the list that cannot be read keeps its whole repository: what is on it is not known."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "strange")
        sandbox.faults.add(Reply(400), method="GET|HEAD", path="/manifests/strange", times=None)

        done = await delete(sandbox.host, names("a", "b"))

        assert (done.code, set(done.statuses.values())) == (3, {"kept unreadable"})
        assert done.count("DELETE") == 0


# Bugs


class Bug(Exception):  # noqa: N818 (it is one)
    """What no code of ours expects."""


class Faulty(Warnings):
    """A listener with a bug: it raises at the n-th outcome, or from then on."""

    def __init__(self, at: int, *, for_ever: bool = False) -> None:
        super().__init__()
        self._at = at
        self._for_ever = for_ever
        self.count = 0

    def __call__(self, event: Event) -> None:
        self.count += isinstance(event, ImageSettled)
        if isinstance(event, ImageSettled) and (self.count == self._at or (self._for_ever and self.count > self._at)):
            raise Bug(event.result.image)


@pytest.mark.parametrize("at", [1, 5])
@pytest.mark.parametrize("for_ever", [False, True])
async def test_bug_while_deleting(at: int, *, for_ever: bool) -> None:
    """A bug stops the run like Ctrl-C: the report is complete, what was not tried is `internal-error`, exit code 1."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(20)))
        tell = Faulty(at, for_ever=for_ever)

        done = await delete(sandbox.host, f"  - {APP}:*\n", Options(tell=tell, concurrency=1))

        assert isinstance(done.stop.bug, Bug)
        assert done.code == 1
        assert list(done.statuses.values()) == ["deleted"] * at + ["not-attempted internal-error"] * (20 - at)
        assert len(sandbox.store.tags(APP) or ()) == 20 - at


async def test_bug_while_planning() -> None:
    """A bug before the first DELETE deletes nothing, and every image is in the report."""

    def faulty_phase(event: Event) -> None:
        if isinstance(event, PhaseBegan) and event.phase is Phase.CHECKING_OTHER_TAGS:
            raise Bug(event.phase)

    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c")

        done = await delete(sandbox.host, names("a", "b"), Options(tell=faulty_phase))

        assert isinstance(done.stop.bug, Bug)
        assert list(done.statuses.values()) == ["not-attempted internal-error"] * 2
        assert done.count("DELETE") == 0


async def test_bug_is_raised_after_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the complete report, says that it is a bug, and only then lets the exception go."""

    def line(result: ImageResult) -> str:
        raise Bug(result.image)

    def nothing(_: Report, __: View) -> str:
        return ""

    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c")
        listed = read_list(f"registry: {sandbox.host}\nimages:\n{names('a', 'b', 'c')}", "images.yaml")
        out = io.StringIO()
        writers = [
            Writer(formats()["text"], out, "report", View()),
            Writer(ReportFormat("faulty", "", line, nothing), io.StringIO(), "faulty", View()),
        ]
        images = ImageList(listed.entries)
        run = ClientRun(
            call=lambda client, question: client.delete(images, confirm=question),
            hosts=images.hosts,
            policy=Policy(),
            consent=ConfirmationOptions(yes=True),
            sign_in=SignInOptions(),
            pace=PaceOptions(),
            output=OutputOptions(),
        )

        with pytest.raises(Bug):
            await run.call_client(Settings(), Credentials({}, DockerConfig()), writers)

    assert len([row for row in out.getvalue().splitlines() if row.startswith(("deleted", "not-attempted"))]) == 3
    assert capsys.readouterr().err.splitlines()[-1].startswith("bulkrm: a bug in bulkrm stopped the run")
