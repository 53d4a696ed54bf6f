"""Lets the first deletion go alone, so that a registry which refuses it, or does not carry it out, gets it once.

A deletion passes gates. That of its host is opened once a DELETE had a result there, those of its place once a deletion was
proved. Through a closed gate one deletion goes at a time, and holds it until it is over.
"""

from types import TracebackType

import anyio


class FirstAlone:
    """The gates of a run. Create it inside the event loop."""

    def __init__(self) -> None:
        """Create the gates when they are first asked for; all are closed."""
        self._open: set[str] = set()
        self._locks: dict[str, anyio.Lock] = {}

    def open(self, gate: str) -> None:
        """Open a gate: from now on nobody waits before it."""
        self._open.add(gate)

    def turn(self, *gates: str) -> "Turn":
        """Return the turn of a deletion that passes all these gates. Give them in the same order always, the widest first."""
        return Turn(self, gates)

    async def enter(self, gate: str) -> anyio.Lock | None:
        """Wait before a closed gate; return the lock that has to be released, or None if the gate is open."""
        if gate in self._open:
            return None
        lock = self._locks.setdefault(gate, anyio.Lock())
        await lock.acquire()
        if gate in self._open:
            lock.release()
            return None
        return lock


class Turn:
    """The turn of one deletion. As an async context manager it tells whether the deletion goes alone."""

    __slots__ = ("_first_alone", "_gates", "_held")

    def __init__(self, first_alone: FirstAlone, gates: tuple[str, ...]) -> None:
        """`gates`: in the order in which they are passed."""
        self._first_alone = first_alone
        self._gates = gates
        self._held: list[anyio.Lock] = []

    async def take(self) -> None:
        """Pass all gates."""
        for gate in self._gates:
            lock = await self._first_alone.enter(gate)
            if lock is not None:
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
