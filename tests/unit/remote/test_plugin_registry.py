"""A method of a plugin's backend that goes wrong fails, and does not stop the run."""

from typing import Any

import anyio
import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.remote.plugin_registry import RESULTS, open_plugin
from bulkrm.remote.reader import Reader
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending, Withdrawn

PLUGIN = Plugin("example-plugin", "1.5", "bulkrm.backends", "example")
APP = Repository("registry.example.com", "team/app")
DIGEST = Digest.of(b"a")


def opened(patience: float = 3600.0, **methods: Any) -> Registry:
    """The registry of a plugin with these methods; its host is not needed, because nothing is sent."""
    kind = type("Own", (Registry,), methods)
    return open_plugin(PLUGIN, kind, None, patience)  # type: ignore[arg-type]


async def test_a_method_that_never_returns() -> None:
    """It fails at the time limit, and says which one did not return."""

    async def tags(*_: Any) -> tuple[str, ...]:
        await anyio.sleep_forever()
        raise AssertionError

    with pytest.raises(RequestFailed) as caught:
        await opened(patience=0, tags=tags).tags(APP)

    assert caught.value.failure.code is FailureCode.PLUGIN_ERROR
    assert "its tags did not return in 0 s" in caught.value.failure.message


async def test_its_own_time_limit() -> None:
    """A TimeoutError of the plugin is its error, and not the limit of bulkrm."""

    async def tags(*_: Any) -> tuple[str, ...]:
        raise TimeoutError("the other server")

    with pytest.raises(RequestFailed, match="TimeoutError: the other server"):
        await opened(tags=tags).tags(APP)


async def test_failures_of_its_own() -> None:
    """A RequestFailed and a Withdrawn are what every backend raises."""
    failure = Failure(FailureCode.REFUSED, "locked")

    async def manifest(*_: Any) -> None:
        raise RequestFailed(failure)

    async def delete(*_: Any) -> None:
        raise Withdrawn

    registry = opened(manifest=manifest, delete=delete)

    with pytest.raises(RequestFailed) as caught:
        await registry.manifest(APP, "1.0")
    with pytest.raises(Withdrawn):
        await registry.delete(APP, DIGEST, Sending())
    assert caught.value.failure is failure


@pytest.mark.parametrize("effect", [Effect.OVER, Effect.OPEN])
async def test_a_change_that_may_have_been_sent(effect: Effect) -> None:
    """It is unconfirmed, and the remedy stands beside the way to find out."""

    async def delete(_: Any, __: Repository, ___: Digest, sending: Sending) -> Removal:
        sending.effect = effect
        raise KeyError("x")

    with pytest.raises(RequestFailed) as caught:
        await opened(delete=delete).delete(APP, DIGEST, Sending())

    assert caught.value.failure.code is FailureCode.UNCONFIRMED
    assert "pip uninstall example-plugin" in str(caught.value.failure.hint)


async def test_what_is_not_overridden_calls_what_is() -> None:
    """The inventory of the protocol lists by the `tags` of the plugin, whose result is checked there too."""

    async def tags(*_: Any) -> Any:
        return "abc"

    with pytest.raises(RequestFailed, match="it returned str where tuple or None is expected"):
        await opened(tags=tags).inventory(APP)


@pytest.mark.parametrize("name", RESULTS)
async def test_an_unusable_registry(name: str) -> None:
    """Where the registry could not be opened, each of its methods fails, for the whole host."""
    registry = open_plugin(PLUGIN, lambda _: 1 / 0, None)  # type: ignore[arg-type]

    with pytest.raises(RequestFailed, match="ZeroDivisionError"):
        await getattr(registry, name)(APP)


def test_every_public_method_has_its_result() -> None:
    """A method that is added to a registry has to be added to the table."""
    public = {name for kind in (Reader, Registry) for name in vars(kind) if not name.startswith("_") and name != "host"}

    assert public - {"ask"} == set(RESULTS)
