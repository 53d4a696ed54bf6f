"""One registry with three tags, and what changes single tags of it, without a run around."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy import Decoy, Decoys
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.recorder import NoRecorder
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import ignore
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.reference import Repository
from bulkrm.planning.tag_state import Pushed
from bulkrm.remote.sending import ALWAYS
from bulkrm.sandbox import Auth, Reply, Sandbox, SandboxSettings, oci_image, put_image
from bulkrm.state.errors import StateError
from tests.protocol.opening import app, opened
from tests.support.clock import FakeClock

APP = "team/app"
OPEN = SandboxSettings(auth=Auth.NONE)
REAL = r"sha256:(?!0{64})"  # the digest of something, and not the one by whose DELETE a registry is asked
DAMAGE = Reply(500, {"Docker-Distribution-Api-Version": "registry/2.0"}, b'{"errors":[{"code":"UNKNOWN"}]}')
RUN = "20260131T120000Z-abcdef"


class Lost:
    """A permission that is lost."""

    def holds(self) -> bool:
        return False


@dataclass
class Journal(NoRecorder):
    """Keeps the decoys that it hears of, and how much the registry had been asked to store by then."""

    sandbox: Sandbox
    full: bool = False
    heard: list[tuple[Sequence[str], Manifest, int]] = field(default_factory=list)

    @property
    def run(self) -> str:  # type: ignore[override]
        return RUN

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        if self.full:
            raise StateError("no room")
        assert repository == app(self.sandbox)
        self.heard.append((tags, decoy, len(sent(self.sandbox, "PUT"))))


@dataclass
class Scene:
    """A registry with three images under three tags, and what makes decoys for them."""

    sandbox: Sandbox
    clock: FakeClock
    stop: Stop
    journal: Journal
    context: RunContext
    gateway: Gateway
    changer: TagChanger
    decoys: Decoys
    held: Mapping[str, Digest]
    in_flight: RequestsInFlight

    async def pushed(self, *tags: str) -> Decoy:
        """A decoy over these tags, all of which held what they were to hold."""
        async with self.decoys.make(app(self.sandbox), tags) as decoy:
            for tag in tags:
                assert await decoy.push(decoy.change(tag, self.held[tag], ALWAYS)) == Pushed()
            return decoy

    def now(self) -> dict[str, str | None]:
        """What the tags lead to."""
        return {tag: self.sandbox.store.digest_of(APP, tag) for tag in self.sandbox.store.tags(APP) or ()}


@asynccontextmanager
async def scene(settings: SandboxSettings = OPEN) -> AsyncIterator[Scene]:
    clock, stop = FakeClock(auto=True), Stop()
    async with Sandbox(settings, clock=clock.wall) as sandbox, opened(clock=clock, login=None) as registries:
        held = {tag: Digest(put_image(sandbox.store, APP, [tag], oci_image(n))) for n, tag in enumerate("abc")}
        journal = Journal(sandbox)
        context = RunContext(ignore, stop, clock, journal)
        in_flight = RequestsInFlight(stop)
        gateway = Gateway(registries)
        changer, decoys = TagChanger(gateway, in_flight, clock), Decoys(gateway, in_flight, context)
        yield Scene(sandbox, clock, stop, journal, context, gateway, changer, decoys, held, in_flight)


def sent(sandbox: Sandbox, *methods: str) -> list[str]:
    """The last part of the path of every such request, in order."""
    return [line.path.rpartition("/")[2] for line in sandbox.log if line.method in methods]
