"""Deletes the tags of a manifest one by one before it, for registries that delete a manifest only if it has no tags.

Google's registries and Docker Hub are such (`families`), and any that refuses a DELETE for that reason. `tags_first` does it to
save work, and a tag that stays goes with its manifest. Here none goes with it: if a tag cannot be deleted, the DELETE of the
manifest is not sent. Tags that the list names are deleted first, so that no other tag is lost in vain if one of them stays.

A tag of the list that moved has its outcome, and the others go on. One that the list does not name has none to tell of it: its
image is judged anew, so that no report says that the tag went along.

This is part of the step of one image, when its turn has come: the tags of a child go after its index. Each tag costs two
requests, because it is read right before its DELETE.
"""

from dataclasses import replace
from typing import Literal

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.staleness import Staleness, WhileFresh
from bulkrm.engine.execute.tags.tag_change import FailedChange, Moved, NotSent, moved
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.execute.tags.tags_ahead import TagsAhead
from bulkrm.engine.gateway import Gateway
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed
from bulkrm.planning.image_state import Finding, Unsent

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
        stays = await self._remove_each(item, staleness)
        if stays is not None:
            return stays if isinstance(stays, Unsent) else Finding.RECORDED
        going = self._outcomes.open_targets(item)
        return replace(item, targets=going) if going else Finding.RECORDED

    async def _remove_each(self, item: Item, staleness: Staleness) -> Unsent | Failure | None:
        """Delete all tags of an item, one by one; return why one stays: its outcome is recorded, and the manifest stays too."""
        tags = dict.fromkeys((*item.named_tags, *item.tags))
        left = [tag for tag in tags if not self._removed_ahead.is_gone(item.repository, tag)]
        if left:
            await self._recorder.intend_tags_ahead(item, left)
        permission = WhileFresh(self._stop, staleness, item.repository)
        for tag in left:
            match await self._tags_ahead.remove_and_look(item, tag, permission):
                case Unsent() as unsent:
                    return unsent
                case Moved(Digest()) if not item.targets_naming(tag):
                    staleness.note_untrue(item.repository)
                    return Unsent()
                case Moved(Digest() as now):
                    self._outcomes.record(item, item.targets_naming(tag), moved(item.repository, tag, now))
                case NotSent(failure) | FailedChange(failure):
                    self._fail(item, tag, failure)
                    return failure
                case _:
                    pass
        return None

    def _fail(self, item: Item, tag: str, cause: Failure) -> None:
        """Record that a manifest stays because one of its tags does; a target whose tag is gone already is unfinished."""
        why = f"{item.repository}:{tag} cannot be deleted, so {item.digest} cannot either: {cause.message}"
        gone = [other for other in item.tags if self._removed_ahead.is_gone(item.repository, other)]
        unlisted = [f"{item.repository}:{other}" for other in gone if other not in item.named_tags]
        why += f"; gone already: {', '.join(unlisted)}" if unlisted else ""
        for target in self._outcomes.open_targets(item):
            lost = any(target in item.targets_naming(other) for other in gone)
            if lost:
                failure = Failure(FailureCode.UNFINISHED, why, cause.status, f"{cause.hint}; {_HINT}")
            else:
                failure = Failure(cause.code, why, cause.status, cause.hint)
            self._outcomes.record(item, (target,), Failed(failure))
