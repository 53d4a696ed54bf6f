"""The context of a run, which all its parts share."""

from dataclasses import dataclass, field

from bulkrm.engine.record.recorder import NoRecorder, Recorder
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.model.events import EventListener
from bulkrm.remote.clock import Clock


@dataclass(frozen=True, slots=True)
class RunContext:
    """The listener, the stop, the clock, the recorder, and the tags that were removed ahead of their manifests."""

    tell: EventListener
    stop: Stop
    clock: Clock
    recorder: Recorder = field(default_factory=NoRecorder)
    removed_ahead: RemovedAhead = field(default_factory=RemovedAhead)
