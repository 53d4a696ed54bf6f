"""Verifies after a run that everything that was to stay is there: kept tags, and the manifests that their indexes need.

`verify_deleted` verifies the other half, that what went is gone.
"""

from collections.abc import Collection, Mapping, Sequence

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.verify_deleted import RemovedReference, still_there
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.planner import PlanWithFacts
from bulkrm.engine.plan.resolver import Method, Name, Resolver
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.model.digest import Digest
from bulkrm.model.events import Phase, PhaseBegan
from bulkrm.model.grouping import by_repository
from bulkrm.model.manifests.manifest import Resolution, Resolved, Unresolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.report import Difference, Verification
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.facts import TagsRead
from bulkrm.planning.guards.graph import manifests_below, removed_tags


@valueclass
class Expected:
    """What is to stay in one repository: tags with what they hold, and the manifests that those need."""

    repository: Repository
    tags: Mapping[str, Digest]
    manifests: tuple[Digest, ...]


def expectations(known: PlanWithFacts) -> list[Expected]:
    """Return what is to stay in the repositories in which the plan does something."""
    changed, touched = by_repository(known.plan.changed_items), known.plan.touched
    found = []
    for entry in known.facts:
        if entry.repository in touched and isinstance(entry.tags, TagsRead):
            removed = removed_tags(changed.get(entry.repository, ()))
            tags = {tag: resolved.digest for tag, resolved in entry.tags.tags.items() if tag not in removed}
            needed = manifests_below(tags.values(), entry.tags.indexes)
            found.append(Expected(entry.repository, tags, tuple(needed)))
    return found


class Verifier:
    """Reads the same tags and manifests before and after a run, and reports the differences."""

    def __init__(self, gateway: Gateway, context: RunContext, expected: Sequence[Expected]) -> None:
        """Take what is to stay, as `expectations` returns it."""
        self._gateway = gateway
        self._context = context
        self._expected = expected
        self._there: list[Name] = []

    async def before(self) -> None:
        """Read which of the needed manifests are there: an index may have been incomplete before the run."""
        names = [(entry.repository, digest) for entry in self._expected for digest in entry.manifests]
        with self._context.stop.phase():
            found = await self._read(names, Phase.CHECKING_NEEDED)
            self._there = [name for name, resolution in found.items() if isinstance(resolution, Resolved)]

    async def after(self, removed: Collection[RemovedReference]) -> Verification | None:
        """Read it all again, and look for what was removed; None: the run is stopped, and nothing was verified."""
        verified = None  # stays None if the phase is cut short
        if not self._context.stop:
            with self._context.stop.phase():
                verified = await self._compared(removed)
        return verified

    async def _compared(self, removed: Collection[RemovedReference]) -> Verification:
        tags: dict[Name, Digest] = {
            (entry.repository, tag): digest for entry in self._expected for tag, digest in entry.tags.items()
        }
        found = await self._read([*tags, *self._there], Phase.VERIFYING_KEPT)
        wrong = {name: resolution for name, resolution in found.items() if not _is_as_it_was(name, tags, resolution)}
        lost = [(name[0], tags[name]) for name in wrong if name in tags]
        manifests = await self._read(lost, Phase.LOOKING_FOR_MISSING)
        left = {name for name, resolution in manifests.items() if isinstance(resolution, Resolved)}
        differences = [_difference(name, tags.get(name), resolution, left) for name, resolution in wrong.items()]
        differences += await still_there(removed, self._gateway, self._context)
        return Verification(len(found), tuple(differences))

    async def _read(self, names: Sequence[Name], phase: Phase) -> dict[Name, Resolution]:
        """HEAD these names, with a gateway that remembers no failure yet."""
        if names:
            self._context.tell(PhaseBegan(phase, len(names)))
        gateway = self._gateway.with_fresh_memory()
        lists = TagLists(gateway, self._context.stop, self._context.clock)
        resolver = Resolver(gateway, lists, self._context.stop, self._context.tell)
        await gateway.read_reliably(lambda: resolver.resolve(names, Method.HEAD), resolver.found.clear)
        return resolver.found


def _is_as_it_was(name: Name, tags: Mapping[Name, Digest], resolution: Resolution) -> bool:
    return isinstance(resolution, Resolved) and resolution.digest == tags.get(name, name[1])


def _difference(name: Name, was: Digest | None, resolution: Resolution, left: Collection[Name]) -> Difference:
    repository, reference = name
    image = f"{repository}:{reference}" if was else f"{repository}@{reference}"
    now = resolution.digest if isinstance(resolution, Resolved) else None
    message = "it is gone" if was else "a kept index needs it, and it is gone"
    if isinstance(resolution, Unresolved):
        message = f"it cannot be read: {resolution.failure.message}"
    elif now is not None:
        message = f"it leads to {now} now, somebody may have pushed it"
    hint = "push it again from where it was built"
    if was and (repository, was) in left:
        hint = f"skopeo copy --all --preserve-digests docker://{repository}@{was} docker://{image}"
    return Difference(image, was or Digest(str(reference)), now, message, hint)
