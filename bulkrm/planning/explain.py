"""The text of `--explain`: every rule that keeps an image, in the order of their precedence."""

from collections.abc import Iterable, Iterator

from bulkrm.model.plan import Delete, Item, Plan, Untag
from bulkrm.model.reference import DigestRef, Reference, TagRef
from bulkrm.model.result.outcome import PRECEDENCE, Failed, Gone, Kept
from bulkrm.planning.facts import RepositoryFacts, TagsRead
from bulkrm.planning.guards.rules import GuardRules, reasons_of
from bulkrm.planning.judge import candidate_of


def explain(reference: Reference, plan: Plan, facts: Iterable[RepositoryFacts], rules: GuardRules) -> Iterator[str]:
    """Yield the lines about an image: its manifest, each rule that keeps it, and the verdict. `facts`: of all repositories."""
    item = next((item for item in plan.items if _is_about(item, reference)), None)
    here = next((entry for entry in facts if entry.repository == reference.repository), None)
    if item is None or here is None:
        yield from _without_item(reference, plan, here)
        return
    yield f"{reference}: {item.digest}, tags {', '.join(item.tags) or 'none'}"
    named = [target for target in item.targets if target.reference == reference]
    if named:
        yield from (f"  chosen by {target.source}" for target in named if target.source is not None)
    else:
        yield "  no entry of the list chooses this name, but one chooses another name of the same manifest"
    candidate = candidate_of(item.digest, item.targets, item.tags, here)
    found = list(dict.fromkeys(reasons_of(candidate, here, rules)))
    found += [kept for kept in here.conditions.digests.get(item.digest, ()) if kept not in found]
    found += [
        kept for target in named for kept in here.conditions.targets.get(target.reference, ()) if kept not in found
    ]
    if isinstance(item.verdict, Kept) and item.verdict not in found:
        found.append(item.verdict)
    for kept in sorted(found, key=lambda kept: PRECEDENCE.index(kept.reason) if kept.reason in PRECEDENCE else -1):
        yield f"  {_kept(kept)}"
    yield f"  so it is {_verdict(item)}"


def _is_about(item: Item, reference: Reference) -> bool:
    if item.repository != reference.repository:
        return False
    return item.digest == reference.digest if isinstance(reference, DigestRef) else reference.tag in item.tags


def _without_item(reference: Reference, plan: Plan, here: RepositoryFacts | None) -> Iterator[str]:
    entry = next((entry for entry in plan.settled if entry.target.reference == reference), None)
    if entry is not None:
        match entry.outcome:
            case Gone():
                yield f"{reference}: the registry does not have it"
            case Kept() as kept:
                yield f"{reference}: {_kept(kept)}"
            case Failed(failure):
                yield f"{reference}: failed, {failure.code}: {failure.message}"
    elif any(entry.target.reference == reference for entry in plan.dangling):
        yield f"{reference}: a tag that leads nowhere; it is deleted"
    elif (
        here is not None
        and isinstance(here.tags, TagsRead)
        and isinstance(reference, TagRef)
        and reference.tag in here.tags.tags
    ):
        yield f"{reference}: no entry of the list chooses it, or what it leads to"
    else:
        yield f"{reference}: no entry of the list chooses it, and no repository that was read has it"


def _kept(kept: Kept) -> str:
    return f"{kept.reason} keeps it" + (f": {', '.join(kept.because)}" if kept.because else "")


def _verdict(item: Item) -> str:
    match item.verdict:
        case Delete():
            return "deleted: no rule keeps it"
        case Untag(remaining_tags):
            return f"untagged, and stays as {', '.join(remaining_tags)}"
        case Kept(reason):
            return f"kept: {reason}"
        case Failed(failure):
            return f"failed: {failure.message}"
