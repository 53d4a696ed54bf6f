"""All registries of a run, each opened on its first use."""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Self

from bulkrm.families.family import address_of, traits_of
from bulkrm.model.events import EventListener, RequestAnswered, Warned, WarningKind, ignore
from bulkrm.model.limits import RAISE_LIMIT
from bulkrm.model.result.report import Reclaiming, Requests
from bulkrm.model.settings import Settings
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.auth.token_cache import Tokens
from bulkrm.remote.backends.backend import backend_of
from bulkrm.remote.clock import Clock
from bulkrm.remote.context import RemoteContext
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.host import Host
from bulkrm.remote.plugin_registry import open_plugin
from bulkrm.remote.registry import Registry
from bulkrm.remote.transport.connections import Sharing
from bulkrm.remote.transport.proxy import refuse_unusable
from bulkrm.remote.transport.redaction import public
from bulkrm.remote.transport.sessions import Trace, Transport, no_trace
from bulkrm.remote.transport.tls import OwnTls, tls_of

_LIMIT = f"the limit of open files: {RAISE_LIMIT}"


class Registries:
    """A registry for each host. They share the transport and the token cache."""

    def __init__(self, context: RemoteContext, credentials: Credentials) -> None:
        """`context`: the objects that all registries share."""
        self._context = context
        self._credentials = credentials
        self._registries: dict[str, Registry] = {}

    def __getitem__(self, host: str) -> Registry:
        """Return the registry of a host (a normal form)."""
        registry = self._registries.get(host)
        if registry is None:
            found = backend_of(host)
            backend, plugin = found.value, found.plugin
            way = Host(host, self._credentials, backend.traits or traits_of(host), self._context)
            registry = backend.open(way) if plugin is None else open_plugin(plugin, backend.open, way)
            self._registries[host] = registry
        return registry

    @property
    def sharing(self) -> Sharing:
        """Which reads may share connections now. After reads in bulk the caller has to check `mixed_up`."""
        return self._context.sharing

    async def mixed_up(self) -> list[str]:
        """Return the hosts whose answers in bulk were mixed up, so that all of them have to be read again; each only once."""
        return [name for name, registry in list(self._registries.items()) if not await registry.host.confirm()]

    @property
    def reclaiming(self) -> Reclaiming:
        """How the space of deleted images becomes free, on the hosts that were used so far."""
        traits = {name: registry.host.traits for name, registry in self._registries.items()}
        by_command = tuple(name for name, found in traits.items() if found.collected_by_command)
        return Reclaiming(by_command, tuple(name for name, found in traits.items() if found.restorable))

    def remarks(self) -> Iterator[Warned]:
        """Yield warnings about settings that cannot be used: sources of credentials, entries in them, the concurrency."""
        yield from (Warned(WarningKind.CREDENTIALS, text) for text in self._credentials.warnings)
        pacing = self._context.settings.pacing
        if (pacing.concurrency or 0) > pacing.connections:
            text = f"no more than {pacing.connections} requests at a time went to one registry, not to reach {_LIMIT}"
            yield Warned(WarningKind.CONCURRENCY, text)
        for host in self._registries:
            why = self._credentials.remark(host)
            if why is not None:
                yield Warned(WarningKind.CREDENTIALS, f"{host}: {why}")

    @property
    def requests(self) -> Requests:
        """The number of requests that were sent so far, retries included."""
        sent = sum(registry.host.requests for registry in self._registries.values())
        return Requests(sent, self._context.tokens.requests)


def refuse_unusable_connections(hosts: Collection[str], settings: Settings) -> None:
    """Raise InputError if a TLS file, or the proxy or backend for one of these registries, cannot be used."""
    for host in hosts:
        backend_of(host)
    tls_of(settings.connection)
    OwnTls(settings.own_connections)
    scheme = "http" if settings.connection.plain_http else "https"
    refuse_unusable((f"{scheme}://{address_of(host)}/" for host in hosts), settings.connection.proxies)


@valueclass
class Listeners:
    """The listeners of a run's registries: `tell` for pauses and warnings, `trace` for every request."""

    tell: EventListener = ignore
    trace: Trace = no_trace

    @classmethod
    def of(cls, tell: EventListener) -> Self:
        """Return listeners that also tell every request as an event, without the secret parts of its URL."""

        def trace(method: str, url: str, result: str) -> None:
            tell(RequestAnswered(method, public(url), result))

        return cls(tell, trace)


_SILENT = Listeners()


@asynccontextmanager
async def open_registries(
    settings: Settings, credentials: Credentials, clock: Clock, listeners: Listeners = _SILENT
) -> AsyncIterator[Registries]:
    """Open the transport for the block, which is one run. Raises InputError if a TLS file cannot be used."""
    connection, own, pacing = settings.connection, settings.own_connections, settings.pacing
    async with Transport(connection, pacing.timeout, clock, listeners.trace, own) as transport:
        tokens = Tokens(transport, clock, pacing.token_connections)
        yield Registries(RemoteContext(transport, tokens, clock, settings, listeners.tell), credentials)
