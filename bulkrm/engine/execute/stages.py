"""How far the delete phase is, for whoever watches: tags that go first, then manifests, each counted under its own name.

Repositories overlap: the manifests of one may go while another still loses its tags. They are counted in the second
stage all the same, as soon as that begins.
"""

from collections.abc import Iterable

from bulkrm.model.events import ADVANCED, EventListener, Phase, PhaseBegan
from bulkrm.model.steps import RemoveTagsAhead, Step


class Stages:
    """Announces the stages of a delete phase, and counts what is done in them."""

    def __init__(self, tell: EventListener, steps: Iterable[Step]) -> None:
        """Take the steps that are ahead; nothing is announced yet."""
        self._tell = tell
        self._clearings = self._untagged_first = self._manifests = 0
        for step in steps:
            if isinstance(step, RemoveTagsAhead):
                self._clearings += 1
                self._untagged_first += len(step.items)
            else:
                self._manifests += 1
        self._early = 0  # manifests that went while tags were still removed elsewhere

    def begin(self) -> None:
        """Announce the first stage."""
        if self._clearings:
            self._tell(PhaseBegan(Phase.REMOVING_TAGS, self._untagged_first))
        else:
            self._tell(PhaseBegan(Phase.DELETING_MANIFESTS, self._manifests))

    def ended(self, step: Step) -> None:
        """Count a step that is over, whatever came of it. What a step that removes tags ahead did was counted while it went on."""
        if not isinstance(step, RemoveTagsAhead):
            if self._clearings:
                self._early += 1
            else:
                self._tell(ADVANCED)
            return
        self._clearings -= 1
        if not self._clearings:
            self._tell(PhaseBegan(Phase.DELETING_MANIFESTS, self._manifests))
            for _ in range(self._early):
                self._tell(ADVANCED)
