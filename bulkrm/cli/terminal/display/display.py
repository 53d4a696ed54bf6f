"""What every display can do, and the one that shows nothing."""

from types import TracebackType
from typing import Protocol, Self

from bulkrm.model.events import Paused


class Display(Protocol):
    """Shows how far a run is."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        ...

    def phase(self, name: str, total: int) -> None:
        """Begin a phase."""
        ...

    def advance(self) -> None:
        """Go one step on."""
        ...

    def wait(self, pause: Paused) -> None:
        """Show that nothing is sent to a host for a while."""
        ...

    def say(self, text: str) -> None:
        """Show a line of text."""
        ...

    def pause(self) -> None:
        """Leave the terminal to a question."""
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
