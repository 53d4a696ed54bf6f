"""The commands that lead on from a run: only where they lead somewhere, and quoted for the shell."""

import shlex
from pathlib import Path

import pytest

from bulkrm.cli.terminal.next_steps import apply_step, resume_step, undo_step
from bulkrm.model.result.outcome import Deleted, Gone, Kept, KeptReason, Outcome, Untagged
from bulkrm.model.result.report import ImageResult

RUN = "20260131T120000Z-abcdef"


def results(*outcomes: Outcome, host: str = "one.example") -> list[ImageResult]:
    """An image for each outcome."""
    return [ImageResult(f"{host}/app:{number}", outcome) for number, outcome in enumerate(outcomes)]


@pytest.mark.parametrize("outcome", [Deleted(), Untagged()])
def test_undo(outcome: Outcome) -> None:
    """Where something went that can be put back, the run's name and the command that does it are told."""
    assert list(undo_step(RUN, results(Gone(), outcome), {"one.example"}, None)) == [
        f"`bulkrm undo {RUN}` puts back what this run deleted"
    ]


def test_no_undo() -> None:
    """Nothing is told where nothing went, where only a tag without a manifest went, or where nothing can be put back."""
    nothing = results(Gone(), Kept(KeptReason.SHARED), Deleted(for_good=True))

    assert list(undo_step(RUN, nothing, {"one.example"}, None)) == []
    assert list(undo_step(RUN, results(Deleted()), set(), None)) == []


def test_hosts_without_undo() -> None:
    """Hosts where nothing can be put back are named beside those where it can."""
    images = results(Deleted()) + results(Deleted(), host="two.example")

    (step,) = undo_step(RUN, images, {"one.example"}, None)

    assert step.endswith("puts back what this run deleted, but for two.example")


def test_place_of_the_records() -> None:
    """A place of the records that was typed is typed again, quoted where the shell wants that."""
    place = Path("/var/lib/my runs")

    assert shlex.split(resume_step(RUN, place).split("`")[1]) == ["bulkrm", "resume", RUN, "--state-dir", str(place)]
    assert f"bulkrm undo {RUN} --state-dir '/var/lib/my runs'" in next(
        undo_step(RUN, results(Deleted()), {"one.example"}, place)
    )


@pytest.mark.parametrize("name", ["plan.json", "my plan's.json", "-plan.json", "$(x).json"])
def test_apply(name: str) -> None:
    """The name of a plan reaches `apply` as one word that is no option."""
    command, name_in_it = shlex.split(apply_step(Path(name)).split("`")[1])[1:]

    assert command == "apply"
    assert name_in_it in (name, f"./{name}")
    assert not name_in_it.startswith("-")
