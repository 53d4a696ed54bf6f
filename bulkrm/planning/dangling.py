"""The verdicts on dangling tags, which the list names, the registry lists, and which lead to no manifest."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Resolution, Resolved, Unresolved
from bulkrm.model.plan import Dangling, Plan, Settled, UntagMethod
from bulkrm.model.reference import TagRef
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.facts import RepositoryFacts
from bulkrm.planning.guards.rules import GuardRules

NOWHERE = "listed, but leads nowhere"
_NO_WAY = "this registry deletes no tags; --allow-decoy permits to push an empty index over the tag and to delete that"
_PINNED = "leave the digest out to delete the tag whatever it held"


def judge_dangling(facts: RepositoryFacts, rules: GuardRules) -> Iterator[Dangling | Settled]:
    """Yield the verdict on each target that is a dangling tag."""
    found = [target for target, resolution in facts.resolutions if is_dangling(target, resolution, facts)]
    references = [target.reference for target in found if isinstance(target.reference, TagRef)]
    # A pin says that the tag is kept if it holds another digest; that wins over an entry that names the tag without a pin.
    pins: dict[str, Digest] = {}
    for reference in references:
        if reference.pin is not None:
            pins[reference.tag] = min(reference.pin, pins.get(reference.tag, reference.pin))
    for target, reference in zip(found, references, strict=True):
        held = facts.conditions.tags_in_use.get(reference.tag) or facts.conditions.dangling.get(reference.tag)
        pattern = rules.protection(facts.repository, reference.tag)
        if pattern is None and held is not None:
            yield Settled(target, held)
        else:
            yield _verdict(target, pattern, reference.pin or pins.get(reference.tag), facts.untag_method)


def is_dangling(target: Target, resolution: Resolution, facts: RepositoryFacts) -> bool:
    """Tell whether a target is a dangling tag."""
    reference = target.reference
    return isinstance(reference, TagRef) and reference.tag in facts.dangling and not isinstance(resolution, Resolved)


def _verdict(
    target: Target, pattern: str | None, pin: Digest | None, untag_method: UntagMethod | Failure | None
) -> Dangling | Settled:
    if pattern is not None:
        return Settled(target, Kept(KeptReason.PROTECTED, (pattern,)))
    if pin is not None:
        why = f"{NOWHERE}, so it cannot be told whether it holds {pin}"
        return Settled(target, Kept(KeptReason.UNREADABLE, (why,), _PINNED))
    match untag_method:
        case None:
            return Settled(target, Kept(KeptReason.UNREADABLE, (NOWHERE,), _NO_WAY))
        case Failure():
            return Settled(target, Failed(untag_method))
        case _:
            return Dangling(target, untag_method)


def held_dangling(plan: Plan, kept: Kept) -> Plan:
    """Return the plan with its dangling tags kept, because a limit keeps everything."""
    settled = (Settled(entry.target, kept) for entry in plan.dangling)
    return replace(plan, settled=(*plan.settled, *settled), dangling=())


@valueclass
class Agreed:
    """The result of `agreed`: the dangling tags that are still deleted, and the outcomes of the others."""

    dangling: tuple[Dangling, ...]
    settled: tuple[Settled, ...]


def agreed(saved: Iterable[Dangling], fresh: Plan) -> Agreed:
    """Compare the dangling tags of a saved plan with a fresh one: a tag is deleted only if both delete it."""
    now = {entry.target: entry for entry in fresh.dangling}
    settled = {entry.target: entry for entry in fresh.settled}
    held = {target: item for item in fresh.items for target in item.targets}
    going: list[Dangling] = []
    rest: list[Settled] = []
    for entry in saved:
        target = entry.target
        if target in now:
            going.append(now[target])
        elif target in held:
            rest.append(Settled(target, Kept(KeptReason.MOVED, (f"{target.reference}@{held[target].digest}",))))
        else:
            rest.append(settled.get(target, Settled(target, Gone())))
    return Agreed(tuple(going), tuple(rest))


def is_damage(found: Resolution | None) -> bool:
    """Tell whether the registry answered about a tag, neither with a manifest nor with a 404."""
    return isinstance(found, Unresolved) and found.failure.shows_damage
