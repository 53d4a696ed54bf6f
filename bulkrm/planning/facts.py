"""What was read of one repository: all that the guards may look at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bulkrm.model.condition_verdicts import NO_VERDICTS, ConditionVerdicts
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Children, Resolution, Resolved
from bulkrm.model.plan import UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.target import Target


@dataclass(frozen=True, slots=True)
class Seen:
    """Every tag of the repository and the manifest that it holds.

    `indexes`: what everything names that a tag leads to, directly or through indexes, and that is no image. `ignored`:
    damaged tags that were to hold nothing back.
    """

    tags: Mapping[str, Resolved]
    indexes: Mapping[Digest, Children] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unseen:
    """The tags were not read, as the user asked. `count`: how many there are, where that is known."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A tag, or the list of them, could not be read: what else depends on a manifest is not known. `hint`: a way out."""

    why: str
    hint: str | None = None


TagFacts = Seen | Unseen | Unreadable
# The text of the pattern that protects a tag of a repository, None where none does.
FindPattern = Callable[[Repository, str], str | None]


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """One repository: what its targets lead to, in the order of the list, and its tags.

    `expected`: what an earlier judgement found under a tag; one that leads elsewhere now is treated as if it were pinned.
    `way`: how a single tag can be removed here; None: not at all. It is assumed until somebody asked the registry.
    `unknown`: manifests of which something could not be read that has to be known before they go. `dangling`: tags that
    the registry lists and that lead to no manifest. `conditions`: what the conditions of the list say.
    """

    repository: Repository
    resolutions: tuple[tuple[Target, Resolution], ...]
    tags: TagFacts
    expected: Mapping[str, Digest] = field(default_factory=dict)
    untag_method: UntagMethod | Failure | None = UntagMethod.TAG
    unknown: Mapping[Digest, Failure] = field(default_factory=dict)
    dangling: frozenset[str] = frozenset()
    conditions: ConditionVerdicts = NO_VERDICTS
