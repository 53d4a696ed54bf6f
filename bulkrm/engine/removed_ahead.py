"""Tags that this run took off manifests which it deletes afterwards: gone from the registry, and not done with.

Between the two a repository is read again: because the plan grew old, or because a run goes on. Without what is kept here the
guards would see a manifest without tags, and the list of tags would look as if somebody had removed some. So a reading of such
a tag is answered with what the tag held, as if it were there still, until its manifest is gone:

- *may be gone*: its DELETE, or the push of a decoy over it, may have been sent. Whoever reads the tag finds out.
- *gone*: it was sent, or a reading found nothing, or nothing but a decoy of this run.
- *doubtful*: it was sent, and the answer was not clean. It may be listed although nothing answers under it, so the tag list has
  to be read before it counts as gone in a report.
- none of these: somebody pushed it, or it never went.

What becomes of its image is told with it in mind (`with_lost_tag`): a manifest that stays after it lost its tag is unfinished.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bulkrm.engine.circuit_breaker import CircuitOpen
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Absent, Resolution, Resolved
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, NotAttempted, Outcome, Untagged
from bulkrm.model.target import Target


class RemovedAhead:
    """What each of these tags held, and how sure it is that it is gone."""

    def __init__(self) -> None:
        """`_held` has all of them, `_gone` those that are known to be gone."""
        self._held: dict[Repository, dict[str, Digest]] = {}
        self._gone: dict[Repository, set[str]] = {}
        self._of_digest: dict[tuple[Repository, Digest], set[str]] = {}  # the same, by what they held
        self._decoys: dict[Repository, set[Digest]] = {}
        self._doubtful: set[tuple[Repository, str]] = set()

    def add_decoy(self, repository: Repository, decoy: Digest) -> None:
        """Note a decoy of this run: from now on a tag that holds it is read as one that is gone."""
        self._decoys.setdefault(repository, set()).add(decoy)

    def decoys(self, repository: Repository) -> frozenset[Digest]:
        """Return the decoys of the run's own in a repository."""
        return frozenset(self._decoys.get(repository, ()))

    def doubt(self, repository: Repository, tag: str) -> None:
        """Note that a tag was taken off without a clean answer."""
        self._doubtful.add((repository, tag))

    def is_doubtful(self, repository: Repository, tags: Iterable[str]) -> bool:
        """Tell whether the tag list has to be read before any of these tags counts as gone."""
        return bool(self._doubtful) and any((repository, tag) in self._doubtful for tag in tags)

    def note_sent(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a DELETE or PUT may have been sent that takes a tag away, and what the tag held."""
        self._held.setdefault(repository, {})[tag] = digest

    def add(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a tag is gone, or holds a decoy, because this run wanted it so."""
        self.note_sent(repository, tag, digest)
        self._gone.setdefault(repository, set()).add(tag)
        self._of_digest.setdefault((repository, digest), set()).add(tag)

    def drop(self, repository: Repository, tag: str) -> None:
        """Note that a tag is there after all."""
        held = self._held.get(repository, {}).pop(tag, None)
        if held is not None:
            self._of_digest.get((repository, held), set()).discard(tag)
        self._gone.get(repository, set()).discard(tag)

    def of(self, repository: Repository) -> Mapping[str, Digest]:
        """Return the tags of a repository that are or may be gone, and what they held."""
        return self._held.get(repository, {})

    def is_gone(self, repository: Repository, tag: str) -> bool:
        """Tell whether a tag is known to be gone."""
        return tag in self._gone.get(repository, ())

    def held_before(self, repository: Repository, tag: str, found: Resolution) -> Digest | None:
        """Return what a tag held before, if what was found under it now is nothing, or nothing but a decoy of this run.

        What was found is noted: that the tag is gone, or that it is there after all.
        """
        held = self.of(repository).get(tag)
        if held is None:
            return None
        match found:
            case Absent():
                self.add(repository, tag, held)
            case Resolved(digest) if digest in self._decoys.get(repository, ()):
                self.add(repository, tag, held)
            case Resolved():
                self.drop(repository, tag)
                return None
            case _:
                return None
        return held

    def as_listed_before(self, repository: Repository, listed: Iterable[str]) -> tuple[str, ...]:
        """Return a tag list with these tags in it, as it was before they went."""
        return tuple(dict.fromkeys((*listed, *self.of(repository))))

    def with_lost_tag(self, target: Target, outcome: Outcome) -> Outcome:
        """Return the outcome of an image, which is another one where its tag went ahead and its manifest did not follow."""
        reference = target.reference
        if isinstance(reference, DigestRef):
            # Nobody asked for its tags by name, so that what is kept is no more than that.
            lost = self._of_digest.get((reference.repository, reference.digest))
            return _unfinished_outcome(str(reference), outcome) if lost and not isinstance(outcome, Kept) else outcome
        if not self.is_gone(reference.repository, reference.tag):
            return outcome
        return _unfinished_outcome(f"{reference.repository}@{self.of(reference.repository)[reference.tag]}", outcome)


def _unfinished_outcome(named: str, outcome: Outcome) -> Outcome:
    match outcome:
        case Gone():
            return Deleted()
        case Kept(reason, because) if reason is not KeptReason.MOVED:
            return Untagged(because)
        case Failed(CircuitOpen()) | NotAttempted():
            return Failed(_unfinished(named))
        case Failed(failure):
            hint = f"{failure.hint}; " if failure.hint else ""
            hint += f"then `bulkrm resume` deletes {named}, or `bulkrm undo` puts the tag back"
            what = f"{failure.message}; the tag is gone already"
            return Failed(replace(failure, message=what, hint=hint, unfinished=True))
        case _:
            return outcome


def _unfinished(named: str) -> Failure:
    what = (
        f"the run ended between the tag and its manifest {named}: the tag is gone, or holds an empty index of bulkrm's"
    )
    return Failure(FailureCode.UNFINISHED, what, None, "`bulkrm resume` goes on, `bulkrm undo` puts the tag back")
