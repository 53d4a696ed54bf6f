"""A plan as plain values, as JSON has them: the one description of the fields of version 1. Their order is fixed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.policy_fields import ignoring, options_of, recorded_conditions
from bulkrm.model.plan import Dangling, Delete, Item, Plan, Settled, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Gone, Kept, NoMatch, NotAttempted, WouldDelete
from bulkrm.model.target import Target, Unmatched
from bulkrm.planning.order.cost import freed_bytes, requests_for, requests_in


def options(document: PlanDocument) -> dict[str, Any]:
    """Return what the plan was made with, as far as it is made again with it."""
    more = {**ignoring(document.ignore), **recorded_conditions(document.conditions)}
    return {**options_of(document.policy), "protect": list(document.protect), **more}


def repositories(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield all repositories, sorted, with their manifests sorted by digest."""
    items: dict[Repository, list[Item]] = defaultdict(list)
    settled: dict[Repository, list[Settled | Dangling]] = defaultdict(list)
    for item in plan.items:
        items[item.repository].append(item)
    for entry in plan.without_manifest:
        settled[entry.target.reference.repository].append(entry)
    for repository in sorted({*items, *settled}, key=str):
        yield {
            "repository": str(repository),
            "tags_seen": plan.tags.get(repository),
            "strategy": plan.order(repository).value,
            "requests": _requests_in(plan, repository, items[repository])
            + requests_for([entry for entry in settled[repository] if isinstance(entry, Dangling)]),
            "manifests": sorted((manifest(item) for item in items[repository]), key=_manifest_order),
            "settled": sorted(
                (_settled(entry) for entry in settled[repository]), key=lambda entry: str(entry["image"])
            ),
        }


def manifest(item: Item) -> dict[str, Any]:
    """One item of the plan."""
    verdict = item.verdict
    also = verdict.also_removed if isinstance(verdict, Delete) else ()
    return {
        "digest": item.digest,
        "verdict": _word(item),
        **_why(verdict if isinstance(verdict, Kept | Failed) else None),
        "way": verdict.untag_method.value if isinstance(verdict, Untag) else None,
        "media_type": item.resolved.media_type,
        "size": item.resolved.size,
        "tags": sorted(item.tags),
        "also_removed": sorted(also) if also else also,  # null: not read
        "parents": sorted(item.parents),
        "leaves": sorted(item.orphaned),
        "images": sorted((_image(target) for target in item.targets), key=lambda image: str(image["image"])),
    }


def requests_of(plan: Plan) -> int:
    """Return how many requests carrying out a plan sends, without tokens, retries and a second reading."""
    items: dict[Repository, list[Item]] = defaultdict(list)
    for item in plan.items:
        items[item.repository].append(item)
    dangling: dict[Repository, list[Dangling]] = defaultdict(list)
    for entry in plan.dangling:
        dangling[entry.repository].append(entry)
    by_digest = sum(_requests_in(plan, repository, found) for repository, found in items.items())
    return by_digest + sum(map(requests_for, dangling.values()))


def _requests_in(plan: Plan, repository: Repository, items: Iterable[Item]) -> int:
    return requests_in(items, plan.order(repository), untagged_first=repository.host in plan.untagged_first)


def unmatched(lines: Iterable[Unmatched]) -> list[dict[str, Any]]:
    """Return the patterns without images, in the order of the list."""
    return [
        {"pattern": line.text, "source": str(line.source), "note": line.note, **_outcome(line.outcome)}
        for line in lines
    ]


def totals(document: PlanDocument) -> dict[str, int]:
    """Numbers for people; nothing is checked against them, so that items may be taken out by hand."""
    plan = document.plan
    words = [_word(item) for item in plan.items]
    places = plan.touched
    return {
        "images": sum(len(item.targets) for item in plan.items) + len(plan.settled) + len(plan.dangling),
        "registries": len({place.host for place in places}),
        "repositories": len(places),
        "delete": words.count("delete"),
        "untag": words.count("untag"),
        "keep": words.count("keep"),
        "fail": words.count("fail") + sum(isinstance(entry.outcome, Failed) for entry in plan.settled),
        "absent": sum(isinstance(entry.outcome, Gone) for entry in plan.settled),
        "tags_removed": sum(len(item.removed_tags) for item in plan.acts) + len(plan.dangling),
        "requests": requests_of(plan),
        "bytes_freed_at_most": freed_bytes(plan.items),
    }


def failure(cause: Failure) -> dict[str, Any]:
    """Why something failed."""
    return {
        "code": cause.code.value,
        "message": cause.message,
        "status": cause.status,
        "hint": cause.hint,
        "reach": cause.reach.value,
    }


def _word(item: Item) -> str:
    match item.verdict:
        case Delete():
            return "delete"
        case Untag():
            return "untag"
        case Kept():
            return "keep"
        case Failed():
            return "fail"


def _manifest_order(fields: dict[str, Any]) -> tuple[str, bool, str]:
    first = fields["images"][0]["image"] if fields["images"] else ""
    return str(fields["digest"]), fields["verdict"] != "untag", str(first)


def _image(target: Target) -> dict[str, Any]:
    bound = {"bound": list(target.bound)} if target.bound else {}
    return {
        "image": str(target.reference),
        "source": str(target.source) if target.source else None,
        "note": target.note,
        "parent": str(target.parent) if target.parent else None,
        **bound,
    }


def _settled(entry: Settled | Dangling) -> dict[str, Any]:
    if isinstance(entry, Dangling):
        return {**_image(entry.target), "status": WouldDelete.status.value, **_why(None)}
    return {**_image(entry.target), **_outcome(entry.outcome)}


def _outcome(outcome: Gone | Failed | Kept | NoMatch | NotAttempted) -> dict[str, Any]:
    why = _why(outcome if isinstance(outcome, Kept | Failed) else None)
    if isinstance(outcome, Gone) and outcome.no_repository:
        why["reason"] = "no-repository"
    if isinstance(outcome, NotAttempted):
        why["reason"] = outcome.reason.value
    return {"status": outcome.status.value, **why}


def _why(outcome: Kept | Failed | None) -> dict[str, Any]:
    return {
        "reason": outcome.reason.value if isinstance(outcome, Kept) else None,
        "because": list(outcome.because) if isinstance(outcome, Kept) else [],
        "error": failure(outcome.failure) if isinstance(outcome, Failed) else None,
    }
