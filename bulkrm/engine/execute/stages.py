"""Announces the progress of the delete phase: first the tags that go before their manifests, then the manifests.

Repositories overlap: the manifests of one may be deleted while tags of another are still removed. Such manifests are counted
when the second stage begins.
"""

from collections.abc import Iterable

from bulkrm.model.events import ADVANCED, EventListener, Phase, PhaseBegan
from bulkrm.model.steps import RemoveTagsAhead, Step


class Stages:
    """Announces the stages of a delete phase, and counts the steps that are done in each."""

    def __init__(self, tell: EventListener, steps: Iterable[Step]) -> None:
        """`tell` hears of stages and of each image that is done; `steps` are all steps of the phase."""
        self._tell = tell
        self._repositories_with_tags_first = self._images_with_tags_first = self._manifests = 0
        for step in steps:
            if isinstance(step, RemoveTagsAhead):
                self._repositories_with_tags_first += 1
                self._images_with_tags_first += len(step.items)
            else:
                self._manifests += 1
        self._early = 0  # manifests that went while tags were still removed elsewhere

    def begin(self) -> None:
        """Announce the first stage."""
        if self._repositories_with_tags_first:
            self._tell(PhaseBegan(Phase.REMOVING_TAGS, self._images_with_tags_first))
        else:
            self._tell(PhaseBegan(Phase.DELETING_MANIFESTS, self._manifests))

    def ended(self, step: Step) -> None:
        """Count a step that is over, whatever its outcome. `RemoveTagsAhead` counts its images itself, one by one."""
        if not isinstance(step, RemoveTagsAhead):
            if self._repositories_with_tags_first:
                self._early += 1
            else:
                self._tell(ADVANCED)
            return
        self._repositories_with_tags_first -= 1
        if not self._repositories_with_tags_first:
            self._tell(PhaseBegan(Phase.DELETING_MANIFESTS, self._manifests))
            for _ in range(self._early):
                self._tell(ADVANCED)
