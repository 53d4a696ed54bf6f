"""What all registries of a run have in common."""

from dataclasses import dataclass, field

from bulkrm.model.events import EventListener, ignore
from bulkrm.model.settings import Settings
from bulkrm.remote.auth.token_cache import Tokens
from bulkrm.remote.clock import Clock
from bulkrm.remote.transport.connections import Sharing
from bulkrm.remote.transport.sessions import Transport


@dataclass(frozen=True, slots=True)
class RemoteContext:
    """One transport, one token cache, one clock, what the user asked for, who hears of pauses, and who may share connections."""

    transport: Transport
    tokens: Tokens
    clock: Clock
    settings: Settings
    tell: EventListener = ignore
    sharing: Sharing = field(default_factory=Sharing)
