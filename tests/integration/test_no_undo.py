"""A registry that deletes the layers with the last tag, as Gitea does: it is said before, and undo says what is lost."""

from pathlib import Path

import pytest

from bulkrm.cli.terminal.question_text import remarks
from bulkrm.model.plan import Plan
from bulkrm.sandbox import Reply, Sandbox, SandboxSettings, oci_image, put_image
from tests.cli.command import fill, in_process, served
from tests.integration.engine import Options, delete, lost, undo

APP = "team/app"
GITEA = SandboxSettings(tag_deletes=True, drops_untagged=True, service="container_registry")


async def test_it_is_known_and_said() -> None:
    """It is recognised by its challenge; the question says that there is no way back."""
    async with Sandbox(GITEA) as sandbox, Sandbox() as usual:
        for host, store, expected in ((sandbox.host, sandbox.store, True), (usual.host, usual.store, False)):
            put_image(store, APP, ["a"], oci_image(seed=1))
            asked = list[Plan]()

            async def ask(plan: Plan, asked: list[Plan] = asked) -> None:
                asked.append(plan)

            done = await delete(host, f"- {APP}:a", Options(before_delete=ask))

            assert done.statuses == {f"{APP}:a": "deleted"}
            assert asked[0].no_undo == ({host} if expected else set())
            assert (f"No undo: {host}" in " ".join(remarks(asked[0]))) is expected


@pytest.mark.parametrize("command", [["plan"], ["-n"]])
def test_plan_and_dry_run_say_it(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything goes, in the plan and in the report of a dry run; the closing note has no command of distribution's."""
    with served(GITEA) as sandbox:
        fill(sandbox, "a")

        shown = in_process(
            *command, "-u", "admin", "--password-stdin", f"{sandbox.host}/{APP}:a", capsys=capsys, stdin=b"admin"
        )
        gone = in_process(
            "-y", "-u", "admin", "--password-stdin", f"{sandbox.host}/{APP}:a", capsys=capsys, stdin=b"admin"
        )

        assert "No undo:" in shown.out
        assert "deleted" in gone.out
        assert "garbage" not in gone.out


@pytest.mark.parametrize("code", ["BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "NAME_UNKNOWN"])
async def test_undo_says_what_is_lost(code: str, tmp_path: Path) -> None:
    """A push that is answered 404, because what the image consists of is gone, is `blobs-missing`."""
    async with Sandbox(GITEA) as sandbox:
        put_image(sandbox.store, APP, ["a"], oci_image(seed=1))
        await delete(sandbox.host, f"- {APP}:a", Options(state=tmp_path))
        body = b'{"errors": [{"code": "%s", "message": "blob unknown to registry"}]}' % code.encode()
        sandbox.faults.add(Reply(404, {"Content-Type": "application/json"}, body), method="PUT", times=None)

        assert await undo(lost(tmp_path)) == {"a": "failed blobs-missing"}


async def test_undo_where_the_layers_are_really_gone(tmp_path: Path) -> None:
    """The registry itself says so, and nothing is restored."""
    async with Sandbox(GITEA) as sandbox:
        put_image(sandbox.store, APP, ["a"], oci_image(seed=1))
        await delete(sandbox.host, f"- {APP}:a", Options(state=tmp_path))

        assert await undo(lost(tmp_path)) == {"a": "failed blobs-missing"}
        assert sandbox.store.tags(APP) in ([], None)
