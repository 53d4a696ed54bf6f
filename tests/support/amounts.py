"""How often something is repeated: a little in every run of the tests, more in the slow one, and as the environment says."""

import os
from typing import Any

import pytest


def amounts(variable: str, quick: int, slow: int) -> list[Any]:
    """Return the numbers to try as parameters of a test; what the variable says stands for all of them."""
    wanted = os.environ.get(variable)
    return [int(wanted)] if wanted else [quick, pytest.param(slow, marks=pytest.mark.slow)]
