"""The context of a run, which all its parts share."""

from dataclasses import field

from bulkrm.engine.record.recorder import NoRecorder, Recorder
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.model.events import EventListener
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.clock import Clock


@valueclass
class RunContext:
    """The listener, the stop, the clock, the recorder, and the tags that were removed ahead of their manifests."""

    tell: EventListener
    stop: Stop
    clock: Clock
    recorder: Recorder = field(default_factory=NoRecorder)
    removed_ahead: RemovedAhead = field(default_factory=RemovedAhead)
