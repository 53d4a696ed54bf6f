"""Verifies after a run that what it deleted is gone: digests and tags by HEAD, tags in the tag list too.

Costs one request for each digest and each tag that went, and one tag list for each repository.
"""

from collections.abc import Collection, Iterator

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.tags.tag_change import tag_of
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.plan.resolver import Method, Name, Resolver
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.model.digest import Digest
from bulkrm.model.events import Phase, PhaseBegan, ignore
from bulkrm.model.manifests.manifest import Absent, Resolution, Resolved, Unresolved
from bulkrm.model.plan import Item, Plan
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Deleted, Outcome, Untagged
from bulkrm.model.result.report import Difference
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass


@valueclass
class RemovedReference:
    """A tag or digest that the report calls gone, and the digest that it had; None: a dangling tag."""

    name: Name
    digest: Digest | None


def removed_references(plan: Plan, outcomes: Outcomes) -> list[RemovedReference]:
    """Return the tags and digests that are gone by the outcomes of a plan, each once."""
    found: dict[RemovedReference, None] = {}
    for item in plan.changed_items:
        for target in item.targets:
            for name in _removed_names(item, target, outcomes.outcome(target)):
                found[RemovedReference((item.repository, name), item.digest)] = None
    for entry in plan.dangling:
        if isinstance(outcomes.outcome(entry.target), Deleted):
            found[RemovedReference((entry.repository, tag_of(entry.target)), None)] = None
    return list(found)


def _removed_names(item: Item, target: Target, outcome: Outcome | None) -> Iterator[str | Digest]:
    if isinstance(outcome, Deleted | Untagged) and isinstance(target.reference, TagRef):
        yield target.reference.tag
    if isinstance(outcome, Deleted):
        yield item.digest
        yield from (name.rpartition(":")[2] for name in outcome.also_removed or ())


async def still_there(gone: Collection[RemovedReference], gateway: Gateway, context: RunContext) -> list[Difference]:
    """Return a difference for everything that was deleted and answers, or is listed, all the same."""
    if not gone:
        return []
    gateway = gateway.with_fresh_memory()
    lists = TagLists(gateway, context.stop, context.clock)
    resolver = Resolver(gateway, lists, context.stop, context.tell)
    names = [each.name for each in gone]
    context.tell(PhaseBegan(Phase.VERIFYING_DELETED, len(names)))
    await resolver.resolve(names, Method.HEAD)
    await lists.read({repository for repository, name in names if not isinstance(name, Digest)}, ignore)
    differences = []
    for each in gone:
        repository, name = each.name
        if each.name in resolver.found:
            message = _message(each, resolver.found[each.name], _is_listed(lists, repository, name))
            if message is not None:
                differences.append(_difference(each, resolver.found[each.name], message))
    return differences


def _is_listed(lists: TagLists, repository: Repository, name: str) -> bool | Failure:
    if isinstance(name, Digest):
        return False
    listed = lists.get(repository)
    return listed if isinstance(listed, Failure) else name in (listed or ())


def _message(
    each: RemovedReference,
    found: Resolution,
    listed: bool | Failure,  # noqa: FBT001 (a fact, no option)
) -> str | None:
    """Return what is wrong with a tag or digest; None: it is gone."""
    match found:
        case Unresolved(failure):
            return f"it was deleted, and whether it is gone cannot be read: {failure.message}"
        case Resolved(digest) if digest != each.digest:
            return f"it was deleted, and leads to {digest} now, somebody may have pushed it"
        case Resolved():
            return "it was deleted, and it still answers"
        case Absent() if isinstance(listed, Failure):
            return f"it was deleted, and whether it is still listed cannot be read: {listed.message}"
        case Absent():
            return "it was deleted, and the tag list still has it: the registry stopped half-way" if listed else None


def _difference(each: RemovedReference, found: Resolution, message: str) -> Difference:
    repository, name = each.name
    image = f"{repository}@{name}" if isinstance(name, Digest) else f"{repository}:{name}"
    now = found.digest if isinstance(found, Resolved) else None
    return Difference(image, None, now, message, f"bulkrm -y {image}, or the registry's own tool")
