"""Requests to a repository return failures as values, and a failure that reaches further is not met again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bulkrm.engine.gateway import Gateway
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.settings import Connection, Pacing, Settings
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.credentials.docker_config import DockerConfig
from bulkrm.remote.sending import Sending, Withdrawn
from bulkrm.sandbox import Reply, oci_image
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry, reaching

SETTINGS = Settings(Pacing(4, None, 60.0), Connection())


class Scene:
    """A registry with one tag in each of two repositories, and a gateway to it."""

    def __init__(self, gateway: Gateway, registry: FakeRegistry) -> None:
        self.gateway = gateway
        self.registry = registry
        self.app, self.lib = (Repository(registry.host, path) for path in ("app", "lib"))
        self.digests = {path: registry.push(path, oci_image(seed), "1") for seed, path in enumerate(("app", "lib"))}

    def refuse(self, status: int, method: str, path: str = "/v2/app/", times: int | None = None) -> None:
        """Answer such requests with this status from now on."""
        self.registry.faults.add(Reply(status), method=method, path=path, times=times)

    async def manifest(self) -> Manifest:
        """Return that of the first repository."""
        found = await self.gateway.with_fresh_memory().repository(self.app).manifest("1")
        assert isinstance(found, Manifest)
        return found


@asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    clock = FakeClock(auto=True)
    registry = FakeRegistry(clock)
    async with reaching(registry)(SETTINGS, Credentials({}, DockerConfig()), clock) as registries:
        yield Scene(Gateway(registries), registry)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A registry and a gateway."""
    async with _scene() as made:
        yield made


def code(found: object) -> FailureCode | None:
    """That of a failure."""
    return found.code if isinstance(found, Failure) else None


async def test_a_repository_that_refuses_is_not_asked_again(scene: Scene) -> None:
    """What a repository refused is known for all requests to it, and for those to no other one."""
    scene.refuse(403, "GET")
    app, lib = map(scene.gateway.repository, (scene.app, scene.lib))
    first = await app.manifest("1")
    sent = len(scene.registry.sent)

    again = [await app.manifest("2"), await app.look("1"), await app.tags(), app.known_failure]

    assert code(first) is FailureCode.NOT_PERMITTED
    assert again == [first] * 4
    assert len(scene.registry.sent) == sent
    assert await lib.tags() == ("1",)


async def test_the_hint_names_the_missing_credentials(scene: Scene) -> None:
    """Who sent no credentials is told so where permission is missing."""
    scene.refuse(403, "GET")

    found = await scene.gateway.repository(scene.app).manifest("1")

    assert isinstance(found, Failure)
    assert (found.hint or "").startswith("no credentials were given")


async def test_kinds_of_requests(scene: Scene) -> None:
    """Who may not push may still delete and read; where no tag can be deleted a manifest may go."""
    manifest = await scene.manifest()
    app = scene.gateway.repository(scene.app)
    scene.refuse(403, "PUT")
    scene.refuse(403, "DELETE", "/v2/app/manifests/1")

    pushed = [await app.put("2", manifest, Sending()), await app.restore(manifest, Sending())]
    untagged = await app.delete_tag("1", Sending())

    assert [code(found) for found in (*pushed, untagged)] == [FailureCode.NOT_PERMITTED] * 3
    assert len(scene.registry.asked("PUT")) == 1
    assert app.known_failure_of_untagging == untagged
    assert app.known_failure is app.known_failure_of_deleting is None
    assert await app.delete(manifest.digest, Sending()) is Removal.ACCEPTED


async def test_the_circuit_breaker(scene: Scene) -> None:
    """After many failures in a row a host that had answered is left alone, in all its repositories; other memories ask it."""
    app, lib = map(scene.gateway.repository, (scene.app, scene.lib))
    assert await lib.tags() == ("1",)
    scene.refuse(503, "GET", "/v2/app/manifests/")
    rereading = scene.gateway.for_rereading().repository(scene.lib)

    for _ in range(8):
        assert await rereading.tags() == ("1",)  # these answers do not count
        assert code(await app.manifest("1")) is FailureCode.SERVER_ERROR

    known = [await lib.tags(), await rereading.tags(), app.known_failure]
    assert [type(found) for found in known] == [CircuitOpen] * 3
    assert await scene.gateway.with_fresh_memory().repository(scene.lib).tags() == ("1",)


async def test_an_answer_closes_the_circuit(scene: Scene) -> None:
    """Failures in a row are counted anew after an answer."""
    app, lib = map(scene.gateway.repository, (scene.app, scene.lib))
    scene.refuse(503, "GET", "/v2/app/manifests/")

    for _ in range(20):
        assert await lib.tags() == ("1",)
        assert code(await app.manifest("1")) is FailureCode.SERVER_ERROR

    assert app.known_failure is None


async def test_a_withdrawn_change_counts_as_what_its_last_send_met(scene: Scene) -> None:
    """A change that is taken back raises Withdrawn; that its host failed before is not forgotten."""
    app = scene.gateway.repository(scene.app)
    manifest = await scene.manifest()
    assert await app.tags() == ("1",)
    scene.refuse(503, "PUT")

    for _ in range(8):
        with pytest.raises(Withdrawn):
            await app.put("1", manifest, Sending(repeatable=False))

    assert isinstance(app.known_failure, CircuitOpen)


@pytest.mark.parametrize(("status", "asked"), [(500, 1), (429, 2)])
async def test_possibly_damaged(scene: Scene, status: int, asked: int) -> None:
    """One 500 is enough for a tag that may be damaged; what says nothing of the tag is asked for again."""
    scene.refuse(status, "GET", "/v2/app/manifests/", times=1)

    found = await scene.gateway.repository(scene.app).possibly_damaged("1")

    assert code(found) is (FailureCode.SERVER_ERROR if status == 500 else None)
    assert len([line for line in scene.registry.asked("GET") if "/manifests/" in line]) == asked


async def test_the_catalog(scene: Scene) -> None:
    """The catalog is listed; that it is refused says nothing of the repositories."""
    assert await scene.gateway.catalog(scene.registry.host).repositories() == ("app", "lib")
    scene.refuse(403, "GET", "/v2/_catalog")

    assert code(await scene.gateway.catalog(scene.registry.host).repositories()) is FailureCode.NO_CATALOG
    assert await scene.gateway.repository(scene.app).tags() == ("1",)


async def test_what_is_learned_holds_for_the_host(scene: Scene) -> None:
    """That manifests go only without tags is known from then on in every repository of the host."""
    scene.gateway.repository(scene.app).learn_untagged_first()

    assert scene.gateway.traits(scene.registry.host).untagged_first
