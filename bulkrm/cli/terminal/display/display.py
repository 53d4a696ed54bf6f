"""What all displays share: their interface, and the words for phases and pauses. One of them shows nothing."""

from types import TracebackType
from typing import Protocol, Self

from bulkrm.model.events import Paused, PauseReason, Phase


class Display(Protocol):
    """Shows the progress of a run."""

    def __enter__(self) -> Self:
        """Begin to show progress."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and remove what is drawn."""
        ...

    def phase(self, name: str, total: int) -> None:
        """Show a phase of `total` steps."""
        ...

    def advance(self) -> None:
        """Count one finished step of the phase."""
        ...

    def wait(self, pause: Paused) -> None:
        """Show that a host gets no requests for some time."""
        ...

    def say(self, text: str) -> None:
        """Show a line of text."""
        ...

    def pause(self) -> None:
        """Stop drawing until the next phase, while a question is asked."""
        ...


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""

    def phase(self, name: str, total: int) -> None:
        """Do nothing."""

    def advance(self) -> None:
        """Do nothing."""

    def wait(self, pause: Paused) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""

    def pause(self) -> None:
        """Do nothing."""


_PHASES = {
    Phase.LISTING_TAGS: "Listing tags",
    Phase.RESOLVING_IMAGES: "Resolving images",
    Phase.READING_MANIFESTS: "Reading manifests for conditions",
    Phase.READING_CONFIGURATIONS: "Reading configurations",
    Phase.RESOLVING_ATTACHED: "Resolving children and referrers",
    Phase.READING_INDEXES: "Reading indexes",
    Phase.CHECKING_OTHER_TAGS: "Checking other tags",
    Phase.CHECKING_NEEDED: "Checking what kept indexes need",
    Phase.REMOVING_DANGLING_TAGS: "Removing tags that lead nowhere",
    Phase.REMOVING_TAGS: "Removing tags",
    Phase.DELETING_MANIFESTS: "Deleting manifests",
    Phase.VERIFYING_KEPT: "Verifying kept tags",
    Phase.LOOKING_FOR_MISSING: "Looking for what is missing",
    Phase.VERIFYING_DELETED: "Verifying what was deleted",
    Phase.PUTTING_BACK: "Putting back",
}


def phase_name(phase: Phase) -> str:
    """Return the name of a phase, as the display shows it."""
    return _PHASES[phase]


def pause_line(pause: Paused) -> str:
    """Return the line on a pause: the host that gets no requests, for how long, and why."""
    match pause.reason:
        case PauseReason.ASKED:
            return f"{pause.host} asks to wait {pause.seconds:.0f} s (429 or Retry-After); nothing is sent to it until then"
        case PauseReason.TROUBLE:
            return f"{pause.host} does not answer as it should; trying again in {pause.seconds:.0f} s"
        case PauseReason.UNREACHABLE:
            return f"cannot reach {pause.host}, retrying in {pause.seconds:.0f} s"
