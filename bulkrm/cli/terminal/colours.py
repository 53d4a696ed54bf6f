"""Whether colours are wanted, as the environment says it to all programs.

`NO_COLOR` (no-color.org) with any value: none, whatever else is set. `CLICOLOR_FORCE` (bixense.com/clicolors) with any
value but 0: also where the output is no terminal. `CLICOLOR=0`, or a terminal that is `dumb` or of no known kind: none.
"""

from collections.abc import Mapping


def wants_colour(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Tell whether a text is to be coloured. `is_terminal`: where it goes."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal and environment.get("CLICOLOR") != "0" and not is_dumb(environment)


def is_dumb(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal cannot do more than show one line after another."""
    return environment.get("TERM", "") in ("", "dumb", "unknown")
