"""The objects that all registries of a run share."""

from dataclasses import field

from bulkrm.model.events import EventListener, ignore
from bulkrm.model.settings import Settings
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.auth.token_cache import Tokens
from bulkrm.remote.clock import Clock
from bulkrm.remote.transport.connections import Sharing
from bulkrm.remote.transport.sessions import Transport


@valueclass
class RemoteContext:
    """The transport, the token cache, the clock and the settings of a run.

    `tell`: receives events about pauses and mixed answers; `sharing`: which reads may share connections now.
    """

    transport: Transport
    tokens: Tokens
    clock: Clock
    settings: Settings
    tell: EventListener = ignore
    sharing: Sharing = field(default_factory=Sharing)
