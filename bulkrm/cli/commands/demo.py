"""`bulkrm demo`: runs the real command on an embedded registry that holds images of every kind."""

import os
import shlex
import sys
import tempfile
from pathlib import Path

import anyio

from bulkrm.cli.terminal.console import say, show
from bulkrm.sandbox import Store
from bulkrm.sandbox.demo import PASSWORD, USERNAME, demo_registry

_LIST = """\
registry: {host}
protect: ["*:latest"]
images:
  - image: team/app:pr-*            # a glob; pr-42-keep stays
    exclude: ["*-keep"]
    note: merged pull requests
  - image: team/app
    tags: [1.10, 1.9]               # text, as written: YAML's numbers are not taken for numbers
  - team/web:nightly-*              # a Docker manifest list and an OCI index
  - team/web:2.0                    # the tag `stable` is on the same digest, and the list does not name it
  - team/web:edge                   # `latest` is on the same digest, and it is protected
  - team/web:1.0                    # not there any more
"""
# The exit code of the run: a safety rule kept an image that the list names.
_EXPECTED = 3


async def run_demo() -> int:
    """Run the demo; return 0 where the command exits as expected."""
    async with demo_registry() as sandbox:
        _say(f"An embedded registry with token authentication runs at {sandbox.host}. It holds:")
        _show(sandbox.store)
        with tempfile.TemporaryDirectory(prefix="bulkrm-demo-") as folder:
            path = Path(folder) / "images.yaml"
            path.write_text(_LIST.format(host=sandbox.host), encoding="utf-8")
            _say("\nThis is the list of what to delete, images.yaml:\n")
            _say(_indented(path.read_text(encoding="utf-8")))
            code = await _delete(path)
        _say(f"\nThe exit code is {code}: nothing failed, but a safety rule kept something. The registry now holds:")
        _show(sandbox.store)
        say(
            "Registry and record end with the demo; on a registry of yours that `bulkrm undo` would put the images back."
        )
    return 0 if code == _EXPECTED else 1


async def _delete(path: Path) -> int:
    shown = ["bulkrm", "--from-file", path.name, "--yes"]
    _say(f"$ {shlex.join(shown)}\n")
    login = {"REGISTRY_USERNAME": USERNAME, "REGISTRY_PASSWORD": PASSWORD}
    environment = {**os.environ, **login, "BULKRM_STATE_DIR": str(path.parent / "state")}
    process = await anyio.run_process(
        [sys.executable, "-m", "bulkrm", *shown[1:]],
        stdin=None,
        stdout=None,
        stderr=None,
        check=False,
        cwd=path.parent,
        env=environment,
    )
    return process.returncode


def _show(store: Store) -> None:
    for repository in store.repositories():
        tags = sorted(store.tags(repository) or ())
        digests = len({store.digest_of(repository, tag) for tag in tags})
        _say(f"  {repository:<10}{' '.join(tags)}  ({digests} digests)")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def _say(text: str) -> None:
    for line in text.split("\n"):
        show(line)
