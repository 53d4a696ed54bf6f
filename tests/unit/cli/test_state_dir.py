"""Where the runs are recorded."""

from pathlib import Path

from bulkrm.cli.state_dir import state_dir


def test_state_dir() -> None:
    """The option, the environment, the XDG base directory, the home."""
    everything = {"BULKRM_STATE_DIR": "/a", "XDG_STATE_HOME": "/x", "HOME": "/h"}

    assert state_dir(Path("here"), everything) == Path("here")
    assert state_dir(None, everything) == Path("/a")
    assert state_dir(None, {"XDG_STATE_HOME": "/x", "HOME": "/h"}) == Path("/x/bulkrm")
    assert state_dir(None, {"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state/bulkrm")
    assert state_dir(None, {}) == Path("/.local/state/bulkrm")
