"""Runs against registries in memory, on a clock that jumps to the next thing that happens."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bulkrm.engine.recover.undo import Loss
from bulkrm.sandbox import Call, SandboxSettings, ServerRequest, oci_image
from tests.integration.engine import Done, Options, delete, undo
from tests.integration.resumed import resume
from tests.support.clock import FakeClock
from tests.support.fake_registry import OPEN, FakeRegistry, reaching

APP = "team/app"
LIST = f"- {APP}:pr-*"
TAGS = replace(OPEN, tag_deletes=True)
# The path of a manifest's digest, and not of the one that nothing has, by whose DELETE a registry is asked.
REAL = r"sha256:(?!0{64})"


class Runs:
    """A registry, and what is done with it."""

    def __init__(self, settings: SandboxSettings = OPEN, *others: FakeRegistry, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock(auto=True)
        self.registry = FakeRegistry(self.clock, settings)
        self._reaching = reaching(self.registry, *others)

    def fill(self, number: int, *more: str, start: int = 0) -> list[str]:
        """Push so many images as `pr-N`, each under that tag and `pr-N-MORE`; return their digests."""
        return [
            self.registry.push(APP, oci_image(seed), f"pr-{seed}", *(f"pr-{seed}-{name}" for name in more))
            for seed in range(start, start + number)
        ]

    def keep(self, *tags: str, seed: int = 999) -> str:
        """Push an image that no list of the tests names; return its digest."""
        return self.registry.push(APP, oci_image(seed), *(tags or ("latest",)))

    def options(self, **chosen: Any) -> Options:
        return Options(clock=self.clock, opened=self._reaching, **chosen)

    async def delete(self, text: str = LIST, **chosen: Any) -> Done:
        """Carry out a list."""
        return await delete(self.registry.host, text, self.options(**chosen))

    async def plan(self, text: str = LIST, **chosen: Any) -> Done:
        """Stop where the first deletion would be."""
        return await self.delete(text, dry_run=True, **chosen)

    async def resume(self, state: Path, **chosen: Any) -> Done:
        """Go on with the only run in a state folder."""
        return await resume(self.registry.host, self.options(state=state, **chosen))

    async def undo(self, losses: Sequence[Loss], **chosen: Any) -> dict[str, str]:
        """Put back."""
        return await undo(losses, options=self.options(**chosen))

    def on(self, method: str, path: str, action: Callable[[], object], **when: Any) -> None:
        """Call a function when such a request comes, before it is answered."""

        async def act(_: ServerRequest) -> None:
            action()

        self.registry.faults.add(Call(act), method=method, path=path, **when)


def words(done: Done) -> dict[str, str]:
    """What became of each image, by its tag or digest alone."""
    return {name.removeprefix(APP)[1:]: word for name, word in done.statuses.items()}
