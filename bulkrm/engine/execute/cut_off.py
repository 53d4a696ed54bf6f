"""Notes what is uncertain where a block is cut off in the middle of a change.

A second signal cancels what is under way, and a bug may end it anywhere. By then a request may have been sent whose answer nobody
will see. Whoever sends one says before it what is to be noted of it in that case; the exception goes on in any case:

    with CutOff(change, removed_ahead.doubt, repository, tag, digest):
        changed = await changer.delete(change)
"""

from collections.abc import Callable
from types import TracebackType
from typing import Generic, ParamSpec, Protocol

from bulkrm.model.result.effect import Effect

P = ParamSpec("P")


class HasEffect(Protocol):
    """A change, or something else that was sent."""

    @property
    def effect(self) -> Effect:
        """What its sends may have done by now."""
        ...


class _Anything:
    """Whatever was sent in a block: the one who takes the note knows it."""

    __slots__ = ()

    @property
    def effect(self) -> Effect:
        """It may have acted."""
        return Effect.OPEN


ANYTHING = _Anything()


class CutOff(Generic[P]):
    """A block at whose end by an exception a note is taken, if what was sent in it may have acted.

    A class, because every tag that is removed goes through it.
    """

    __slots__ = ("_args", "_note", "_sent")

    def __init__(self, sent: HasEffect, note: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """`note` is called with the other arguments."""
        self._sent = sent
        self._note = note
        self._args = args, kwargs

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the note if an exception ends the block, and something may have acted."""
        if error is not None and self._sent.effect.may_have_acted:
            args, kwargs = self._args
            self._note(*args, **kwargs)
