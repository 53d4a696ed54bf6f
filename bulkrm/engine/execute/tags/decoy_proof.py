"""Judges the tags that were under a decoy, after its DELETE: pure.

`decoy.Decoy.remove` reads the tag list after the DELETE, and each listed tag by HEAD:

=============================  ==========  =======================================================================
the tag                        `TagState`  means
=============================  ==========  =======================================================================
is not listed                  `GONE`      it went with the decoy, or is gone otherwise
holds the decoy                `DANGLING`  it is there, and holds nothing of anybody's
is listed and holds nothing    `DANGLING`  the registry stopped half-way, or is still at work; the list tells later
holds what it held before      `SERVES`    the push never took effect, or it was put back
holds something else           `MOVED`     somebody pushed it since
cannot be read                 `UNKNOWN`   it may hold the decoy
=============================  ==========  =======================================================================

A tag that nobody could list is taken for one that is listed.
"""

from collections.abc import Collection, Mapping

from bulkrm.engine.execute.tags.tag_change import unconfirmed, untagged
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Outcome
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.tag_state import TagLook, TagState, moved


@valueclass
class DecoyRemoval:
    """The result of removing a decoy: that of its DELETE, the tag list after it, and a look at each tag that was under it."""

    decoy: Digest
    deleted: Removal | Failure
    names: Collection[str] | Failure
    looks: Mapping[str, TagLook]

    @property
    def failure(self) -> Failure | None:
        """Why the decoy could not be deleted, if so."""
        return self.deleted if isinstance(self.deleted, Failure) else None


def lingers(look: TagLook, deleted: Removal | Failure) -> bool:
    """Tell whether a registry that works in the background may still remove a tag, by what the DELETE of the decoy came to.

    A DELETE without a clean answer that left a tag which holds nothing stopped half-way: waiting changes nothing.
    """
    if look.state is not TagState.DANGLING or isinstance(deleted, Failure):
        return False
    return look.held is not None or deleted is Removal.ACCEPTED


def stays_listed(look: TagLook) -> bool:
    """Tell whether a tag is listed, or may be, and holds nothing: only a later tag list tells whether it is gone."""
    return look.state is TagState.DANGLING and look.held is None


def untag_outcome(
    item: Item, tag: str, looked: TagLook, deleted: Removal | Failure, unpushed: Failure | None
) -> Outcome | None:
    """Return the outcome of a tag of a manifest that stays; None: `stays_listed`.

    `deleted`: what the DELETE of the decoy came to; `unpushed`: why it may not have been pushed over the tag at all.
    """
    held = looked.held
    if stays_listed(looked):
        return None
    if looked.state is TagState.GONE:
        return untagged(item)
    if looked.state is TagState.MOVED and isinstance(held, Digest):
        return moved(item.repository, tag, held)
    if isinstance(deleted, Failure):
        return _left_with(item, held, deleted)
    if isinstance(held, Failure):
        return Failed(unconfirmed(held))
    return _left_with(item, held, unpushed or _served_still(item, tag))


def _served_still(item: Item, tag: str) -> Failure:
    what = f"the decoy was deleted, but the registry still showed it under {item.repository}:{tag}"
    hint = "this registry deletes manifests and not their tags; delete the tag with its own tool or web page"
    return Failure(FailureCode.TAGS_REMAIN, what, None, hint)


def _left_with(item: Item, held: Digest | Failure | None, cause: Failure) -> Failed:
    """Return the outcome of a tag whose decoy could not be removed: it holds its manifest, the decoy, or cannot be read."""
    if held == item.digest:
        what = f"{cause.message}; the tag holds what it held"
        return Failed(Failure(cause.code, what, cause.status, cause.hint))
    # `undo` takes an unconfirmed tag for one that may be gone, and looks at it.
    code = FailureCode.UNCONFIRMED if isinstance(held, Failure) else cause.code
    what = f"{cause.message}; the tag may hold an empty index of bulkrm's now, it held {item.digest}"
    hint = "`bulkrm resume` goes on, `bulkrm undo` puts the tag back"
    return Failed(Failure(code, what, cause.status, hint, unfinished=True))


def unrestored(repository: Repository, tag: str, cause: Failure | None) -> Failure:
    """Return the failure of a tag that holds a decoy of this run, which could be neither deleted nor replaced.

    `cause`: why even that is not certain.
    """
    what = f"{repository}:{tag} holds an empty index of bulkrm's"
    if cause is not None:
        what = f"{repository}:{tag} may hold an empty index of bulkrm's: {cause.message}"
    return Failure(FailureCode.UNFINISHED, what, None, "`bulkrm resume` goes on, `bulkrm undo` puts the tag back")


def stuck(repository: Repository, tag: str, decoy: Digest, held: Digest | Failure | None) -> Failure | None:
    """Return the failure of a tag that holds a decoy after all that was tried, or may hold it; else None."""
    if isinstance(held, Failure):
        return unrestored(repository, tag, held)
    return unrestored(repository, tag, None) if held == decoy else None
