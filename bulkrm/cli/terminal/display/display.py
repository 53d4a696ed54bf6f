"""The interface of all displays, and the display that shows nothing."""

from types import TracebackType
from typing import Protocol, Self

from bulkrm.model.events import Paused


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
