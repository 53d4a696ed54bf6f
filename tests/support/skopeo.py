"""Copies images out of a registry by skopeo, which shares no code with bulkrm."""

import asyncio
import shutil
from pathlib import Path

import pytest


async def copy(reference: str, folder: Path) -> None:
    """Copy an image with all its platforms into a folder; `reference` is in full, with a tag or a digest."""
    found = shutil.which("skopeo")
    if found is None:
        pytest.skip("no skopeo: apt-get install skopeo")
    options = ("--insecure-policy", "copy", "-q", "--all", "--src-tls-verify=false", "--src-creds=admin:admin")
    process = await asyncio.create_subprocess_exec(
        found, *options, f"docker://{reference}", f"dir:{folder}", stderr=asyncio.subprocess.PIPE
    )
    _, problems = await process.communicate()
    assert process.returncode == 0, f"{reference}: {problems.decode()}"
