"""Damaged tags: the registry lists them, answers when it is asked for them, and has no manifest to give.

A 404 is clear by itself. A 5xx, or something that is no manifest, may pass: it counts when it came twice, the second time
after the rest of the repository was read, while another tag of it could be read. Whatever else went wrong (no permission,
rate limits, timeouts, broken connections) says nothing of the tag.
"""

from collections.abc import Collection, Iterable

from bulkrm.engine.plan.resolver import Method, Name, Resolver
from bulkrm.model.manifests.manifest import Absent, Resolution, Resolved, Unresolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.planning.guards.rules import GuardRules


class DamagedTags:
    """Finds out which tags are damaged, for sure, by a second reading."""

    def __init__(self, resolver: Resolver, rules: GuardRules) -> None:
        """Take what was read so far and reads again, and the rules of what may be ignored and what is protected."""
        self._resolver = resolver
        self._rules = rules
        self._confirmed: set[Name] = set()

    def forget(self) -> None:
        """Forget what was confirmed, because everything is read anew."""
        self._confirmed.clear()

    def leads_nowhere(self, repository: Repository, tag: str) -> bool:
        """Tell whether a tag that is listed has no manifest: a 404 says so, or a 5xx that came twice."""
        name = repository, tag
        match self._resolver.found.get(name):
            case Absent():
                return True
            case Unresolved(failure):
                return failure.code is FailureCode.SERVER_ERROR and name in self._confirmed
            case _:
                return False

    def is_ignored(self, repository: Repository, tag: str) -> bool:
        """Tell whether a tag is confirmed as damaged, and the user said that such a tag holds nothing back."""
        return (repository, tag) in self._confirmed and self._may_be_ignored(repository, tag)

    def _may_be_ignored(self, repository: Repository, tag: str) -> bool:
        protected = self._rules.protection(repository, tag) is not None
        return not protected and self._rules.ignoring(repository, tag) is not None

    async def read_again(self, repository: Repository, listed: Iterable[str], named: Collection[str]) -> bool:
        """Read the damaged tags of a repository a second time: those that the list names, and those to be ignored.

        `listed`: all tags of the repository; `named`: those that the list names. Tell whether anything was read.
        """
        tags = list(listed)
        found = self._resolver.found
        if not any(isinstance(found.get((repository, tag)), Resolved) for tag in tags):
            return False  # it may be the registry that is in trouble, and not the tag
        doubtful = [
            (repository, tag)
            for tag in tags
            if is_damage(found.get((repository, tag)))
            and (repository, tag) not in self._confirmed
            and (self._may_be_ignored(repository, tag) or self._may_go(repository, tag, named))
        ]
        for name in doubtful:
            del found[name]
        await self._resolver.resolve([name for name in doubtful if name[1] in named], Method.GET)
        await self._resolver.resolve(doubtful, Method.HEAD)
        self._confirmed.update(name for name in doubtful if is_damage(found.get(name)))
        return bool(doubtful)

    def _may_go(self, repository: Repository, tag: str, named: Collection[str]) -> bool:
        return tag in named and self._rules.protection(repository, tag) is None

    def way_out(self, repository: Repository, tag: str, failure: Failure) -> str | None:
        """Say what can be done about a tag that holds everything back because it cannot be read."""
        if not is_damage(Unresolved(failure)):
            return None
        name = f"{repository}:{tag}"
        if self._rules.protection(repository, tag) is not None:
            return f"{name} is protected, so its repository is kept until it can be read; run again, or push it anew"
        return (
            f"run again; if {name} stays damaged, list it too, to delete it, or let it hold nothing back with "
            f"--ignore-unreadable {name}"
        )


def is_damage(found: Resolution | None) -> bool:
    """Tell whether the registry answered about a tag, neither with a manifest nor with a 404."""
    if not isinstance(found, Unresolved) or isinstance(found.failure, CircuitOpen):
        return False
    return found.failure.shows_damage
