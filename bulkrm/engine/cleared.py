"""Tags that this run took off manifests which it deletes afterwards: gone from the registry, and not done with."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from bulkrm.engine.circuit import CircuitOpen
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.manifest import Absent, Resolution, Resolved
from bulkrm.model.outcome import Deleted, Failed, Gone, Kept, KeptReason, NotAttempted, Outcome, Untagged
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Target


class Cleared:
    """What each of these tags held. A second reading takes them for what they were, as if they were still there."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[Repository, dict[str, Digest]] = {}
        self._decoys: Mapping[Repository, Collection[Digest]] = {}

    def look_through(self, decoys: Mapping[Repository, Collection[Digest]]) -> None:
        """Take tags that hold one of these decoys for gone: a dry run leaves them there."""
        self._decoys = decoys

    def add(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a tag is gone, or may be, because this run wanted it so."""
        self._held.setdefault(repository, {})[tag] = digest

    def drop(self, repository: Repository, tag: str) -> None:
        """Note that a tag is there after all."""
        self._held.get(repository, {}).pop(tag, None)

    def of(self, repository: Repository) -> Mapping[str, Digest]:
        """Return the tags of a repository that are gone, and what they held."""
        return self._held.get(repository, {})

    def seen_through(self, repository: Repository, tag: str, found: Resolution) -> Digest | None:
        """Return what a tag held, if what was found under it is nothing, or nothing but a decoy."""
        decoy = isinstance(found, Resolved) and found.digest in self._decoys.get(repository, ())
        return self.of(repository).get(tag) if decoy or isinstance(found, Absent) else None

    def with_these(self, repository: Repository, listed: Iterable[str]) -> tuple[str, ...]:
        """Return a listing as it was before."""
        return tuple(dict.fromkeys((*listed, *self.of(repository))))

    def truth(self, target: Target, outcome: Outcome) -> Outcome:
        """Say what became of an image, where its tag is gone and something was found out about its manifest."""
        reference = target.reference
        if not isinstance(reference, TagRef) or reference.tag not in self.of(reference.repository):
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
            hint += f"then delete {named}, or take all back with `bulkrm undo`"
            return Failed(replace(failure, message=f"{failure.message}; the tag is gone already", hint=hint))
        case _:
            return outcome


def _unfinished(named: str) -> Failure:
    what = f"the run ended between the tag and its manifest {named}: the tag is gone"
    return Failure(FailureCode.UNFINISHED, what, None, "`bulkrm resume` goes on, `bulkrm undo` puts the tag back")
