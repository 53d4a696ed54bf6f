"""Finds the children and referrers that `--recursive` adds to the targets, level by level."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.resolver import Method, Resolver, name_of
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import EventListener, Phase, PhaseBegan
from bulkrm.model.grouping import by_host, by_repository
from bulkrm.model.manifests.manifest import Absent, Resolution, Resolved
from bulkrm.model.plan import Delete, Item, Plan
from bulkrm.model.reference import DigestRef, Reference, Repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.target import Target
from bulkrm.planning.facts import RepositoryFacts
from bulkrm.planning.guards.graph import cyclic_attachments
from bulkrm.planning.recursion import AttachedTarget, attached_to, is_attached_to

_ManifestName = tuple[Repository, Digest]


class Attached:
    """Finds the children and referrers of manifests to delete."""

    def __init__(self, gateway: Gateway, resolver: Resolver, stop: Stop, tell: EventListener) -> None:
        """Read manifests by `resolver`, which stores them; `tell` receives the events."""
        self._gateway = gateway
        self._resolver = resolver
        self._stop = stop
        self._tell = tell
        self._referrers: dict[_ManifestName, tuple[Digest, ...]] = {}
        self._failures: dict[Repository, dict[Digest, Failure]] = defaultdict(dict)
        self._without_api: set[Repository] = set()
        self._dismissed: set[Reference] = set()
        self._absent: dict[Repository, set[Digest]] = {}

    def failures(self, repository: Repository) -> Mapping[Digest, Failure]:
        """Return the manifests whose referrers could not be read. They are kept: a deletion would hide their referrers."""
        return self._failures.get(repository, {})

    def absent(self, repository: Repository) -> frozenset[Digest]:
        """Return the children and referrers that were asked for and do not exist."""
        return frozenset(self._absent.get(repository, ()))

    async def extend(self, targets: list[Target], plan: Plan, facts: Iterable[RepositoryFacts]) -> bool:
        """Add one level of children and referrers to `targets`; return True if the plan has to be judged again."""
        items = by_repository(plan.items)
        cyclic = {
            target for members in items.values() for item in cyclic_attachments(members) for target in item.targets
        }
        if cyclic:
            self._dismissed.update(target.reference for target in cyclic)
            targets[:] = [target for target in targets if target not in cyclic]
            return True
        failed = await self._read_referrers([item for item in plan.items if isinstance(item.verdict, Delete)])
        wanted = [
            wanted
            for entry in facts
            for wanted in attached_to(items.get(entry.repository, []), entry, self._of(items.get(entry.repository, [])))
            if wanted.target.reference not in self._dismissed
        ]
        if wanted:
            self._tell(PhaseBegan(Phase.RESOLVING_ATTACHED, len(wanted)))
        await self._resolver.resolve([name_of(entry.target) for entry in wanted], Method.GET)
        found = [] if self._stop else [entry.target for entry in wanted if self._is_there(entry)]
        targets += found
        return failed or bool(wanted)

    def _of(self, items: Sequence[Item]) -> dict[Digest, tuple[Digest, ...]]:
        return {item.digest: self._referrers.get((item.repository, item.digest), ()) for item in items}

    def _is_there(self, wanted: AttachedTarget) -> bool:
        """Tell whether a manifest exists and is attached as listed; if not, it is dismissed for the rest of the run."""
        found: Resolution = self._resolver.found[name_of(wanted.target)]
        absent = isinstance(found, Absent)
        if absent or (isinstance(found, Resolved) and not is_attached_to(wanted, found.subject)):
            reference = wanted.target.reference
            self._dismissed.add(reference)
            if absent and isinstance(reference, DigestRef):
                self._absent.setdefault(reference.repository, set()).add(reference.digest)
            return False
        return True

    async def _read_referrers(self, deletions: Iterable[Item]) -> bool:
        """Read the referrers of each manifest to delete, once; return True if that failed for any of them.

        Only one request is sent to a repository without the API: there, artifact tags name the attached manifests.
        """
        asked = [(item.repository, item.digest) for item in deletions]
        names = [name for name in asked if name not in self._referrers]
        failed = False

        async def ask(name: _ManifestName) -> None:
            nonlocal failed
            repository, digest = name
            if repository in self._without_api:
                return
            answer = await self._gateway.repository(repository).referrers(digest)
            if isinstance(answer, Failure):
                self._failures[repository][digest] = answer
                failed = True
            elif answer is None:
                self._without_api.add(repository)
            self._referrers[name] = () if answer is None or isinstance(answer, Failure) else answer

        await run_jobs(by_host(names), self._gateway.workers, ask, self._stop)
        return failed
