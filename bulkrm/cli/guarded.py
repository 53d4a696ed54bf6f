"""Bad input becomes its messages and exit code 2, in every command."""

import sys
from collections.abc import Callable

from bulkrm.model.errors import InputError


def guarded(run: Callable[[], int]) -> int:
    """Run a command and return its exit code."""
    try:
        return run()
    except InputError as error:
        for problem in error.problems:
            print(f"bulkrm: {problem}", file=sys.stderr)  # noqa: T201 (this is the terminal)
        print("Nothing was attempted.", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
