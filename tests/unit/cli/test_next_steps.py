"""The commands that lead on from a run: only where they lead somewhere, and quoted for the shell."""

import shlex
from pathlib import Path

import pytest
import typer

from bulkrm.cli.options.command import command
from bulkrm.cli.options.declared import PaceOptions, SignInOptions
from bulkrm.cli.options.retyped import retyped
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


def options(*words: str) -> list[str]:
    """The options that the next command repeats after `delete` with these words."""
    found: list[str] = []

    def delete(sign_in: SignInOptions, pace: PaceOptions) -> None:
        found.extend(retyped(sign_in, pace))

    app = typer.Typer()
    command(app)(delete)
    app(list(words), standalone_mode=False)
    return found


@pytest.mark.parametrize(
    ("typed", "again"),
    [
        ("", ""),
        ("--insecure", "--insecure"),
        ("--plain-http", "--plain-http"),
        ("--ca-file 'my ca.pem'", "--ca-file 'my ca.pem'"),
        ("--client-cert c.pem --client-key k.pem", "--client-cert c.pem --client-key k.pem"),
        ("--ca-file=-ca.pem", "--ca-file=-ca.pem"),
        ("-u ci -p", "-u ci -p"),
        ("--username ci", "-u ci"),
        ("-u-ci", "-u-ci"),
        ("-u 'ci;x'", "-u 'ci;x'"),
        ("-u ci --password-stdin", "-u ci -p"),
        ("-u ci --password-env CI_JOB_TOKEN", "-u ci --password-env CI_JOB_TOKEN"),
        ("--config my.toml", "--config my.toml"),
        ("-c 4 --rate 5/s --timeout 600", "-c 4 --rate 5/s --timeout 600"),
    ],
)
def test_options_of_the_next_command(typed: str, again: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every option by which a registry is reached is repeated, quoted, and parsed alike; no password is."""
    monkeypatch.chdir(tmp_path)
    Path("my.toml").write_text("concurrency = 2\n")

    found = options(*shlex.split(typed))

    assert " ".join(found) == again
    assert options(*shlex.split(again)) == found


def test_settings_are_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the environment and the configuration file set holds for the next command, too."""
    (tmp_path / "config.toml").write_text('timeout = "70"\n')
    monkeypatch.setenv("BULKRM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("BULKRM_CA_FILE", "ca.pem")

    assert options("--insecure") == ["--insecure"]


def test_apply_has_them_too() -> None:
    """A plan is applied with the options and the place of the records that it was made with."""
    commands = shlex.split(apply_step(Path("p.json"), Path("/s"), ["--insecure"]).split("`")[1])

    assert commands == ["bulkrm", "apply", "p.json", "--state-dir", "/s", "--insecure"]
