"""What a request that changes a registry may have done, what proves it, and who looks it up.

The `Effect` of a change says what its sends may have done by now. Answers of the registry raise it
(`bulkrm.protocol.effect`), and it never falls. Code that is cut off in the middle of a change reads it:

==========  ==========================================  ================================================================
effect      what came back so far                       what follows from it
==========  ==========================================  ================================================================
`NONE`      nothing was sent, or every send was         The change can be sent, dropped or forgotten.
            refused: 3xx, 4xx, no connection
`OVER`      a limit answered (a proxy may do that       Nothing is under way, so a stopped run waits for nothing and says
            after the registry acted), or a killed      nothing about it. Before the change is given up it is looked up, and
            part of the run sent it                     a 404 that follows may come from this run's own deletion.
`OPEN`      a send is under way, or ended in silence,   A stopped run waits for it, and says `unconfirmed` where it is cut
            408 or 5xx                                  off. It is looked up before it is sent again, or given up.
==========  ==========================================  ================================================================

Who looks it up: `remote.registry`, before it repeats a DELETE and where the last answer proves nothing; `next_step`,
where the change was withdrawn after a send and is not to be made any more. `resume` looks for what a killed run has
begun: its journal notes each change before its first send, so that everything noted and without an outcome is `OVER`.

A change that is over has a proof. A registry does three things for one DELETE by digest: it takes the request (202), it
unlinks the manifest, and it unlinks every tag that led to it. None of them proves the next one:

- distribution unlinks the manifest first and then one tag after the other (registry/handlers/manifests.go
  `DeleteManifest`). Killed, or left by its client, it stops in between. The tags that are left are *dangling*: the tag
  list has them (registry/storage/tagstore.go `All` lists folders), they answer 404, and they answer 200 again as soon as
  anybody pushes the same manifest.
- `crane registry serve` keeps what a tag serves apart from what a digest serves (go-containerregistry
  pkg/registry/manifest.go), and Nexus 3.89 leaves tags behind (sonatype/nexus-public#925): the manifest is gone, its
  tags are not.
- Others work in the background and answer 202 long before anything happens, or never do it.

So there are three kinds of `Removal`, by what was proved:

====================================================  ==============================  ==================================
what came back                                        removal                         who looks, at what
====================================================  ==============================  ==================================
202 without complaint, to the last send               `DELETED`: it ran to its end    the first of a place is looked at:
                                                                                      digest and one tag, HEAD and list
silence, 5xx, 429, another 2xx, a complaint in a 202  `FOUND_GONE`: gone, and it may  HEAD by the client; the tag list of
and then 404 to HEAD or to the next DELETE            have stopped half-way           the repository before anything is
                                                                                      said, one for all such deletions
404 to the only send, and 404 to HEAD                 `WAS_GONE`: somebody else's     every tag that was read, and the list
====================================================  ==============================  ==================================

A *place* is a registry host and the first component of the repository: Nexus and Artifactory serve registries of
several kinds under one name. Once a tag was seen to go with its manifest by a clean 202 in a place (`execute.proof`), a
clean 202 counts as proof there. Where a tag is gone after silence or a 5xx, nobody knows who removed it. What a killed
run left is `FOUND_GONE` by definition, and so is a tag that was removed ahead of its manifest without a clean answer.

What is seen of one tag is judged by `tag_state`; only `GONE` lets a report say `deleted`. A tag that serves what was
found gone by digest, while the digest answers again, was pushed anew by somebody and is left alone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure

# Seconds to wait before each further look at what a registry still shows: it may work in the background.
PATIENCE = (1.0, 3.0, 9.0)


class Effect(Enum):
    """What the sends of one change may have done by now: see the first table above."""

    NONE = 0
    OVER = 1
    OPEN = 2

    @property
    def may_have_acted(self) -> bool:
        """Tell whether a send may have taken effect, so that the change has to be looked up."""
        return self is not Effect.NONE

    def or_more(self, other: "Effect") -> "Effect":
        """Return the greater of two effects: what two sends may have done together."""
        return self if self.value >= other.value else other


class Removal(Enum):
    """How it is known that the target of a DELETE is gone: see the second table above."""

    DELETED = "deleted"
    FOUND_GONE = "found-gone"
    WAS_GONE = "was-gone"


class TagState(Enum):
    """The state of a tag that was to go, with its manifest or alone.

    `DANGLING`: it is listed, and answers 404 or with a decoy of this run. `SERVES`: it still serves its manifest. `MOVED`: it
    leads to another manifest, which somebody pushed.
    """

    GONE = "gone"
    DANGLING = "dangling"
    SERVES = "serves"
    MOVED = "moved"
    UNKNOWN = "unknown"

    @property
    def remains(self) -> bool:
        """Tell whether the tag is left over: it is there, and nobody pushed it anew."""
        return self in (TagState.DANGLING, TagState.SERVES)


@dataclass(frozen=True, slots=True)
class TagLook:
    """A look at a tag that was to go: its state, and what it holds (None: nothing)."""

    state: TagState
    held: Digest | Failure | None = None


GONE = TagLook(TagState.GONE)


def tag_state(
    was: Digest | None, held: Digest | Failure | None, *, listed: bool, decoys: Collection[Digest] = ()
) -> TagState:
    """Judge a tag that held `was` (None: nothing), by what HEAD says that it holds and whether the tag list has it."""
    if isinstance(held, Failure):
        return TagState.UNKNOWN
    if held is None:
        return TagState.DANGLING if listed else TagState.GONE
    if held in decoys:
        return TagState.DANGLING
    return TagState.SERVES if held == was else TagState.MOVED


def removal_of(status: int, *, proved: bool, earlier: bool) -> Removal:
    """Return the kind of a deletion whose target is gone, by the last answer to it.

    `proved`: that answer is a success without complaint. `earlier`: a send before it may have taken effect.
    """
    if proved:
        return Removal.DELETED
    return Removal.WAS_GONE if status == _NOT_FOUND and not earlier else Removal.FOUND_GONE


def place_of(repository: Repository) -> str:
    """Return the place of a repository: what was seen to hold in one of its repositories holds in all of them."""
    return f"{repository.host}/{repository.path.partition('/')[0]}"


_NOT_FOUND = 404
