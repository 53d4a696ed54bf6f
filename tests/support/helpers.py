"""Credential helpers for tests: small programs that Docker's clients ask for passwords."""

import os
from pathlib import Path

import pytest


def install_helper(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Write `docker-credential-NAME`, a script of `sh`, into a folder, and put the folder at the front of PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def answers(username: str, secret: str) -> str:
    """Return a script that has a password for every registry, and writes the requested key into a file."""
    return f"""cat > "$0.asked"; printf '{{"ServerURL":"x","Username":"{username}","Secret":"{secret}"}}'"""


HAS_NONE = "echo 'credentials not found in native keychain'; exit 1"
BREAKS = "echo 'error: s3cr3t-Zebra is locked'; exit 1"
