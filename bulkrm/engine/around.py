"""What a run works with."""

from dataclasses import dataclass

from bulkrm.client.clock import Clock
from bulkrm.engine.observer import Observer
from bulkrm.engine.stop import Stop


@dataclass(frozen=True, slots=True)
class Around:
    """Who listens, who may stop the run, and the time."""

    observer: Observer
    stop: Stop
    clock: Clock
