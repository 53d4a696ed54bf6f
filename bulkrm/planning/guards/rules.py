"""Guards: the rules that keep a manifest although the list names it.

A guard is a pure function that returns why it keeps a candidate, or None. The first guard with a reason decides, so the
order of the guards is the precedence of the reasons. Guards fail closed: where the tags of a repository could not be read,
nothing in it is deleted.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.model.settings import Shared
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.facts import FindPattern, RepositoryFacts, Unreadable


def no_pattern(_: Repository, __: str) -> None:
    """Match no tag."""


# Chooses which manifests to keep: how many, and of which. The candidates would be deleted; None: their date is not known.
ChooseKept = Callable[[int, Mapping[Digest, datetime | None]], Collection[Digest]]


def keep_all(_: int, deletions: Mapping[Digest, datetime | None]) -> Collection[Digest]:
    """Choose all of the manifests."""
    return deletions


@valueclass
class GuardRules:
    """The user's settings for the guards. `protection` and `ignoring`: find patterns of protected and ignored damaged tags.

    `min_keep`: this many tagged manifests of each repository are kept at least; `choose_kept` chooses them.
    """

    shared: Shared
    protection: FindPattern
    ignoring: FindPattern = no_pattern
    min_keep: int = 0
    choose_kept: ChooseKept = keep_all


@valueclass
class Candidate:
    """A manifest that the guards decide about. `listed`: its tags in the list; `tags`: all its known tags, sorted.

    `attached`: the list does not name it, only its parent. `narrowed`: the reasons, if every entry that names it keeps it
    by age. A tag that its entries keep by age does not count as listed, unless that is true of all.
    """

    digest: Digest
    listed: frozenset[str]
    tags: tuple[str, ...]
    attached: bool = False
    narrowed: tuple[Kept, ...] = ()

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The tags that the list does not name."""
        if len(self.tags) == len(self.listed):  # `listed` is a subset of `tags`
            return ()
        return tuple(tag for tag in self.tags if tag not in self.listed)


Guard = Callable[[Candidate, RepositoryFacts, GuardRules], Kept | None]


# The reasons of conditions that have no guard of their own before `conditions`.
_OTHER_REASONS = tuple(
    reason for reason in PRECEDENCE if reason not in (KeptReason.UNREADABLE, KeptReason.PROTECTED, KeptReason.NEWEST)
)


def protected(candidate: Candidate, facts: RepositoryFacts, rules: GuardRules) -> Kept | None:
    """Keep a manifest if any of its tags, listed or not, is protected, or if a condition protects it."""
    for tag in candidate.tags:
        pattern = rules.protection(facts.repository, tag)
        if pattern is not None:
            return Kept(KeptReason.PROTECTED, (pattern,))
    return _held(candidate, facts, KeptReason.PROTECTED)


def unreadable(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep all manifests of a repository whose tags could not be read, and those that a condition could not read."""
    if not isinstance(facts.tags, Unreadable):
        return _held(candidate, facts, KeptReason.UNREADABLE)
    return Kept(KeptReason.UNREADABLE, (facts.tags.why,), facts.tags.hint)


def in_use(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep a manifest that is in use, whatever its tags are."""
    return facts.conditions.in_use.get(candidate.digest)


def newest(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep the newest images of a group, whichever entry names them."""
    return _held(candidate, facts, KeptReason.NEWEST)


def conditions(candidate: Candidate, facts: RepositoryFacts, _: GuardRules) -> Kept | None:
    """Keep a manifest that a condition keeps for a reason without a guard of its own, for instance its age."""
    return _held(candidate, facts, *_OTHER_REASONS)


def _held(candidate: Candidate, facts: RepositoryFacts, *reasons: KeptReason) -> Kept | None:
    found = (*facts.conditions.digests.get(candidate.digest, ()), *candidate.narrowed)
    kept = (one for one in found if one.reason in reasons)
    return min(kept, key=lambda one: PRECEDENCE.index(one.reason), default=None)


def shared(candidate: Candidate, facts: RepositoryFacts, rules: GuardRules) -> Kept | None:
    """Keep a manifest that has a tag outside the list, unless `--shared` allows to delete such tags.

    That permission does not extend to attached manifests, which the list does not name.
    """
    takes_all = rules.shared in (Shared.DELETE, Shared.DELETE_UNSEEN) and not candidate.attached
    if takes_all or not candidate.unlisted:
        return None
    return Kept(KeptReason.SHARED, tuple(f"{facts.repository}:{tag}" for tag in candidate.unlisted))


# In the order of `PRECEDENCE`. `needed` depends on the verdicts on other manifests, so `graph` adds it afterwards.
GUARDS: tuple[Guard, ...] = (unreadable, protected, in_use, newest, shared, conditions)


def reasons_of(candidate: Candidate, facts: RepositoryFacts, rules: GuardRules) -> tuple[Kept, ...]:
    """Return every reason that keeps a manifest; the first one is reported."""
    return tuple(kept for guard in GUARDS if (kept := guard(candidate, facts, rules)) is not None)
