"""Bad input becomes its messages and exit code 2, in every command."""

from collections.abc import Callable

from bulkrm.cli.terminal.console import complain, say
from bulkrm.model.errors import InputError


def exit_on_input_error(run: Callable[[], int]) -> int:
    """Run a command and return its exit code."""
    try:
        return run()
    except InputError as error:
        for problem in error.problems:
            complain(str(problem))
        say("Nothing was attempted.")
        return 2
    except KeyboardInterrupt:
        return 130
