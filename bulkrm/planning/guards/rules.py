"""The rules that keep a manifest although the list names it. A guard looks at one candidate and keeps it or does not.

The first guard that keeps decides; their order is the precedence of the reasons. All fail closed: where the tags of a
repository could not be read, nothing of it goes.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.model.settings import Shared
from bulkrm.planning.facts import FindPattern, RepositoryFacts, Unreadable


def nobody(_: Repository, __: str) -> None:
    """Match no tag."""


# Which of the doomed manifests stay so that so many more do; a date is None where none is known.
Floor = Callable[[int, Mapping[Digest, datetime | None]], Collection[Digest]]


def all_of_them(_: int, deletions: Mapping[Digest, datetime | None]) -> Collection[Digest]:
    """Keep them all."""
    return deletions


@dataclass(frozen=True, slots=True)
class GuardRules:
    """What the user decided. `ignoring`: damaged tags that hold nothing back.

    `min_keep`: so many tagged manifests of each repository stay at least; `floor` says which.
    """

    shared: Shared
    protection: FindPattern
    ignoring: FindPattern = nobody
    min_keep: int = 0
    floor: Floor = all_of_them


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest that the list names. `listed`: its tags in the list; `tags`: all its tags that are known, sorted.

    `attached`: the list names only what it belongs to. `narrowed`: why every image of the list that leads to it stays,
    as far as the entries are concerned that name it; what only some entries keep counts as not listed.
    """

    digest: Digest
    listed: frozenset[str]
    tags: tuple[str, ...]
    attached: bool = False
    narrowed: tuple[Kept, ...] = ()

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The tags that the list does not name."""
        if len(self.tags) == len(self.listed):  # those are among them
            return ()
        return tuple(tag for tag in self.tags if tag not in self.listed)


Guard = Callable[[Candidate, RepositoryFacts, GuardRules], Kept | None]


def protected(candidate: Candidate, facts: RepositoryFacts, rules: GuardRules) -> Kept | None:
    """Keep a manifest as long as any of its tags, listed or not, is protected."""
    for tag in candidate.tags:
        pattern = rules.protection(facts.repository, tag)
        if pattern is not None:
            return Kept(KeptReason.PROTECTED, (pattern,))
    return None


def unreadable(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep everything of a repository whose tags could not all be read, and what a condition could not be told of."""
    if not isinstance(facts.tags, Unreadable):
        return _held(candidate, facts, KeptReason.UNREADABLE)
    return Kept(KeptReason.UNREADABLE, (facts.tags.why,), facts.tags.hint)


def in_use(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep what runs somewhere, under whatever tag."""
    return facts.conditions.in_use.get(candidate.digest)


def newest(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep the newest images of a group, whoever names them."""
    return _held(candidate, facts, KeptReason.NEWEST)


def conditions(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep what a condition of the list keeps otherwise."""
    return _held(candidate, facts, KeptReason.NO_DATE, KeptReason.NO_VERSION, KeptReason.TOO_YOUNG)


def _held(candidate: Candidate, facts: RepositoryFacts, *reasons: KeptReason) -> Kept | None:
    found = (*facts.conditions.digests.get(candidate.digest, ()), *candidate.narrowed)
    kept = (one for one in found if one.reason in reasons)
    return min(kept, key=lambda one: PRECEDENCE.index(one.reason), default=None)


def shared(candidate: Candidate, facts: RepositoryFacts, rules: GuardRules) -> Kept | None:
    """Keep a manifest that has a tag outside the list, unless the user said that such tags go too.

    That is said of what the list names: what only belongs to it never takes a tag with it.
    """
    takes_all = rules.shared in (Shared.DELETE, Shared.DELETE_UNSEEN) and not candidate.attached
    if takes_all or not candidate.unlisted:
        return None
    return Kept(KeptReason.SHARED, tuple(f"{facts.repository}:{tag}" for tag in candidate.unlisted))


# In the order of `PRECEDENCE`. `needed`, which rests on what becomes of other manifests, is told by the graph.
GUARDS: tuple[Guard, ...] = (unreadable, protected, in_use, newest, shared, conditions)


def reasons_of(candidate: Candidate, facts: RepositoryFacts, rules: GuardRules) -> tuple[Kept, ...]:
    """Return every reason that keeps a manifest, the one that counts first."""
    return tuple(kept for guard in GUARDS if (kept := guard(candidate, facts, rules)) is not None)
