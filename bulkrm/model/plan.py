"""The plan: what is known of every target, and the verdict on every manifest, before anything is deleted."""

from collections.abc import Iterator
from dataclasses import dataclass

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Resolved
from bulkrm.model.outcome import Failed, Gone, Kept
from bulkrm.model.reference import Repository
from bulkrm.model.target import Target


@dataclass(frozen=True, slots=True)
class Doomed:
    """The manifest goes. `also_removed`: tags outside the list that go with it, in full form; None: not read."""

    also_removed: tuple[str, ...] | None = ()


Verdict = Doomed | Kept


@dataclass(frozen=True, slots=True)
class Item:
    """One manifest of one repository that the list names, by however many targets. One DELETE, one outcome for each."""

    repository: Repository
    resolved: Resolved
    targets: tuple[Target, ...]
    verdict: Verdict
    tags: tuple[str, ...] = ()  # all tags seen on it, listed or not
    parents: tuple[Digest, ...] = ()  # the doomed indexes that need it, however many indexes are in between

    @property
    def digest(self) -> Digest:
        """The manifest's digest."""
        return self.resolved.digest


@dataclass(frozen=True, slots=True)
class Settled:
    """A target that leads to no manifest that could be deleted."""

    target: Target
    outcome: Gone | Failed | Kept


@dataclass(frozen=True, slots=True)
class Plan:
    """Every target is in exactly one item or settled; items have distinct (repository, digest).

    `tags_seen`: how many tags the touched repositories have, for a limit in percent.
    """

    items: tuple[Item, ...]
    settled: tuple[Settled, ...] = ()
    tags_seen: int = 0

    @property
    def doomed(self) -> Iterator[Item]:
        """What is to be deleted."""
        return (item for item in self.items if isinstance(item.verdict, Doomed))
