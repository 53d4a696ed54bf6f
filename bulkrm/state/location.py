"""The folder in which runs are recorded."""

from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = "BULKRM_STATE_DIR"


def state_dir(option: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the folder that the user names, else `bulkrm` in the state directory of the XDG base directory specification."""
    if option is not None:
        return option
    if environment.get(ENVIRONMENT):
        return Path(environment[ENVIRONMENT])
    base = environment.get("XDG_STATE_HOME", "")
    # The specification wants relative paths to be ignored.
    home = Path(base) if base.startswith("/") else Path(environment.get("HOME") or "/").joinpath(".local", "state")
    return home / "bulkrm"
