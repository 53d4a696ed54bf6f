"""Where the runs are recorded, and the warning where that is lost with its container or CI job."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bulkrm.cli.state_dir import loss_warning, state_dir

LAYER = "100 1 0:50 / / rw,relatime - overlay overlay rw\n"
VOLUME = "101 100 8:1 /var/lib/docker/volumes/bulkrm-state/_data /state rw - ext4 /dev/sda1 rw\n"
NOBODYS = f"101 100 8:1 /var/lib/docker/volumes/{'0f' * 32}/_data /state rw - ext4 /dev/sda1 rw\n"
MEMORY = "101 100 0:60 / /state rw - tmpfs tmpfs rw\n"
SPACED = "101 100 8:1 /srv/it /my\\040state rw - ext4 /dev/sda1 rw\n"
CONTAINER = ".dockerenv"


def system(root: Path, mounts: str | None, mark: str | None = CONTAINER) -> Path:
    """Files as a container has them."""
    (root / "proc/self").mkdir(parents=True)
    (root / "run").mkdir()
    if mounts is not None:
        (root / "proc/self/mountinfo").write_text(mounts, encoding="utf-8")
    if mark is not None:
        (root / mark).touch()
    return root


def test_state_dir() -> None:
    """The option, the environment, the XDG base directory, the home."""
    everything = {"BULKRM_STATE_DIR": "/a", "XDG_STATE_HOME": "/x", "HOME": "/h"}

    assert state_dir(Path("here"), everything) == Path("here")
    assert state_dir(None, everything) == Path("/a")
    assert state_dir(None, {"XDG_STATE_HOME": "/x", "HOME": "/h"}) == Path("/x/bulkrm")
    assert state_dir(None, {"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state/bulkrm")
    assert state_dir(None, {}) == Path("/.local/state/bulkrm")


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
@pytest.mark.parametrize(
    ("mounts", "folder", "lost"),
    [
        (LAYER, "/state", True),
        (LAYER + VOLUME, "/state", False),
        (LAYER + VOLUME, "/state/deeper", False),
        (LAYER + VOLUME, "/statement", True),
        (LAYER + NOBODYS, "/state", True),
        (LAYER + MEMORY, "/state", True),
        (LAYER + SPACED, "/my state", False),
        (LAYER + "no such line\n", "/state", True),
        (None, "/state", False),
    ],
)
def test_a_container(tmp_path: Path, *, mark: str, mounts: str | None, folder: str, lost: bool) -> None:
    """What is on no mounted volume, or on one without a name, goes with the container."""
    said = loss_warning(Path(folder), {}, chosen=True, system=system(tmp_path, mounts, mark))

    assert (said is not None) == lost
    assert said is None or f"-v bulkrm-state:{folder}" in said


@pytest.mark.parametrize(("environment", "chosen"), [({}, True), ({"BULKRM_STATE_DIR": "x"}, False)])
def test_a_place_for_temporary_files(tmp_path: Path, environment: Mapping[str, str], *, chosen: bool) -> None:
    """Whoever chooses one, as the demo does, need not be told that it does not last."""
    temporary = Path(tempfile.gettempdir()) / "x/state"
    place = system(tmp_path, LAYER)

    assert loss_warning(temporary, environment, chosen=chosen, system=place) is None
    assert loss_warning(temporary, {}, chosen=False, system=place) is not None


def test_no_container(tmp_path: Path) -> None:
    """On a machine of one's own files stay."""
    place = system(tmp_path, LAYER, None)

    assert loss_warning(Path("/state"), {}, chosen=False, system=place) is None
    assert loss_warning(Path("/state"), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, chosen=False, system=place) is not None


@pytest.mark.parametrize(
    ("environment", "chosen", "lost"),
    [
        ({"CI": "true"}, False, True),
        ({"CI": "1"}, False, True),
        ({"CI": "true"}, True, False),
        ({"CI": "true", "BULKRM_STATE_DIR": "/kept"}, False, False),
        ({"CI": "false"}, False, False),
        ({}, False, False),
    ],
)
def test_a_ci_job(tmp_path: Path, *, environment: Mapping[str, str], chosen: bool, lost: bool) -> None:
    """A job's home goes with it; whoever names a folder keeps that."""
    said = loss_warning(Path("/home/ci"), environment, chosen=chosen, system=system(tmp_path, LAYER, None))

    assert (said is not None) == lost
    assert said is None or "artifact" in said
