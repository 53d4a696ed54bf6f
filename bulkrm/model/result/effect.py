"""The possible effect of a request that changes a registry, the proof of a removal, and who looks it up.

The `Effect` of a change says what its sends may have done by now. Answers of the registry raise it
(`bulkrm.protocol.decision`), and it never falls. Code that is interrupted in the middle of a change reads it:

==========  ==========================================  ================================================================
effect      what came back so far                       what follows from it
==========  ==========================================  ================================================================
`NONE`      nothing was sent, or every send was         The change can be sent, dropped or forgotten.
            refused: 3xx, 4xx, no connection
`OVER`      a limit answered (a proxy may do that       Nothing is under way, so a stopped run waits for nothing, and leaves
            after the registry acted), or a killed      it to `resume`. Before the change is given up it is looked up, and a
            part of the run sent it                     404 that follows may come from this run's own deletion.
`OPEN`      a send is under way, or ended in silence,   A stopped run waits for it, and says `unconfirmed` where it is cut
            408 or 5xx, or in a success, which its      off. It is looked up before it is sent again, or given up.
            sender judges at once
==========  ==========================================  ================================================================

Who looks it up: `remote.registry`, before it repeats a DELETE and where the last answer proves nothing; `next_step`,
where the change was withdrawn after a send and is no longer wanted; `engine.execute.tags.tag_change`, which reads a tag
before each send. `resume` looks up the changes of a killed run: the journal notes each change before its first send, so
that every change in it without an outcome is `OVER`.

A look that finds things as they were shows that no send has acted so far. What follows depends on whether the change is
sent again:

- It is given up. Then it counts as one that did not act: its failure is reported as any other (`NONE`), the judgement that
  withdrew it holds, and the tag counts as one that is there.
- It is sent again. Then its effect does not fall, because a send without an answer may be carried out after that look: it
  waits behind a proxy or in a queue, as `resume` sees it of killed runs. The 404 that the next send meets may come from the
  one before, and counts as this run's deletion. It may as well come from somebody else, and nothing tells the two apart;
  but of an image that this run deleted, and that it reported as absent, `undo` would know nothing.

Where the manifest is there, and a tag of it is gone, somebody else may have removed the tag, or a DELETE that went no
further: of the manifest, on a registry that removes the tags first, or of another tag, which takes the whole image along on
some. It counts as removed by this run then, ahead of its manifest (`bulkrm.planning.image_outcome`).

A removal needs a proof. A registry does three things for one DELETE by digest: it accepts the request (202), it unlinks
the manifest, and it unlinks every tag that led to it. None of them proves the next one:

- distribution unlinks the manifest first and then one tag after the other (registry/handlers/manifests.go
  `DeleteManifest`). It stops in between if it is killed, or if its client disconnects. The remaining tags are
  *dangling*: the tag list has them (registry/storage/tagstore.go `All` lists folders), they answer 404, and they answer
  200 again as soon as anybody pushes the same manifest.
- `crane registry serve` stores the manifest of a tag separately from that of a digest (go-containerregistry
  pkg/registry/manifest.go), and Nexus 3.89 does not delete tags (sonatype/nexus-public#925): the manifest is gone, its
  tags are not.
- Others work in the background: they answer 202 long before they delete anything, or never delete it.

So there are three kinds of `Removal`, of which only the last two say that the target is gone:

====================================================  ==============================  ==================================
what came back                                        removal                         who looks, at what
====================================================  ==============================  ==================================
202 without complaint, to the last send               `ACCEPTED`: it is gone where    the first of a place is looked up:
                                                      the place keeps its word        digest and one tag, HEAD and list
silence, 5xx, 429, another 2xx, a complaint in a 202  `FOUND_GONE`: gone, and it may  HEAD by the client; then the tag
and then 404 to HEAD or to the next DELETE            have stopped half-way           list of the repository, one for all
                                                                                      such deletions
404, no earlier send may have acted, and 404 to HEAD  `WAS_GONE`: somebody else's     every tag that was read, and the list
====================================================  ==============================  ==================================

A *place* is a registry host and the first component of the repository: Nexus and Artifactory serve registries of
several kinds under one name. Once a manifest and its tag were gone after a clean 202 in a place (`execute.proof`), a
clean 202 counts as proof there. Where a tag is gone after silence or a 5xx, nobody knows who removed it. A manifest that
a killed run deleted is `FOUND_GONE` by definition, and so is a tag that was removed ahead of its manifest without a
clean answer.

`bulkrm.planning.tag_state` judges a tag by HEAD, the tag list and the answer to its own DELETE. A tag is left alone if its
manifest was found gone and its digest answers again: somebody has pushed the manifest anew.
"""

from enum import Enum

from bulkrm.model.http_status import NOT_FOUND
from bulkrm.model.reference import Repository

# Seconds to wait before each further look at a tag or manifest that is still there: a registry may work in the background.
PATIENCE = (1.0, 3.0, 9.0)


class Effect(Enum):
    """The possible effect of all sends of one change so far: see the first table above."""

    NONE = 0
    OVER = 1
    OPEN = 2

    @property
    def may_have_acted(self) -> bool:
        """Tell whether a send may have taken effect, so that the change has to be looked up."""
        return self is not Effect.NONE

    def or_more(self, other: "Effect") -> "Effect":
        """Return the greater of two effects, which is that of two sends together."""
        return self if self.value >= other.value else other


class Removal(Enum):
    """What the DELETE of a manifest or a tag came to, if its target is gone or is to go: see the second table above.

    Only `ACCEPTED` has not been looked up yet.
    """

    ACCEPTED = "accepted"
    FOUND_GONE = "found-gone"
    WAS_GONE = "was-gone"


def removal_of(status: int, *, earlier: bool) -> Removal:
    """Return the kind of removal of a target that is gone by HEAD, by the status of the last answer to its DELETE.

    `earlier`: an earlier send may have taken effect.
    """
    return Removal.WAS_GONE if status == NOT_FOUND and not earlier else Removal.FOUND_GONE


def place_of(repository: Repository) -> str:
    """Return the place of a repository: what one deletion there proves holds for all its repositories."""
    return f"{repository.host}/{repository.path.partition('/')[0]}"
