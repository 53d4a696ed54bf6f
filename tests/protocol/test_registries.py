"""All registries of a run."""

from bulkrm.model.events import Warned, WarningKind
from bulkrm.model.result.report import Requests
from bulkrm.model.settings import Settings
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.credentials import Credentials, DockerConfig
from bulkrm.remote.registries import open_registries
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from tests.protocol.opening import ADMIN, PLAIN, app, fill, opened
from tests.support.scripted import ScriptedServer, Step, reply

NONE_THERE = reply(404, body=b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
OPEN = SandboxSettings(auth=Auth.NONE)


async def test_one_for_each_host() -> None:
    """A host has one registry, and what all of them sent is counted together."""
    async with Sandbox(OPEN) as first, Sandbox() as second, opened() as registries:
        for sandbox in (first, second):
            fill(sandbox, "1")
            await registries[sandbox.host].manifest(app(sandbox), "1")

        assert registries[first.host] is registries[first.host]
        assert registries[first.host] is not registries[second.host]
        assert registries.requests == Requests(registry=4, token=1)


async def test_whose_garbage_is_collected_by_command() -> None:
    """A registry that answers like distribution is known as one, another is not."""
    async with (
        Sandbox(OPEN) as sandbox,
        ScriptedServer([Step("GET /v2/", reply(200)), Step("GET /v2/team/app/manifests/1", NONE_THERE)]) as other,
        opened() as registries,
    ):
        for host in (sandbox.host, other.host):
            await registries[host].manifest(app(host), "1")

        assert registries.reclaiming.by_command == (sandbox.host,)
        assert registries.reclaiming.later == (sandbox.host, other.host)


async def test_remarks() -> None:
    """For a host whose entry in Docker's configuration does not help it is said why."""
    config = DockerConfig({"b.example": ADMIN}, {"a.example": "why"})
    async with open_registries(Settings(connection=PLAIN), Credentials({}, config), SystemClock()) as registries:
        assert list(registries.remarks()) == []
        for host in ("a.example", "b.example", "c.example"):
            assert registries[host].host.name == host

        assert list(registries.remarks()) == [Warned(WarningKind.CREDENTIALS, "a.example: why")]
