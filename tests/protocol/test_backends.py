"""A registry's own way of doing things: the example of CONTRIBUTING.md, as a file of a copy of the package."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.inventory import Inventory, ListedManifest
from bulkrm.model.manifest import IMAGE_TYPES
from bulkrm.remote.backends.backend import backend_of, backends
from bulkrm.sandbox import Sandbox, SandboxSettings
from tests.protocol.opening import fill

ROOT = Path(__file__).parents[2]
TELLING = SandboxSettings(lists_manifests=True)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def example() -> str:
    """The code that CONTRIBUTING.md prints, for a registry on loopback."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## A registry's own way of doing things")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1].replace("registry.example.com", "127.0.0.1")


@pytest.fixture
def with_example(tmp_path: Path) -> Path:
    """A copy of the package with one file more."""
    shutil.copytree(ROOT / "bulkrm", tmp_path / "bulkrm", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bulkrm/remote/backends/example.py").write_text(example(), encoding="utf-8")
    return tmp_path


async def run(folder: Path, *arguments: str) -> Ended:
    """Run bulkrm from a folder that has the package."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
        "REGISTRY_USERNAME": "admin",
        "REGISTRY_PASSWORD": "admin",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bulkrm",
        *arguments,
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def asked(sandbox: Sandbox, method: str) -> list[str]:
    """The targets of the requests for manifests by one method, so far."""
    return [
        entry.path.rpartition("/")[2] for entry in sandbox.log if entry.method == method and "/manifests/" in entry.path
    ]


async def test_a_listing_that_tells_manifests_spares_the_heads(with_example: Path) -> None:
    """With the example's backend no tag outside the list is asked for, and the same goes as without it."""
    async with Sandbox(TELLING) as sandbox:
        digests = fill(sandbox, "a", "b", "c")
        sandbox.store.tag("team/app", "shared", digests["b"])

        ended = await run(with_example, "--plain-http", f"{sandbox.host}/team/app:a", f"{sandbox.host}/team/app:b")

        assert ended.code == 3, ended.err  # b is shared
        assert sorted(sandbox.store.tags("team/app") or []) == ["b", "c", "shared"]
        assert not {"b", "c", "shared"}.intersection(asked(sandbox, "HEAD"))


async def test_a_listing_of_another_shape_keeps_all(with_example: Path) -> None:
    """Where the registry's listing is not what the backend expects, nothing goes, and the report says why."""
    async with Sandbox() as sandbox:  # lists names only
        fill(sandbox, "a", "b")

        ended = await run(with_example, "--plain-http", f"{sandbox.host}/team/app:a")

        assert ended.code == 3
        assert "another shape" in ended.out
        assert sorted(sandbox.store.tags("team/app") or []) == ["a", "b"]
        assert not asked(sandbox, "DELETE")


def test_the_protocol_is_for_every_other_host() -> None:
    """A host that no backend serves is spoken to by the registry protocol, which is a backend like others."""
    assert [backend.name for backend in backends()] == ["protocol"]
    assert backend_of("registry.example.com").name == "protocol"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda stored: stored, {"a"}),
        (lambda stored: ListedManifest(stored.digest, stored.tags), set()),
        (lambda stored: ListedManifest(stored.digest, stored.tags, "application/vnd.example+json"), set()),
    ],
)
def test_a_type_that_is_not_known_is_read(change: Callable[[ListedManifest], ListedManifest], told: set[str]) -> None:
    """What a listing says of a tag counts as a reading only with a media type that is known."""
    stored = ListedManifest(Digest.of(b"a"), ("a",), min(IMAGE_TYPES), 1)

    assert set(Inventory(("a", "b"), [change(stored)]).resolved) == told
