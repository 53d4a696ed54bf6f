"""Whether the record of a run will outlive the place where the run happens: a container, a job of a CI system."""

import re
from collections.abc import Mapping
from pathlib import Path

from bulkrm.state.location import ENVIRONMENT

# What Docker and Podman put into every container.
_MARKS = (".dockerenv", "run/.containerenv")
# Docker names a volume that nobody named by 64 digits, and `docker run --rm` deletes it with the container.
_NOBODYS_VOLUME = re.compile(r"/volumes/[0-9a-f]{64}/_data$")


def ends_with(folder: Path, environment: Mapping[str, str], *, chosen: bool, system: Path = Path("/")) -> str | None:
    """Say what a run's record in this folder ends with, and how to keep it; None where nothing says that it ends.

    `chosen`: the user said where it is to be. `system` is the root of the files that tell.
    """
    chosen = chosen or bool(environment.get(ENVIRONMENT))
    if environment.get("CI", "").lower() in ("true", "1") and not chosen:
        keep = f"set {ENVIRONMENT} or --state-dir to a folder that the job keeps as an artifact"
        return f"the record of this run, with which it could be resumed or undone, ends with the CI job: {keep}"
    temporary = Path(environment.get("TMPDIR") or "/tmp")  # noqa: S108 (nothing is put there)
    if chosen and folder.resolve().is_relative_to(temporary.resolve()):
        return None  # whoever chooses a place for temporary files knows it
    inside = "KUBERNETES_SERVICE_HOST" in environment or any((system / mark).exists() for mark in _MARKS)
    if inside and not _is_kept(folder, system):
        keep = f"mount a volume there (docker run -v bulkrm-state:{folder})"
        return f"the record of this run, with which it could be resumed or undone, ends with the container: {keep}"
    return None


def _is_kept(folder: Path, system: Path) -> bool:
    """Tell whether a folder is on something that was mounted into the container and stays behind; if in doubt, yes.

    The lines of mountinfo have the mounted folder's path in its own file system, then the mount point, and behind a
    lone dash the type of the file system (proc(5)).
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
            kept = point != Path("/") and not more.startswith("tmpfs ") and not _NOBODYS_VOLUME.search(inside)
    return kept
