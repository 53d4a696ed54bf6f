"""Finds the servers that tests run: distribution 2.8.2 and 3.1.1, and `crane registry serve`."""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

_MODULE_3 = "github.com/distribution/distribution/v3"
_VERSION_3 = "v3.1.1"
_VARIABLE_3 = "BULKRM_TEST_REGISTRY_3"
_CRANE = "github.com/google/go-containerregistry/cmd/crane"
_VERSION_CRANE = "v0.22.1"
_VARIABLE_CRANE = "BULKRM_TEST_CRANE"


def real_registry_binary() -> str:
    """Return the path of distribution 2.8.2; if it is missing, skip the test, or fail it in CI."""
    found = shutil.which("docker-registry") or os.environ.get("BULKRM_TEST_REGISTRY")
    if found:
        return found
    message = "no registry: apt-get install docker-registry, or set BULKRM_TEST_REGISTRY to its executable"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def distribution_3_binary() -> str:
    """Find distribution 3.1.1; where it is missing, skip the test, in CI too: no Linux distribution packages it."""
    found = installed_3()
    if found is None:
        pytest.skip(
            f"no registry: go install {_MODULE_3}/cmd/registry@{_VERSION_3}, or set {_VARIABLE_3} to its executable"
        )
    return found


def crane_binary() -> str:
    """Find crane; where it is missing, skip the test, in CI too: no Linux distribution packages it."""
    found = installed_crane()
    if found is None:
        pytest.skip(f"no crane: go install {_CRANE}@{_VERSION_CRANE}, or set {_VARIABLE_CRANE} to its executable")
    return found


@functools.cache
def installed_3() -> str | None:
    """Find distribution 3.1.1, if it is installed."""
    return _installed("registry", _VARIABLE_3, ("--version",), f"{_MODULE_3} {_VERSION_3}")


@functools.cache
def installed_crane() -> str | None:
    """Find a crane that can serve, if one is installed."""
    return _installed("crane", _VARIABLE_CRANE, ("registry", "serve", "--help"), "registry implementation")


def _installed(program: str, variable: str, question: Sequence[str], answer: str) -> str | None:
    """Return the executable that the variable names, else the first of that name with the right answer."""
    if named := os.environ.get(variable):
        return named
    # Where `go install` puts it: GOBIN, else GOPATH/bin (`go help install`).
    folders = (os.environ.get("GOBIN"), f"{os.environ.get('GOPATH') or Path.home() / 'go'}/bin")
    candidates = (shutil.which(program), *(f"{folder}/{program}" for folder in folders if folder))
    return next((found for found in candidates if found and _answers(found, question, answer)), None)


def _answers(executable: str, question: Sequence[str], answer: str) -> bool:
    """Tell whether it is that program: others have the same name."""
    if not os.access(executable, os.X_OK):
        return False
    result = subprocess.run([executable, *question], capture_output=True, text=True, check=False)  # noqa: S603
    return answer in result.stdout
