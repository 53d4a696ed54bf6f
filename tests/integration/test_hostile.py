"""A registry that does the worst it can: the run ends in time, its report is true, and nobody else gets a credential.

Each seed decides all that the registry does. BULKRM_TEST_SERVERS=all takes more of them, and BULKRM_TEST_HOSTILE=1000
with it still more.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkrm.codec.report_fields import image as shape
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Login, Shared
from bulkrm.sandbox import oci_image, oci_index, put_image
from tests.cli.command import Result, start
from tests.integration.engine import Done, Options, delete, lost, undo
from tests.support.clock import FakeClock
from tests.support.giving_up import SECONDS
from tests.support.hostile import REPOSITORY, Bystander, HostileServer
from tests.support.hostilities import WAYS
from tests.support.process import watched

_FEW = 10
SEEDS = [
    pytest.param(seed, marks=pytest.mark.slow if seed >= _FEW else ())
    for seed in range(int(os.environ.get("BULKRM_TEST_HOSTILE", "60")))
]
LISTED = ("v1", "v2", "v3", "v4", "multi")
# One request may take so long; the clock that waits between two is a test's own.
LIMIT = 0.2
# What a run may ask for there, whatever it was told: its own repository, the lists, and who it is.
PATHS = re.compile(
    rf"/v2/(|{REPOSITORY}/(tags/list|manifests/([\w][\w.-]{{0,127}}|sha(256|512):[0-9a-f]+)|(blobs|referrers)/sha\S+)(\?\S*)?)"
    r"|/token\S*"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def fill(server: HostileServer) -> None:
    """Listed tags and one that is not, which shares nothing with them."""
    for seed, tag in enumerate((*LISTED[:-1], "keep")):
        put_image(server.store, REPOSITORY, [tag], oci_image(seed))
    put_image(server.store, REPOSITORY, ["multi"], oci_index(50))


def check_requests(server: HostileServer, bystander: Bystander) -> None:
    """Nothing was asked for that a run does not need, and nobody else was told anything."""
    for heard in server.heard:
        assert PATHS.fullmatch(heard.target), heard
        assert ".." not in heard.target, heard
        assert not heard.cookie, heard
    for heard in bystander.heard:
        # A realm is where a registry sends its own clients with its own credentials; nothing else may.
        assert heard.target.startswith("/realm"), heard
        assert not heard.authorization.startswith("Bearer"), heard


def check_outcomes(server: HostileServer, done: Done) -> None:
    """Every image has one outcome, and none says that something went of which the server did not say so itself."""
    assert done.stop.bug is None
    entries = [entry for entry in map(shape, done.results) if not entry["parent"]]
    assert [entry["image"].rpartition(":")[2] for entry in entries] == list(LISTED)
    for entry in entries:
        tag, digest = entry["image"].rpartition(":")[2], entry["digest"]
        if entry["status"] in ("deleted", "untagged"):
            assert {tag, digest} & server.truth.asked, entry
            assert {tag, digest} & server.truth.said_gone, entry
    assert {name for name in server.truth.asked if ":" in name} <= {*server.truth.spoken, "sha256:" + "0" * 64}


def check_text(secrets: Iterable[str], *texts: str) -> None:
    """None of them is in any of the texts."""
    for text in texts:
        for secret in secrets:
            at = text.find(secret)
            assert at < 0, text[max(0, at - 200) : at + 100]


def texts(value: Any) -> Iterator[str]:
    """Yield the texts of a report, however deep they stand."""
    match value:
        case str():
            yield value
        case dict():
            yield from texts([*value, *value.values()])
        case list():
            for inner in value:
                yield from texts(inner)
        case _:  # a number, or nothing
            pass


def records(folder: Path) -> list[str]:
    """What stands in the files below a folder, as far as it is text."""
    return [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hostile_registry(seed: int, tmp_path: Path) -> None:
    """A run on such a registry ends, what it says is what the registry said, and its secrets stay between the two."""
    async with Bystander() as bystander, HostileServer(seed, bystander.url) as server:
        fill(server)
        text = "".join(f"- {REPOSITORY}:{tag}\n" for tag in LISTED)
        options = Options(
            login=Login(server.user, Secret(server.password)),
            shared=Shared.DELETE if seed % 2 else Shared.REFUSE,
            recursive=seed % 3 == 0,
            verify=seed % 4 == 0,
            timeout=LIMIT,
            clock=FakeClock(auto=True),
            state=tmp_path / "state",
        )

        done = await delete(server.host, text, options)

        check_outcomes(server, done)
        check_requests(server, bystander)
        said = [*texts(done.images), *done.said]
        check_text(server.secrets, *said, *records(tmp_path))
        assert not [text for text in said if CONTROLS.search(text)]

        words = await undo(lost(tmp_path / "state"), LIMIT, Options(login=options.login, clock=FakeClock(auto=True)))

        check_requests(server, bystander)
        check_text(server.secrets, *words, *words.values())


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_alone(way: str, tmp_path: Path) -> None:
    """A registry that knows one way only, and goes it always: nothing is deleted unless it said so, in bounded time."""
    async with Bystander() as bystander, HostileServer(1, bystander.url, often=1.0, ways=(way,)) as server:
        fill(server)
        options = Options(
            login=Login(server.user, Secret(server.password)),
            timeout=LIMIT,
            clock=FakeClock(auto=True),
            state=tmp_path / "state",
        )

        done = await delete(server.host, "".join(f"- {REPOSITORY}:{tag}\n" for tag in LISTED), options)

        check_outcomes(server, done)
        check_requests(server, bystander)
        check_text(server.secrets, json.dumps(done.images), *done.said, *records(tmp_path))


@pytest.mark.parametrize("seed", range(40))
async def test_answers_that_come_twice(seed: int) -> None:
    """A registry that repeats half of its answers a moment later: no outcome rests on the answer to another request."""
    async with Bystander() as bystander, HostileServer(seed, bystander.url, ways=("late duplicate",)) as server:
        fill(server)
        login = Login(server.user, Secret(server.password))
        shared = Shared.DELETE if seed % 2 else Shared.REFUSE
        options = Options(login=login, shared=shared, timeout=LIMIT, clock=FakeClock(auto=True))

        done = await delete(server.host, "".join(f"- {REPOSITORY}:{tag}\n" for tag in LISTED), options)

        check_outcomes(server, done)


async def command(*arguments: str, env: dict[str, str]) -> tuple[Result, list[str]]:
    """Run the command, and look at the process list while it runs."""
    process = await start(*arguments, env=env, afresh=True)
    seen = list[str]()

    def look() -> bool:
        seen.extend(_processes())
        return False

    looking = asyncio.create_task(watched(process, look, 0.05))
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    await looking
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode()), seen


def _processes() -> list[str]:
    """The command lines of all processes, as `ps` shows them to everybody."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("seed", [3, 4])
async def test_the_command(seed: int, tmp_path: Path) -> None:
    """So it is with the whole command: no traceback, no control character, no secret in anything that it leaves."""
    # Ways that end: with the time limit of a run as it is, no answer of the good registry is late.
    quick = tuple(way for way in WAYS if way not in ("busy", "silence", "slow drip", "slow headers"))
    async with (
        Bystander() as bystander,
        HostileServer(seed, bystander.url, often=0.2, ways=quick) as server,
        HostileServer(seed + 100, bystander.url, often=0.0) as good,
    ):
        fill(server)
        fill(good)
        config = {"auths": {one.host: {"auth": one._basic()} for one in (server, good)}}
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker" / "config.json").write_text(json.dumps(config))
        env = {"DOCKER_CONFIG": str(tmp_path / "docker"), "BULKRM_STATE_DIR": str(tmp_path / "state")}
        images = [f"{one.host}/{REPOSITORY}:{tag}" for one in (server, good) for tag in LISTED]

        done, processes = await command(
            *images, "-y", "-v", "-o", "json", "--report", f"text={tmp_path / 'report.txt'}", env=env
        )

        (tmp_path / "docker" / "config.json").unlink()  # the secrets have to be there
        assert done.code in (0, 1, 3)
        assert "Traceback" not in done.err
        assert [entry["status"] for entry in done.images if entry["image"].startswith(good.host)][:5] == ["deleted"] * 5
        assert not CONTROLS.search(done.out + done.err)
        check_requests(server, bystander)
        check_requests(good, bystander)
        check_text([*server.secrets, *good.secrets], done.out, done.err, *records(tmp_path), *processes)
        check_text(good.secrets, *(heard.authorization for heard in (*server.heard, *bystander.heard)))
        check_text(server.secrets, *(heard.authorization for heard in good.heard))
