"""Damaged tags: the registry lists them and answers requests for them, but not with a manifest.

After a 404 a tag is certainly damaged. A 5xx, or an answer that is not a manifest, may be temporary: the tag is damaged if
the same happens a second time, after the rest of the repository was read, while another tag of it could be read. Other
failures (no permission, rate limits, timeouts, broken connections) tell nothing about the tag.
"""

from collections.abc import Collection, Iterable

from bulkrm.engine.plan.resolver import Method, Name, Resolver
from bulkrm.model.manifests.manifest import Absent, Resolved, Unresolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.planning.dangling import is_damage
from bulkrm.planning.guards.rules import GuardRules


class DamagedTags:
    """Finds out by a second reading which tags are damaged."""

    def __init__(self, resolver: Resolver, rules: GuardRules) -> None:
        """Use the readings of `resolver`, which also reads again. `rules`: which tags are ignored, and which are protected."""
        self._resolver = resolver
        self._rules = rules
        self._confirmed: set[Name] = set()

    def forget(self) -> None:
        """Forget which tags were confirmed as damaged, because everything is read again."""
        self._confirmed.clear()

    def leads_nowhere(self, repository: Repository, tag: str) -> bool:
        """Tell whether a listed tag has no manifest: it answered 404, or 5xx twice."""
        name = repository, tag
        match self._resolver.found.get(name):
            case Absent():
                return True
            case Unresolved(failure):
                return failure.code is FailureCode.SERVER_ERROR and name in self._confirmed
            case _:
                return False

    def is_ignored(self, repository: Repository, tag: str) -> bool:
        """Tell whether a tag is confirmed as damaged, and `--ignore-unreadable` matches it."""
        return (repository, tag) in self._confirmed and self._may_be_ignored(repository, tag)

    def _may_be_ignored(self, repository: Repository, tag: str) -> bool:
        protected = self._rules.protection(repository, tag) is not None
        return not protected and self._rules.ignoring(repository, tag) is not None

    async def read_again(self, repository: Repository, listed: Iterable[str], named: Collection[str]) -> bool:
        """Read the damaged tags of a repository a second time: those that the list names, and those that may be ignored.

        `listed`: all tags of the repository; `named`: those that the list names. Returns True if anything was read.
        """
        tags = list(listed)
        found = self._resolver.found
        if not any(isinstance(found.get((repository, tag)), Resolved) for tag in tags):
            return False  # perhaps the registry fails for every tag
        doubtful = [
            (repository, tag)
            for tag in tags
            if is_damage(found.get((repository, tag)))
            and (repository, tag) not in self._confirmed
            and (self._may_be_ignored(repository, tag) or self._may_go(repository, tag, named))
        ]
        if doubtful:
            await self._ask_again(doubtful, named)
        return bool(doubtful)

    async def _ask_again(self, doubtful: Collection[Name], named: Collection[str]) -> None:
        found = self._resolver.found
        for name in doubtful:
            del found[name]
        await self._resolver.resolve([name for name in doubtful if name[1] in named], Method.GET)
        await self._resolver.resolve(doubtful, Method.HEAD)
        self._confirmed.update(name for name in doubtful if is_damage(found.get(name)))

    def _may_go(self, repository: Repository, tag: str, named: Collection[str]) -> bool:
        return tag in named and self._rules.protection(repository, tag) is None

    def hint_for(self, repository: Repository, tag: str, failure: Failure) -> str | None:
        """Return a hint about a tag that cannot be read, so that its repository is kept; None: there is no remedy."""
        if not is_damage(Unresolved(failure)):
            return None
        name = f"{repository}:{tag}"
        if self._rules.protection(repository, tag) is not None:
            return f"{name} is protected, so its repository is kept until it can be read; run again, or push it anew"
        return (
            f"run again; if {name} stays damaged, list it too, to delete it, or let it hold nothing back with "
            f"--ignore-unreadable {name}"
        )
