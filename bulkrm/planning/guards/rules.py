"""Guards: the rules that keep a manifest although the list names it.

A guard is a pure function that returns why it keeps a candidate, or None. The first guard with a reason decides, so the
order of the guards is the precedence of the reasons. Guards fail closed: where the tags of a repository could not be read,
nothing in it is deleted.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.model.settings import Shared
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.facts import FindPattern, RepositoryFacts, TagsRead, Unreadable
from bulkrm.planning.guards.graph import keep_needed, named_after_digests
from bulkrm.selection.patterns.pattern import ProtectPattern


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


def with_min_keep(judged: list[Item], facts: RepositoryFacts, rules: GuardRules) -> list[Item]:
    """Keep the newest of the manifests to delete if too few others remain, and the manifests that those need."""
    if not rules.min_keep or not isinstance(facts.tags, TagsRead):
        return judged
    tagged = tagged_digests(facts.tags)
    deletions = {item.digest for item in judged if isinstance(item.verdict, Delete)}
    going = {digest: facts.conditions.created.get(digest) for digest in sorted(tagged & deletions)}
    chosen = set(rules.choose_kept(rules.min_keep - len(tagged - deletions), going)) if going else set()
    if not chosen:
        return judged
    kept = Kept(KeptReason.FLOOR, (f"min-keep: {rules.min_keep}",))
    items = [
        replace(item, verdict=kept) if item.digest in chosen and isinstance(item.verdict, Delete) else item
        for item in judged
    ]
    return keep_needed(items, facts)


def tagged_digests(seen: TagsRead) -> set[Digest]:
    """Return the manifests that count for `min-keep`: those with a tag that is not an artifact tag."""
    artifacts = named_after_digests(seen.tags)
    return {resolved.digest for tag, resolved in seen.tags.items() if tag not in artifacts}


def min_keep_may_apply(named: Iterable[Digest], seen: TagsRead, least: int) -> bool:
    """Tell whether fewer than `least` tagged manifests would remain if all that the list names were deleted."""
    tagged = tagged_digests(seen)
    deletions = tagged.intersection(named)
    return bool(deletions) and len(tagged - deletions) < least


class TrackedPatterns:
    """Matches tags against patterns, and tracks which patterns matched a tag of the touched repositories."""

    def __init__(self, patterns: Sequence[ProtectPattern], kind: str = "protect") -> None:
        """`kind`: the name of the patterns in a warning."""
        self._kind = kind
        self._patterns = tuple(dict.fromkeys(patterns))
        self._unused = dict.fromkeys(self._patterns)
        self._read = False

    def match(self, repository: Repository, tag: str) -> str | None:
        """Return the text of the first pattern that matches the tag, None where none does."""
        return next((str(pattern) for pattern in self._patterns if pattern.protects(repository, tag)), None)

    def mark_used(self, facts: Iterable[RepositoryFacts]) -> None:
        """Mark the patterns as used that match any tag of these repositories; a tag that cannot be read counts too."""
        for entry in facts:
            self._read = self._read or bool(isinstance(entry.tags, TagsRead) and entry.tags.tags)
            here = [pattern for pattern in self._unused if pattern.holds_in(entry.repository)]
            for tag in _tags(entry) if here else ():
                for pattern in here:
                    if pattern in self._unused and pattern.protects(entry.repository, tag):
                        del self._unused[pattern]

    def unused_warnings(self) -> Iterator[str]:
        """Yield a warning for each pattern that matched no tag, unless no tags were read at all."""
        for pattern in self._unused if self._read else ():
            yield f"the {self._kind} pattern {pattern} matches no tag of the touched repositories"


def _tags(entry: RepositoryFacts) -> Iterator[str]:
    yield from entry.dangling
    if isinstance(entry.tags, TagsRead):
        yield from entry.tags.tags
        yield from entry.tags.ignored
