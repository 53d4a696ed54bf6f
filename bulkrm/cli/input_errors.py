"""Bad input becomes its messages and exit code 2, in every command."""

from collections.abc import Callable

from bulkrm.cli.terminal.console import complain, say
from bulkrm.model.errors import InputError


def exit_on_input_error(run: Callable[[], int]) -> int:
    """Run a command and return its exit code."""
    try:
        return run()
    except InputError as error:
        return show_input_error(error)
    except KeyboardInterrupt:
        return 130


def show_input_error(error: InputError) -> int:
    """Say what is wrong with the input; return the exit code."""
    for problem in error.problems:
        complain(str(problem))
    say("Nothing was attempted.")
    return _BAD_INPUT


_BAD_INPUT = 2
