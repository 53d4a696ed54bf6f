"""Reads a registry by another client, `crane` or `regctl`, which shares no code with bulkrm."""

import asyncio
import shutil
from collections.abc import Sequence

import pytest


async def _ask(*command: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def _client() -> str:
    """Return the path of one of the clients; if both are missing, skip the test."""
    found = shutil.which("crane") or shutil.which("regctl")
    if found is None:
        pytest.skip("no crane: go install github.com/google/go-containerregistry/cmd/crane@v0.22.1")
    return found


async def digest_of(reference: str) -> str | None:
    """Return the digest of a reference on a registry without authentication; None: it does not exist."""
    client = _client()
    if client.endswith("crane"):
        code, out, err = await _ask(client, "digest", "--insecure", reference)
    else:
        tls = ("--host", f"reg={reference.partition('/')[0]},tls=disabled")
        code, out, err = await _ask(client, *tls, "manifest", "head", reference)
    assert code == 0 or "404" in err or "UNKNOWN" in err or "not found" in err, err
    return out.strip() if code == 0 else None


async def tags_of(repository: str) -> Sequence[str]:
    """Return the tags of a repository on a registry without authentication, sorted."""
    client = _client()
    if client.endswith("crane"):
        code, out, err = await _ask(client, "ls", "--insecure", repository)
    else:
        tls = ("--host", f"reg={repository.partition('/')[0]},tls=disabled")
        code, out, err = await _ask(client, *tls, "tag", "ls", repository)
    assert code == 0 or "404" in err or "UNKNOWN" in err, err
    return sorted(out.split())
