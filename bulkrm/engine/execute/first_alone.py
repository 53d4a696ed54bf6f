"""Lets the first deletion go alone, so that a registry which refuses it, or does not carry it out, gets it once.

A deletion passes gates. Through a closed gate one deletion goes at a time, and holds it until it is over. `GateKind` says
when a gate is opened.
"""

from enum import StrEnum
from types import TracebackType
from typing import NamedTuple

import anyio


class GateKind(StrEnum):
    """What passes a gate, and by what the gate is opened.

    `HOST`: everything of a host, until a DELETE had a result there. The others are those of a place: `MANIFEST`, until a
    deletion was proved; `TAGGED_MANIFEST`, until one was that showed what becomes of the tags; `TAG` of a manifest that
    stays, until one went and its manifest did not.
    """

    HOST = "host"
    MANIFEST = "manifest"
    TAGGED_MANIFEST = "tagged manifest"
    TAG = "tag"


class DeletionGate(NamedTuple):
    """A gate of a host, or of a place (`place_of`)."""

    where: str
    kind: GateKind = GateKind.HOST


class FirstAlone:
    """The gates of a run. Create it inside the event loop."""

    def __init__(self) -> None:
        """Create the gates when they are first asked for; all are closed."""
        self._open: set[DeletionGate] = set()
        self._locks: dict[DeletionGate, anyio.Lock] = {}

    def open(self, gate: DeletionGate) -> None:
        """Open a gate: from now on nobody waits before it."""
        self._open.add(gate)

    def turn(self, *gates: DeletionGate) -> "Turn":
        """Return the turn of a deletion that passes all these gates. Give them in the same order always, the widest first."""
        return Turn(self._open, self._locks, gates)


class Turn:
    """The turn of one deletion. As an async context manager it tells whether the deletion goes alone."""

    __slots__ = ("_gates", "_held", "_locks", "_open")

    def __init__(
        self, opened: set[DeletionGate], locks: dict[DeletionGate, anyio.Lock], gates: tuple[DeletionGate, ...]
    ) -> None:
        """Take the `opened` gates and the `locks` of all of them, and `gates`, in the order in which they are passed."""
        self._open = opened
        self._locks = locks
        self._gates = gates
        self._held: list[anyio.Lock] = []

    async def take(self) -> None:
        """Pass all gates: wait before each closed one, and hold it, unless it was opened meanwhile."""
        for gate in self._gates:
            if gate not in self._open:
                lock = self._locks.setdefault(gate, anyio.Lock())
                await lock.acquire()
                if gate in self._open:
                    lock.release()
                else:
                    self._held.append(lock)

    def give_back(self) -> None:
        """Let the next deletion have its turn."""
        while self._held:
            self._held.pop().release()

    async def __aenter__(self) -> bool:
        """Pass all gates; return whether this deletion goes alone."""
        try:
            await self.take()
        except BaseException:
            self.give_back()
            raise
        return bool(self._held)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the next deletion have its turn."""
        self.give_back()
