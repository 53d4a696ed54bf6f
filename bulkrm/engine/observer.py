"""What a run tells while it goes on. The engine is silent by itself; whoever listens is passed in."""

from typing import Protocol

from bulkrm.model.result.report import ImageResult


class Observer(Protocol):
    """A listener."""

    def phase(self, name: str, total: int) -> None:
        """Hear that a phase begins, with so many requests or images ahead."""
        ...

    def advance(self) -> None:
        """Hear that one of them is done."""
        ...

    def outcome(self, result: ImageResult) -> None:
        """Hear of an image's outcome, when it is final."""
        ...

    def warn(self, text: str) -> None:
        """Hear something that the user should know."""
        ...


class Silent:
    """Nobody listens."""

    def phase(self, name: str, total: int) -> None:
        """Ignore it."""

    def advance(self) -> None:
        """Ignore it."""

    def outcome(self, result: ImageResult) -> None:
        """Ignore it."""

    def warn(self, text: str) -> None:
        """Ignore it."""
