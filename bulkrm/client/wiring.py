"""What all registries of a run have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bulkrm.client.clock import Clock
from bulkrm.client.connections import Sharing
from bulkrm.client.tokens import Tokens
from bulkrm.client.transport import Transport
from bulkrm.model.settings import Settings


def tell_nobody(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """One transport, one token cache, one clock, what the user asked for, who hears of long waits, and who may share connections."""

    transport: Transport
    tokens: Tokens
    clock: Clock
    settings: Settings
    say: Callable[[str], None] = tell_nobody
    sharing: Sharing = field(default_factory=Sharing)
