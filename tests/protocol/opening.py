"""A client as a run opens it, with what a test wants to set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import EventListener, ignore
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Connection, Login, Pacing, Settings
from bulkrm.remote.clock import Clock, SystemClock
from bulkrm.remote.credentials import Credentials, DockerConfig
from bulkrm.remote.registries import Listeners, Registries, open_registries
from bulkrm.sandbox import Sandbox, oci_image, put_image
from tests.support.logins import Everywhere

ADMIN = Login("admin", Secret("admin"))
PLAIN = Connection(plain_http=True)


@asynccontextmanager
async def opened(
    *,
    login: Login | None = ADMIN,
    connection: Connection = PLAIN,
    pacing: Pacing = Pacing(),  # noqa: B008 (frozen)
    clock: Clock | None = None,
    tell: EventListener = ignore,
) -> AsyncIterator[Registries]:
    """The registries of one run; `admin` with his password, plain HTTP."""
    settings = Settings(pacing=pacing, connection=connection)
    credentials = Credentials(Everywhere(login), DockerConfig())
    async with open_registries(settings, credentials, clock or SystemClock(), Listeners(tell)) as registries:
        yield registries


def fill(sandbox: Sandbox, *tags: str, repository: str = "team/app", seed: int = 0) -> dict[str, str]:
    """Put an image under each tag; return their digests."""
    images = {tag: oci_image(seed + number, config_seed=0) for number, tag in enumerate(tags)}
    return {tag: put_image(sandbox.store, repository, [tag], image) for tag, image in images.items()}


def app(host: Sandbox | str, path: str = "team/app") -> Repository:
    """A repository of a host."""
    return Repository(host if isinstance(host, str) else host.host, path)


def failure_of(error: RequestFailed | BaseException) -> Failure:
    """The failure that an error carries."""
    assert isinstance(error, RequestFailed)
    return error.failure
