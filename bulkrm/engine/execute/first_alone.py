"""Lets the first deletion go alone, so that a registry which refuses it, or does not carry it out, gets it once.

A deletion waits for keys. The key of a host is opened once a DELETE had a result there, that of a place once a deletion was
proved. Until a key is open, one turn at a time holds it.
"""

from types import TracebackType

import anyio


class FirstAlone:
    """The keys of a run. Create it inside the event loop."""

    def __init__(self) -> None:
        """Create the keys when they are first asked for; all are closed."""
        self._open: set[str] = set()
        self._locks: dict[str, anyio.Lock] = {}

    def open(self, key: str) -> None:
        """Open a key: from now on nobody waits for it."""
        self._open.add(key)

    def turn(self, *keys: str) -> "Turn":
        """Return a turn for which all these keys are needed. Give them in the same order always, the widest first."""
        return Turn(self, keys)

    async def take(self, key: str) -> anyio.Lock | None:
        """Wait for a key; return the lock that has to be released, or None if the key is open."""
        if key in self._open:
            return None
        lock = self._locks.setdefault(key, anyio.Lock())
        await lock.acquire()
        if key in self._open:
            lock.release()
            return None
        return lock


class Turn:
    """One turn. As an async context manager it tells whether it goes alone."""

    __slots__ = ("_first_alone", "_held", "_keys")

    def __init__(self, first_alone: FirstAlone, keys: tuple[str, ...]) -> None:
        """Take the keys in the order in which they are waited for."""
        self._first_alone = first_alone
        self._keys = keys
        self._held: list[anyio.Lock] = []

    async def take(self) -> None:
        """Wait for all keys."""
        for key in self._keys:
            lock = await self._first_alone.take(key)
            if lock is not None:
                self._held.append(lock)

    def give_back(self) -> None:
        """Let the next one have its turn."""
        while self._held:
            self._held.pop().release()

    async def __aenter__(self) -> bool:
        """Wait for all keys; return whether this deletion goes alone."""
        try:
            await self.take()
        except BaseException:
            self.give_back()
            raise
        return bool(self._held)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the next one have its turn."""
        self.give_back()
