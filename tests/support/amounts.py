"""How often a test repeats something: a little in every run, more in the slow one, or as an environment variable says."""

import os
from typing import Any

import pytest


def amounts(variable: str, quick: int, slow: int) -> list[Any]:
    """Return the numbers to try as parameters of a test; if the variable is set, only its number."""
    wanted = os.environ.get(variable)
    return [int(wanted)] if wanted else [quick, pytest.param(slow, marks=pytest.mark.slow)]
