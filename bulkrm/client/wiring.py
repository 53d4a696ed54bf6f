"""What all registries of a run have in common."""

from dataclasses import dataclass

from bulkrm.client.clock import Clock
from bulkrm.client.tokens import Tokens
from bulkrm.client.transport import Transport
from bulkrm.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Wiring:
    """One transport, one token cache, one clock, and what the user asked for."""

    transport: Transport
    tokens: Tokens
    clock: Clock
    settings: Settings
