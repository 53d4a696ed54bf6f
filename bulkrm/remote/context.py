"""What all registries of a run have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bulkrm.model.settings import Settings
from bulkrm.remote.auth.token_cache import Tokens
from bulkrm.remote.clock import Clock
from bulkrm.remote.transport.connections import Sharing
from bulkrm.remote.transport.sessions import Transport


def tell_nobody(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class RemoteContext:
    """One transport, one token cache, one clock, what the user asked for, who hears of long waits, and who may share connections."""

    transport: Transport
    tokens: Tokens
    clock: Clock
    settings: Settings
    say: Callable[[str], None] = tell_nobody
    sharing: Sharing = field(default_factory=Sharing)
