"""The extensions that CONTRIBUTING.md prints: as a file in a copy of the package, and as another distribution."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_FOLDERS = {
    "bulkrm.formats": ("bulkrm/reports", "FORMAT"),
    "bulkrm.families": ("bulkrm/families", "FAMILY"),
    "bulkrm.selectors": ("bulkrm/selection/selectors", "SELECTOR"),
    "bulkrm.credential_sources": ("bulkrm/remote/credentials", "SOURCE"),
    "bulkrm.backends": ("bulkrm/remote/backends", "BACKEND"),
}


def printed(heading: str) -> list[str]:
    """The Python of a section of CONTRIBUTING.md."""
    section = CONTRIBUTING.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an extension was put: the folder to work in, and the environment variables to set."""

    folder: Path
    env: Mapping[str, str]


def as_file(folder: Path, group: str, source: str) -> Place:
    """Copy the package, with its compiled files, and add one file to it."""
    shutil.copytree(ROOT / "bulkrm", folder / "bulkrm")
    (folder / _FOLDERS[group][0] / "example.py").write_text(source, encoding="utf-8")
    return Place(folder, {})


def as_plugin(
    folder: Path, group: str, source: str, name: str = "example", value: str | None = None, *, metadata: bool = True
) -> Place:
    """Create the files of an installed distribution: a module, its metadata, and its entry point."""
    module = f"{name.replace('-', '_')}_plugin"
    (folder / "work").mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-1.5.dist-info"
    info.mkdir()
    value = value or f"{module}:{_FOLDERS[group][1]}"
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n", encoding="utf-8")
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.5\n", encoding="utf-8")
    return Place(folder / "work", {"PYTHONPATH": str(folder)})
