"""Events in the words that people read."""

import pytest

from bulkrm.cli.terminal.display.display import pause_line, phase_name
from bulkrm.model.events import Paused, PauseReason, Phase


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_name(phase: Phase) -> None:
    """A phase is called by words of its own, none of which is its key."""
    name = phase_name(phase)

    assert name[0].isupper()
    assert [other for other in Phase if phase_name(other) == name] == [phase]


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (PauseReason.ASKED, "reg.example asks to wait 30 s (429 or Retry-After); nothing is sent to it until then"),
        (PauseReason.TROUBLE, "reg.example does not answer as it should; trying again in 30 s"),
        (PauseReason.UNREACHABLE, "cannot reach reg.example, retrying in 30 s"),
    ],
)
def test_a_pause_names_its_reason(reason: PauseReason, line: str) -> None:
    """The line says which host, for how many seconds, and whether the registry asked for it."""
    assert pause_line(Paused("reg.example", 30.2, reason)) == line
