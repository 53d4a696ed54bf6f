"""Permission to send a change of a tag: asked for in the last moment before each send, however long the change has waited."""

from typing import Protocol

from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.stop import Stop
from bulkrm.model.reference import Repository
from bulkrm.model.valueclass import valueclass


class Permission(Protocol):
    """Whether a change may be sent now. Once it is lost it does not come back."""

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        ...


@valueclass
class WhileFresh:
    """Until the run is stopped, or what the change rests on has grown too old: then it is judged again."""

    stop: Stop
    staleness: Staleness
    repository: Repository

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        return not self.stop and not self.staleness.is_stale(self.repository)


@valueclass
class UntilStopped:
    """Until the run is stopped."""

    stop: Stop

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        return not self.stop


class Always:
    """Also in a stopped run: for what mends or ends something half-done."""

    __slots__ = ()

    def holds(self) -> bool:
        """Tell that the change may be sent."""
        return True


ALWAYS = Always()
