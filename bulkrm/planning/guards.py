"""The rules that keep a manifest although the list names it. A guard looks at one candidate and keeps it or does not.

The first guard that keeps decides; their order is the precedence of the reasons. All fail closed: where the tags of a
repository could not be read, nothing of it goes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bulkrm.model.digest import Digest
from bulkrm.model.outcome import Kept, KeptReason
from bulkrm.model.reference import Repository
from bulkrm.model.settings import Shared
from bulkrm.planning.facts import Protection, RepositoryFacts, Unreadable


def nobody(_: Repository, __: str) -> None:
    """Match no tag."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the user decided. `ignoring`: damaged tags that hold nothing back."""

    shared: Shared
    protection: Protection
    ignoring: Protection = nobody


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest that the list names. `listed`: its tags in the list; `tags`: all its tags that are known, sorted.

    `attached`: the list names only what it belongs to.
    """

    digest: Digest
    listed: frozenset[str]
    tags: tuple[str, ...]
    attached: bool = False

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The tags that the list does not name."""
        if len(self.tags) == len(self.listed):  # those are among them
            return ()
        return tuple(tag for tag in self.tags if tag not in self.listed)


Guard = Callable[[Candidate, RepositoryFacts, Rules], Kept | None]


def protected(candidate: Candidate, facts: RepositoryFacts, rules: Rules) -> Kept | None:
    """Keep a manifest as long as any of its tags, listed or not, is protected."""
    for tag in candidate.tags:
        pattern = rules.protection(facts.repository, tag)
        if pattern is not None:
            return Kept(KeptReason.PROTECTED, (pattern,))
    return None


def unreadable(_: Candidate, facts: RepositoryFacts, __: Rules) -> Kept | None:
    """Keep everything of a repository whose tags could not all be read."""
    if not isinstance(facts.tags, Unreadable):
        return None
    return Kept(KeptReason.UNREADABLE, (facts.tags.why,), facts.tags.hint)


def shared(candidate: Candidate, facts: RepositoryFacts, rules: Rules) -> Kept | None:
    """Keep a manifest that has a tag outside the list, unless the user said that such tags go too.

    That is said of what the list names: what only belongs to it never takes a tag with it.
    """
    takes_all = rules.shared in (Shared.DELETE, Shared.DELETE_UNSEEN) and not candidate.attached
    if takes_all or not candidate.unlisted:
        return None
    return Kept(KeptReason.SHARED, tuple(f"{facts.repository}:{tag}" for tag in candidate.unlisted))


GUARDS: tuple[Guard, ...] = (protected, unreadable, shared)
