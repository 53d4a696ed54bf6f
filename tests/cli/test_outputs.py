"""Files that are written: never one that the command reads, and nothing is emptied before all is known to be good."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bulkrm.sandbox import Sandbox, ServerRequest
from tests.cli.command import Command, environment, fill, sent, tags
from tests.support.giving_up import SECONDS


@pytest.fixture
def listed(sandbox: Sandbox) -> str:
    """A list file in the working directory, and the image of it."""
    fill(sandbox, "a")
    Path("images.yaml").write_text(f"- {sandbox.host}/team/app:a\n")
    return "images.yaml"


def linked(name: str, how: str) -> str:
    """Another name of a file."""
    other = f"other-{how}"
    if how == "symlink":
        Path(other).symlink_to(name)
    elif how == "hardlink":
        Path(other).hardlink_to(name)
    else:
        return str(Path(name).absolute())
    return other


@pytest.mark.parametrize("how", ["itself", "symlink", "hardlink"])
@pytest.mark.parametrize("option", ["--report", "--out"])
def test_the_list_is_not_overwritten(run: Command, sandbox: Sandbox, listed: str, option: str, how: str) -> None:
    """Neither a report nor a plan goes into the list that the command reads, whatever it is called."""
    before = Path(listed).read_text()
    target = linked(listed, how)

    result = run("plan", "-f", listed, option, f"json={target}" if option == "--report" else target)

    assert result.code == 2
    assert f"{option}: {target} is what this command reads ({listed})" in result.err
    assert Path(listed).read_text() == before
    assert sandbox.log == []


@pytest.mark.parametrize("of_list", [True, False])
def test_what_is_in_use_is_not_overwritten(run: Command, sandbox: Sandbox, listed: str, *, of_list: bool) -> None:
    """A file of what is in use is read too: by its name in the list, by the option, and by that of `apply`."""
    Path("used.txt").write_text(f"{sandbox.host}/team/app:z\n")
    assert run("plan", "-f", listed, "--out", "plan.json").code == 0
    sandbox.log.clear()
    if of_list:
        text = Path(listed).read_text()
        Path(listed).write_text(f"in-use: [used.txt]\nimages:\n{text}")
    option = [] if of_list else ["--in-use", "used.txt"]

    for command in (["-f", listed, *option], ["apply", "plan.json", "--in-use", "used.txt"]):
        result = run(*command, "-y", "--report", "json=used.txt")

        assert result.code == 2
        assert "--report: used.txt is what this command reads" in result.err
    assert Path("used.txt").read_text() == f"{sandbox.host}/team/app:z\n"
    assert sandbox.log == []


def test_a_list_that_a_glob_found(run: Command, sandbox: Sandbox, listed: str) -> None:
    """A list that was found by a pattern is a list that is read."""
    before = Path(listed).read_text()

    result = run("-f", "*.yaml", "--report", f"text={listed}")

    assert (result.code, Path(listed).read_text(), sandbox.log) == (2, before, [])


@pytest.mark.parametrize("option", ["--ca-file", "--client-cert"])
def test_tls_material_is_not_overwritten(run: Command, listed: str, option: str) -> None:
    """The files that the connection needs are read, too."""
    Path("material.pem").write_text("not really")

    result = run("-f", listed, option, "material.pem", "--report", "json=material.pem")

    assert result.code == 2
    assert "material.pem is what this command reads" in result.err
    assert Path("material.pem").read_text() == "not really"


def test_docker_config_is_not_overwritten(run: Command, listed: str) -> None:
    """Neither is Docker's configuration."""
    config = Path(os.environ["DOCKER_CONFIG"]) / "config.json"
    config.parent.mkdir()
    config.write_text("{}")

    result = run("-f", listed, "--report", f"json={config}")

    assert (result.code, config.read_text()) == (2, "{}")


def test_the_plan_is_not_overwritten(run: Command, listed: str, sandbox: Sandbox) -> None:
    """The report of `apply` does not go into its plan."""
    run("plan", "-f", listed, "--out", "plan.json")
    before = Path("plan.json").read_text()

    result = run("apply", "plan.json", "--report", "json=plan.json")

    assert (result.code, Path("plan.json").read_text()) == (2, before)
    assert sent(sandbox) == []


@pytest.mark.parametrize("name", ["run.json", "journal.jsonl", "new.json"])
def test_the_record_is_not_overwritten(run: Command, listed: str, sandbox: Sandbox, name: str) -> None:
    """The report of `undo` goes nowhere into the record of the run."""
    done = run("-f", listed, "-o", "json")
    folder = Path(os.environ["BULKRM_STATE_DIR"], "runs", done.report["run"]["id"])
    before = {path: path.read_bytes() for path in folder.iterdir()}

    result = run("undo", "--report", f"json={folder / name}")

    assert result.code == 2
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert tags(sandbox) == set()


@pytest.mark.parametrize("how", ["itself", "symlink", "hardlink"])
def test_two_outputs_in_one_file(run: Command, sandbox: Sandbox, listed: str, how: str) -> None:
    """Two reports in one file, or a report and the plan, are refused, and the file stays as it was."""
    Path("out").write_text("precious")
    other = linked("out", how)

    reports = run("-f", listed, "--report", "json=out", "--report", f"text={other}")
    plan = run("plan", "-f", listed, "--out", "out", "--report", f"text={other}")

    assert (reports.code, plan.code) == (2, 2)
    assert f"{other} is named twice" in reports.err
    assert f"{other} is the file of --out" in plan.err
    assert Path("out").read_text() == "precious"
    assert sandbox.log == []


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_standard_streams_are_files_too(sandbox: Sandbox, listed: str, stream: int) -> None:
    """A report does not go into the file that a standard stream is redirected from or to."""
    streams = ["/dev/null", "/dev/null", "/dev/null"]
    streams[stream] = "file"
    Path("file").write_text(Path(listed).read_text())
    words = [sys.executable, "-m", "bulkrm", "-f", "-" if stream == 0 else listed, "--report", "json=./file"]
    with open(streams[0], "rb") as stdin, open(streams[1], "ab") as out, open(streams[2], "ab") as err:  # noqa: PTH123
        ended = subprocess.run(words, stdin=stdin, stdout=out, stderr=err, env=environment(), check=False)  # noqa: S603

    assert ended.returncode == 2
    assert Path("file").read_text().startswith(Path(listed).read_text())
    assert sandbox.log == []


BAD = {
    "list": ["-f", "absent.yaml"],
    "reference": ["nope"],
    "rate": ["--rate", "0"],
    "later report": ["--report", "json=absent/x"],
    "password": ["--password-stdin"],
    "certificates": ["--ca-file", "absent.pem"],
    "state": ["--state-dir", "images.yaml/state"],
}


@pytest.mark.parametrize("case", BAD)
def test_nothing_is_emptied_for_nothing(run: Command, sandbox: Sandbox, listed: str, case: str) -> None:
    """Where something is wrong with the command an old report stays as it is, and a new file is not left behind."""
    Path("old.json").write_text("precious")

    result = run("-f", listed, "--report", "json=old.json", "--report", "text=new.txt", *BAD[case])

    assert result.code == 2
    assert Path("old.json").read_text() == "precious"
    assert not Path("new.txt").exists()
    assert sandbox.log == []


def test_no_plan_is_made_for_nothing(run: Command, listed: str) -> None:
    """Where something is wrong with the command no empty plan is left behind."""
    result = run("plan", "-f", listed, "--out", "plan.json", "--password-stdin")

    assert result.code == 2
    assert not Path("plan.json").exists()


@pytest.mark.parametrize("target", ["absent/plan.json", ".", "locked/plan.json"])
def test_a_plan_that_cannot_be_written(run: Command, sandbox: Sandbox, listed: str, target: str) -> None:
    """A plan that could not be stored is said before anything is asked of the registry."""
    Path("locked").mkdir(mode=0o500)
    if target.startswith("locked") and os.access("locked", os.W_OK):
        pytest.skip("whoever runs this may write everywhere")

    result = run("plan", "-f", listed, "--out", target)

    assert result.code == 2
    assert f"--out: {target} cannot be written" in result.err
    assert sandbox.log == []


def test_a_plan_behind_a_link(run: Command, listed: str) -> None:
    """A link stays a link: the plan goes where it leads."""
    Path("real.json").write_text("old")
    Path("plan.json").symlink_to("real.json")

    result = run("plan", "-f", listed, "--out", "plan.json")

    assert result.code == 0
    assert Path("plan.json").is_symlink()
    assert json.loads(Path("real.json").read_text())["format"]


def test_emptied_when_the_run_begins(run: Command, sandbox: Sandbox, listed: str) -> None:
    """The report of an earlier run is gone before the first request: it is never taken for this one's."""
    Path("report.json").write_text("x" * 100_000)
    seen: list[int] = []

    async def look(_: ServerRequest) -> None:
        seen.append(os.stat("report.json").st_size)  # noqa: PTH116

    sandbox.faults.before = look

    result = run("-f", listed, "--report", "json=report.json")

    assert result.code == 0
    assert set(seen) == {0}
    assert json.loads(Path("report.json").read_text())["summary"]["deleted"] == 1


# Pipes


@pytest.mark.parametrize(("command", "option"), [("delete", "--report"), ("plan", "--report"), ("plan", "--out")])
def test_a_pipe_that_nobody_reads(run: Command, sandbox: Sandbox, listed: str, command: str, option: str) -> None:
    """Nobody is waited for: a FIFO without a reader is exit code 2."""
    os.mkfifo("pipe")

    result = run(command, "-f", listed, option, "json=pipe" if option == "--report" else "pipe")

    assert result.code == 2
    assert f"{option}: pipe is a pipe that nobody reads; start its reader first" in result.err
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)  # noqa: PTH116
    assert sandbox.log == []


@pytest.mark.parametrize("option", ["--report", "--out"])
def test_a_pipe_that_somebody_reads(run: Command, listed: str, option: str) -> None:
    """A FIFO with a reader gets the whole report or plan."""
    os.mkfifo("pipe")
    reading = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    got: list[bytes] = []

    def read() -> None:
        while piece := os.read(reading, 65536):
            got.append(piece)

    # The reader begins when the other end is open: until then a read would find the end of the file.
    keeper = os.open("pipe", os.O_WRONLY)
    reader = threading.Thread(target=read)
    reader.start()

    result = run("plan", "-f", listed, option, "json=pipe" if option == "--report" else "pipe")
    os.close(keeper)
    reader.join()
    os.close(reading)

    assert result.code == 0
    assert json.loads(b"".join(got))


@pytest.mark.parametrize("how", ["-f <(cat images.yaml)", "-f - <images.yaml", "-f /dev/stdin <images.yaml"])
def test_a_list_from_a_pipe(sandbox: Sandbox, listed: str, how: str) -> None:
    """A list comes through a pipe or a redirection as well, and a report goes into a process."""
    line = f'"{sys.executable}" -m bulkrm {how} -q -o text --report json=>(cat >out.json; touch done)'
    ended = subprocess.run(  # noqa: S603 (ours)
        ["/bin/bash", "-c", f"{line}; code=$?; until [ -e done ]; do :; done; exit $code"],
        stdin=subprocess.DEVNULL, capture_output=True, env=environment(), check=False, timeout=SECONDS,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert json.loads(Path("out.json").read_text())["summary"]["deleted"] == 1
    assert listed
    assert tags(sandbox) == set()


@pytest.mark.parametrize("words", [["-n", "{image}"], ["runs"], ["-h"], ["--version"]])
def test_closed_standard_output(sandbox: Sandbox, words: list[str]) -> None:
    """With standard output closed there is no place for what was asked for: one line says so, and nothing is sent."""
    typed = [word.format(image=f"{sandbox.host}/team/app:a") for word in words]
    line = ["sh", "-c", f'exec "{sys.executable}" -m bulkrm "$@" >&-', "sh", *typed]

    ended = subprocess.run(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), check=False)  # noqa: S603

    assert ended.returncode == 2
    assert b"standard output is closed" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert sandbox.log == []
