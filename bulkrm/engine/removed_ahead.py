"""Tags that this run took off manifests which it deletes afterwards: gone from the registry, and not done with."""

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
    """What each of these tags held. A second reading takes them for what they were, as if they were still there."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[Repository, dict[str, Digest]] = {}
        self._gone: dict[Repository, set[str]] = {}
        self._of_digest: dict[tuple[Repository, Digest], set[str]] = {}  # the same, by what they held
        self._decoys: dict[Repository, set[Digest]] = {}
        self._doubtful: set[tuple[Repository, str]] = set()

    def look_through(self, repository: Repository, decoy: Digest) -> None:
        """Take tags that hold this decoy of the run's own for gone."""
        self._decoys.setdefault(repository, set()).add(decoy)

    def decoys(self, repository: Repository) -> frozenset[Digest]:
        """Return the decoys of the run's own in a repository."""
        return frozenset(self._decoys.get(repository, ()))

    def doubt(self, repository: Repository, tag: str) -> None:
        """Note that a tag was taken off without a clean answer: it may be listed although nothing answers under it."""
        self._doubtful.add((repository, tag))

    def is_doubtful(self, repository: Repository, tags: Iterable[str]) -> bool:
        """Tell whether the tag list has to be read before any of these tags counts as gone."""
        return bool(self._doubtful) and any((repository, tag) in self._doubtful for tag in tags)

    def maybe(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a DELETE or PUT may have been sent that takes a tag away; whoever reads it finds out."""
        self._held.setdefault(repository, {})[tag] = digest

    def add(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a tag is gone, or holds a decoy, because this run wanted it so."""
        self.maybe(repository, tag, digest)
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

    def seen_through(self, repository: Repository, tag: str, found: Resolution) -> Digest | None:
        """Return what a tag held, if what was found under it is nothing, or nothing but a decoy."""
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

    def with_these(self, repository: Repository, listed: Iterable[str]) -> tuple[str, ...]:
        """Return a listing as it was before."""
        return tuple(dict.fromkeys((*listed, *self.of(repository))))

    def truth(self, target: Target, outcome: Outcome) -> Outcome:
        """Say what became of an image, where its tag is gone and something was found out about its manifest."""
        reference = target.reference
        if isinstance(reference, DigestRef):
            # Nobody asked for its tags by name, so that what is kept is no more than that.
            lost = self._of_digest.get((reference.repository, reference.digest))
            return _truth(str(reference), outcome) if lost and not isinstance(outcome, Kept) else outcome
        if not self.is_gone(reference.repository, reference.tag):
            return outcome
        return _truth(f"{reference.repository}@{self.of(reference.repository)[reference.tag]}", outcome)


def _truth(named: str, outcome: Outcome) -> Outcome:
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
