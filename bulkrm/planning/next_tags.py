"""What to do next with the tags of one image that go ahead of its manifest, as `next_step` says it of the manifest.

Pure: `next_tags` maps what is known of the tags (`KnownTags`) to what comes next. `bulkrm.engine.execute.tags.tags_first`
is the loop that does it. The first row that holds counts; "it" is the image:

=======================================================  ==============================================================
what is known                                            what comes next
=======================================================  ==============================================================
the newest judgement drops some of its targets           `RecordDropped`
the run is stopped                                       `Leave`: its tags are there, or were removed
a tag met a failure that every further tag would meet    `Leave`: the tags that are there go with the manifest
it has no judgement, or an old one                       `RecheckTags`; after `MAX_JUDGEMENTS` of them `Leave`
it does not go, or that cannot be judged any more        `Leave`
some of its tags are there, and were not tried           `SendTags`, for these
every tag is gone, or was tried                          `Leave`
=======================================================  ==============================================================

A tag that was tried and is there still is no failure: it goes with its manifest. Why it ends: each `RecheckTags` is counted, a
`SendTags` tries all its tags or is followed by a `RecheckTags`, and what is recorded is not recorded again.

Why these are facts and rows, and not states as those of a manifest (`image_state`): a manifest goes by one DELETE, of which
one thing is so at a time, and whose effect may be in doubt. Of an image's tags some were tried, some are left, and some
were removed by another step, at the same time, and a failure of another image ends it in any of these cases: a type for
each combination would say less than the table. No tag is in doubt here. Who removes a tag reads it before each send, a tag
that may be gone counts as removed ahead, and what became of it is said when its manifest's turn has come.
"""

from collections.abc import Collection, Container
from dataclasses import replace

from bulkrm.model.plan import Item, Settled
from bulkrm.model.result.failure import Failure
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.image_state import MAX_JUDGEMENTS, Judgement
from bulkrm.planning.next_step import Leave


@valueclass
class KnownTags:
    """What is known of the tags of one image. Each method returns a copy that knows one thing more.

    `expected_failure`: what every further tag of the repository would meet. `judgement`: the newest; None: there is none, or it
    grew too old. `left`: the tags of its item that are there and were not tried; `tried`: those that were.
    """

    is_stopped: bool = False
    expected_failure: Failure | None = None
    judgement: Judgement | None = None
    left: tuple[str, ...] = ()
    tried: frozenset[str] = frozenset()
    judgements: int = 0

    def when(self, *, is_stopped: bool, expected_failure: Failure | None) -> "KnownTags":
        """Learn whether the run is stopped, and what other images met."""
        if self.is_stopped == is_stopped and self.expected_failure is expected_failure:
            return self
        return replace(self, is_stopped=is_stopped, expected_failure=expected_failure)

    def judged(self, judgement: Judgement, gone: Container[str]) -> "KnownTags":
        """Learn of a judgement; `gone`: the tags of the repository that were removed ahead."""
        tags = judgement.item.tags if judgement.item is not None else ()
        left = tuple(tag for tag in tags if tag not in gone and tag not in self.tried)
        return replace(self, judgement=judgement, left=left, judgements=self.judgements + 1)

    def recorded(self) -> "KnownTags":
        """Learn that the outcomes of dropped targets were recorded."""
        return replace(self, judgement=Judgement(self.judgement.item if self.judgement is not None else None))

    def sent(self, tried: Collection[str]) -> "KnownTags":
        """Learn which of its tags were tried; if some were not, the judgement grew too old, or the run is stopped."""
        left = tuple(tag for tag in self.left if tag not in tried)
        return replace(self, left=left, tried=self.tried.union(tried), judgement=None if left else self.judgement)


@valueclass
class RecheckTags:
    """Judge the image by what the registry has now, unless it was judged so a short time ago."""


@valueclass
class SendTags:
    """Remove these tags of the item, one after the other, as long as the newest judgement is not too old."""

    item: Item
    tags: tuple[str, ...]


@valueclass
class RecordDropped:
    """Record the outcomes of targets that the newest judgement drops; while a decoy is over a tag of them, when it is over."""

    dropped: tuple[Settled, ...]


NextTags = RecheckTags | SendTags | RecordDropped | Leave


def next_tags(known: KnownTags) -> NextTags:
    """Return what comes next, by the table above."""
    judgement = known.judgement
    if judgement is not None and judgement.dropped:
        return RecordDropped(judgement.dropped)
    if known.is_stopped or known.expected_failure is not None:
        return Leave()
    if judgement is None:
        return RecheckTags() if known.judgements < MAX_JUDGEMENTS else Leave()
    return SendTags(judgement.item, known.left) if judgement.item is not None and known.left else Leave()
