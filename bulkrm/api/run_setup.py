"""The setup of a run: finds credentials, opens registries, passes events on, and stops the run, also when it is cancelled.

The run is a task of its own. Cancelling the one that waits for it (`task.cancel()`, `asyncio.timeout`, a cancel scope of
anyio) stops the run as a signal does: nothing new is begun, requests that change something get `GRACE` seconds to end, and the
report is completed. Only then is the cancellation passed on. A second `task.cancel()` ends these requests at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import anyio
from anyio.to_thread import run_sync

from bulkrm.api.errors import InternalError
from bulkrm.engine.stop import Stop
from bulkrm.families.family import FAMILIES
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.events import Event, EventListener, RunBegan, RunEnded
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.reference import parse_host
from bulkrm.model.result.outcome import Signal
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Credential, Settings
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.backends.backend import BACKENDS
from bulkrm.remote.clock import Clock
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.credentials.configured import find_credentials
from bulkrm.remote.credentials.source import SOURCES, Surroundings
from bulkrm.remote.registries import Listeners, Registries, open_registries, refuse_unusable_connections
from bulkrm.reports.format import FORMATS
from bulkrm.selection.found_selectors import SELECTORS

T = TypeVar("T")
CredentialsGiven = Mapping[str, Credential] | Surroundings | Credentials


@valueclass
class RunSetup:
    """The settings, credentials, clock, listener and stop of one run, or of one check of a login."""

    settings: Settings
    credentials: CredentialsGiven
    clock: Clock
    on_event: EventListener
    stop: Stop

    def tell(self, event: Event) -> None:
        """Pass an event on; a listener that raises stops the run as a bug does."""
        try:
            self.on_event(event)
        except Exception as bug:  # noqa: BLE001 (kept, and raised when the report is complete)
            self.stop.crash(bug)

    async def credentials_for(self, hosts: Collection[str]) -> Credentials:
        """Find the credentials for these hosts, and check what else a run over them needs. Raises InputError.

        Plugins, certificates and proxies are loaded here, so that none of them fails in the middle of a run.
        """
        loaded_plugins()
        refuse_unusable_connections(hosts, self.settings)
        credentials = await self._read_credentials(hosts)
        await credentials.refuse_users()
        return credentials

    async def _read_credentials(self, hosts: Collection[str]) -> Credentials:
        given = self.credentials
        if isinstance(given, Credentials):
            return given
        if isinstance(given, Surroundings):
            return await run_sync(find_credentials, hosts, given)
        port = self.settings.connection.default_port
        return Credentials({parse_host(host, port): credential for host, credential in given.items()})

    def registries(self, credentials: Credentials) -> AbstractAsyncContextManager[Registries]:
        """Open the registries; their requests, pauses and warnings become events."""
        return open_registries(self.settings, credentials, self.clock, Listeners.of(self.tell))

    @asynccontextmanager
    async def registries_of_run(self, run: str, credentials: Credentials) -> AsyncIterator[Registries]:
        """Open the registries, and tell that the run of this name begins; at its end, what was remarkable about them."""
        async with self.registries(credentials) as registries:
            self.tell(RunBegan(run))
            yield registries
            for warning in registries.remarks():
                self.tell(warning)

    async def run_to_end(self, run: Coroutine[Any, Any, T]) -> T:
        """Wait for the run, and stop it when the wait is cancelled. Raises its errors, or CancelledError after its end."""
        task = asyncio.ensure_future(run)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self.stop.interrupt(Signal.INTERRUPT)
            # anyio cancels a task that waits in a cancelled scope again and again; unshielded, that would be a second stop.
            with anyio.CancelScope(shield=True):
                while not task.done():
                    try:
                        await asyncio.wait({task})
                    except asyncio.CancelledError:
                        self.stop.interrupt(Signal.INTERRUPT)
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio logs nothing: the report tells of the bug
            raise
        return task.result()

    async def agreed(self, answer: Awaitable[bool]) -> bool:
        """Wait for the answer to a question. A stop ends the wait; the answer of a stopped run is no."""
        agreed = False
        with self.stop.phase():
            agreed = await answer
        return agreed and not self.stop

    def ended(self, report: Report) -> Report:
        """Tell that the run is over. Raises InternalError where a bug stopped it."""
        self.tell(RunEnded(report))
        if self.stop.bug is not None:
            raise InternalError(report) from self.stop.bug
        return report


_POINTS = (FORMATS, FAMILIES, SELECTORS, SOURCES, BACKENDS)


def loaded_plugins() -> tuple[Plugin, ...]:
    """Load all plugins, so that none fails in the middle of a run. Raises InputError with the problems of all of them."""
    found: list[Plugin] = []
    problems: list[Problem] = []
    for point in _POINTS:
        try:
            found += (extension.plugin for extension in point.extensions() if extension.plugin is not None)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return tuple(sorted(found))
