"""Deletes the tags of a manifest one by one before it, for registries that delete a manifest only if it has no tags.

Google's registries and Docker Hub are such (`families`), and any that refuses a DELETE for that reason. `tags_first` does it to
save work, and a tag that stays goes with its manifest. Here none goes with it: if a tag cannot be deleted, the DELETE of the
manifest is not sent. Tags that the list names are deleted first, so that no other tag is lost in vain if one of them stays.

A tag of the list that moved has its outcome, and the others go on, as long as there are any. One that the list does not
name has none to tell of it: its image is judged anew, so that no report says that the tag went along. Where such a tag went
and its manifest did not, the lines of the image name it.

This is part of the step of one image, when its turn has come: the tags of a child go after its index. Each tag costs two
requests, because it is read right before its DELETE.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.staleness import Staleness, WhileFresh
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.execute.tags.tags_ahead import TagsAhead
from bulkrm.engine.gateway import Gateway
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed
from bulkrm.planning.image_outcome import and_others
from bulkrm.planning.image_state import Finding, Unsent
from bulkrm.planning.tag_state import FailedChange, Moved, NotSent, moved

_HINT = "`bulkrm resume` goes on where the registry lets it, `bulkrm undo` puts the tag back"


class UntaggedFirst:
    """Deletes the tags of manifests that are deleted right after them."""

    def __init__(
        self, gateway: Gateway, in_flight: RequestsInFlight, context: RunContext, outcomes: ItemOutcomes
    ) -> None:
        """`outcomes` gets those of targets that are kept or fail here."""
        self._stop = context.stop
        self._recorder = context.recorder
        self._removed_ahead = context.removed_ahead
        self._outcomes = outcomes
        self._tags_ahead = TagsAhead(TagChanger(gateway, in_flight, context.clock), context.removed_ahead)

    async def remove_tags(self, item: Item, staleness: Staleness) -> Item | Unsent | Literal[Finding.RECORDED]:
        """Delete the tags of an item; return it with the targets for which its manifest is deleted now.

        Raises StateError where the intent cannot be recorded.
        """
        withdrawn = await self._remove_each(item, staleness)
        going = self._outcomes.open_targets(item)
        if not going:
            return Finding.RECORDED
        return withdrawn or replace(item, targets=going)

    async def _remove_each(self, item: Item, staleness: Staleness) -> Unsent | None:
        """Delete the tags of an item one by one, as long as it goes; `Unsent`: it has to be judged again."""
        left = await self._left(item)
        permission = WhileFresh(self._stop, staleness, item.repository)
        for tag in left:
            match await self._tags_ahead.remove_and_look(item, tag, permission):
                case Unsent() as unsent:
                    return unsent
                case Moved(Digest() as now) if not self._goes_on(item, tag, now, staleness):
                    return Unsent()
                case NotSent(failure) | FailedChange(failure):
                    self._fail(item, tag, failure)
                    return None
                case _:
                    pass
        return None

    async def _left(self, item: Item) -> Sequence[str]:
        """Return the tags that are to be deleted, those that the list names first, and have the intent recorded."""
        tags = dict.fromkeys((*item.named_tags, *item.tags))
        unlisted = list(tags)[len(item.named_tags) :]
        if unlisted:
            self._removed_ahead.note_unlisted(item.repository, item.digest, unlisted)
        left = [tag for tag in tags if not self._removed_ahead.is_gone(item.repository, tag)]
        if left:
            await self._recorder.intend_tags_ahead(item, left)
        return left

    def _goes_on(self, item: Item, tag: str, now: Digest, staleness: Staleness) -> bool:
        """Record that a tag of the list moved; False: no target is left, or the image has to be judged anew."""
        targets = item.targets_naming(tag)
        if not targets:
            staleness.note_untrue(item.repository)
            return False
        self._outcomes.record(item, targets, moved(item.repository, tag, now))
        return bool(self._outcomes.open_targets(item))

    def _fail(self, item: Item, tag: str, cause: Failure) -> None:
        """Record that a manifest stays because one of its tags does; a target whose tag is gone already is unfinished."""
        why = f"{item.repository}:{tag} cannot be deleted, so {item.digest} cannot either: {cause.message}"
        gone = [other for other in item.tags if self._removed_ahead.is_gone(item.repository, other)]
        for target in self._outcomes.open_targets(item):
            lost = any(target in item.targets_naming(other) for other in gone)
            if lost:
                failure = Failure(FailureCode.UNFINISHED, why, cause.status, f"{cause.hint}; {_HINT}")
            else:
                others = and_others(self._removed_ahead.unlisted(item.repository, item.digest))
                failure = Failure(cause.code, f"{why}{others}", cause.status, cause.hint)
            self._outcomes.record(item, (target,), Failed(failure))
