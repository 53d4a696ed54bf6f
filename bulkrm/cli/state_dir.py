"""The folder in which runs are recorded, and a warning where it is lost when its container or CI job ends."""

import re
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


# Files that Docker and Podman create in every container.
_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
# Docker names an anonymous volume by 64 hex digits, and `docker run --rm` deletes it with the container.
_ANONYMOUS_VOLUME = re.compile(r"/volumes/[0-9a-f]{64}/_data$")


def loss_warning(folder: Path, environment: Mapping[str, str], *, chosen: bool, system: Path = Path("/")) -> str | None:
    """Return a warning that a record in this folder is lost at the end of a container or CI job; None: nothing indicates that.

    `chosen`: the user named the folder by `--state-dir`. `system`: the root of the file system that is examined.
    """
    chosen = chosen or bool(environment.get(ENVIRONMENT))
    if environment.get("CI", "").lower() in ("true", "1") and not chosen:
        keep = f"set {ENVIRONMENT} or --state-dir to a folder that the job keeps as an artifact"
        return f"the record of this run, with which it could be resumed or undone, ends with the CI job: {keep}"
    temporary = Path(environment.get("TMPDIR") or "/tmp")  # noqa: S108 (nothing is put there)
    if chosen and folder.resolve().is_relative_to(temporary.resolve()):
        return None  # a user who names a temporary folder does not need the warning
    inside = "KUBERNETES_SERVICE_HOST" in environment or any((system / name).exists() for name in _CONTAINER_FILES)
    if inside and not _is_kept(folder, system):
        keep = f"mount a volume there (docker run -v bulkrm-state:{folder})"
        return f"the record of this run, with which it could be resumed or undone, ends with the container: {keep}"
    return None


def _is_kept(folder: Path, system: Path) -> bool:
    """Tell whether a folder is on a volume that outlives the container; True if that cannot be found out.

    A line of mountinfo has the path of the mounted folder in its own file system, then the mount point, and after a lone
    dash the type of the file system (proc(5)).
    """
    try:
        lines = (system / "proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    folder = folder.resolve()
    best, kept = Path(), True
    for line in lines:
        fields, _, more = line.partition(" - ")
        words = fields.split()
        if len(words) <= 4:  # noqa: PLR2004
            continue
        inside, point = words[3], Path(words[4].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best = point
            kept = point != Path("/") and not more.startswith("tmpfs ") and not _ANONYMOUS_VOLUME.search(inside)
    return kept
