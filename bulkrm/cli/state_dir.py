"""The folder in which runs are recorded."""

from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = "BULKRM_STATE_DIR"


def state_dir(option: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the state folder: `option`, else BULKRM_STATE_DIR, else `bulkrm` in the user's state directory (XDG)."""
    if option is not None:
        return option
    if environment.get(ENVIRONMENT):
        return Path(environment[ENVIRONMENT])
    base = environment.get("XDG_STATE_HOME", "")
    # XDG Base Directory Specification: relative paths are ignored.
    home = Path(base) if base.startswith("/") else Path(environment.get("HOME") or "/").joinpath(".local", "state")
    return home / "bulkrm"
