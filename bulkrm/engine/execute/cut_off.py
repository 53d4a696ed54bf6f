"""Notes what is uncertain after a change that was cut off.

A second signal cancels the tasks of a run, and a bug may end one anywhere. By then a request may have been sent whose answer
nobody will see. So a change is sent in a block that notes, where an exception ends it, what the request may have done. The
exception is raised again:

    with CutOff(change, removed_ahead.doubt, repository, tag, digest):
        changed = await changer.delete(change)
"""

from collections.abc import Callable
from types import TracebackType
from typing import Generic, ParamSpec, Protocol

from bulkrm.model.result.effect import Effect

P = ParamSpec("P")


class HasEffect(Protocol):
    """Something that was sent, such as a change."""

    @property
    def effect(self) -> Effect:
        """What its sends may have done by now."""
        ...


class _Anything:
    """For blocks that send several requests, any of which may have acted when the block is cut off."""

    __slots__ = ()

    @property
    def effect(self) -> Effect:
        """Always `OPEN`."""
        return Effect.OPEN


ANYTHING = _Anything()


class CutOff(Generic[P]):
    """A block. If an exception ends it, and `sent` may have acted by then, `note` is called.

    It is a class because every removed tag enters one, and a generator is slower.
    """

    __slots__ = ("_args", "_note", "_sent")

    def __init__(self, sent: HasEffect, note: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """`sent`: what the block sends. `note`: called with the other arguments."""
        self._sent = sent
        self._note = note
        self._args = args, kwargs

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Call `note` if an exception ends the block, and `sent` may have acted."""
        if error is not None and self._sent.effect.may_have_acted:
            args, kwargs = self._args
            self._note(*args, **kwargs)
