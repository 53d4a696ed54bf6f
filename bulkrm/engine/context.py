"""What a run works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bulkrm.engine.record.recorder import NoRecorder, Recorder
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.model.events import EventListener
from bulkrm.model.plan import Item
from bulkrm.model.result.outcome import Outcome
from bulkrm.model.target import Target
from bulkrm.remote.clock import Clock

# Writes down what became of targets of an item.
Record = Callable[[Item, tuple[Target, ...], Outcome], None]


@dataclass(frozen=True, slots=True)
class RunContext:
    """Who listens, who may stop the run, the time, who keeps what is needed to go on or back, and tags half-way gone."""

    tell: EventListener
    stop: Stop
    clock: Clock
    recorder: Recorder = field(default_factory=NoRecorder)
    removed_ahead: RemovedAhead = field(default_factory=RemovedAhead)
