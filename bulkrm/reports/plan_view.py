"""A plan as text for people: the manifests of each repository with their verdicts, and one line of totals."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bulkrm.model.grouping import by_repository
from bulkrm.model.manifests.manifest import INDEX_TYPES
from bulkrm.model.plan import Dangling, Delete, Item, Order, Plan, Settled, Untag, Verdict
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef
from bulkrm.model.result.outcome import PRECEDENCE, Failed, Gone, Kept, KeptReason, NotAttempted
from bulkrm.model.target import Target, Unmatched
from bulkrm.model.text.layout import MOST_IN_A_ROW, counted, listed, size, wrapped

if TYPE_CHECKING:  # help lists the formats, whose package this is in, without what plans need
    from bulkrm.codec.plan_document import PlanDocument

_INDENT = 6
_LEGEND = "-  deleted   ~  tag removed, image stays   =  kept   !  failed"
_ORDERS = {
    Order.DIGEST: "",
    Order.TAGS_FIRST: "; tags first, then manifests",
    Order.DECOY: "; one decoy over all tags, then manifests",
}
_MARKS = {Delete: "-", Untag: "~", Kept: "=", Failed: "!"}


def view(document: "PlanDocument", width: int | None) -> str:
    """Return the plan as text. `width` is the terminal's in characters; None: a pipe, where every manifest is one line."""
    plan = document.plan
    items, settled = by_repository(plan.items), by_repository(plan.without_manifest)
    blocks = [_LEGEND] if items or plan.dangling else []
    blocks += [
        "\n".join(
            wrapped(
                _repository(plan, repository, items.get(repository, []), settled.get(repository, []), width),
                width,
                indent=_INDENT,
            )
        )
        for repository in sorted({*items, *settled}, key=str)
    ]
    blocks.append("\n".join(wrapped(_remarks(document), width, indent=_INDENT)))
    blocks.append("\n".join(wrapped([_totals(document)], width)))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _repository(
    plan: Plan, repository: Repository, items: list[Item], settled: list[Settled | Dangling], width: int | None
) -> Iterator[str]:
    """Yield the header of a repository, and a line for each manifest, first those that are deleted."""
    number = plan.tags.get(repository)
    going = sum(len(item.removed_tags) for item in items) + sum(isinstance(entry, Dangling) for entry in settled)
    seen = f"{counted(number, 'tag')}: {going:,} to go, {number - going:,} to stay" if number else "tags not read"
    yield f"{repository}  ({seen}{_ORDERS[plan.order(repository)]})" if items or going else str(repository)
    short = width is not None
    for item in sorted(items, key=_order):
        if _kept_by_condition(item.verdict) is None:
            yield _line(item, short=short)
    for entry in settled:
        if isinstance(entry, Dangling) or _kept_by_condition(entry.outcome) is None:
            yield _settled_line(entry, short=short)
    counts = Counter(_kept_by_condition(item.verdict) for item in items for _ in item.targets)
    counts.update(_kept_by_condition(entry.outcome) for entry in settled if isinstance(entry, Settled))
    yield from (f"  = {counts[reason]:,} kept: {reason}" for reason in PRECEDENCE if counts[reason])


def _kept_by_condition(outcome: Verdict | Gone) -> KeptReason | None:
    """Return the reason of an image that a condition keeps, else None; such images are only counted, not listed."""
    return outcome.reason if isinstance(outcome, Kept) and outcome.reason.is_condition else None


def _order(item: Item) -> tuple[int, bool, str]:
    rank = list(_MARKS).index(type(item.verdict))
    return rank, item.is_attached, str(item.targets[0].reference) if item.targets else item.digest


def _line(item: Item, *, short: bool) -> str:
    what = ", ".join(_name(target, short=short) for target in item.targets)
    if any(isinstance(target.reference, TagRef) for target in item.targets):
        what += f"  {item.digest.short if short else item.digest}"
    text = f"  {_MARKS[type(item.verdict)]} {what}  {_fate(item)}"
    parent = next((target.parent for target in item.targets if target.parent is not None), None)
    if parent is not None and item.is_attached:
        text += f", belongs to {parent.digest.short if short else parent}"
    return text


def _fate(item: Item) -> str:
    match item.verdict:
        case Delete(also):
            more = f", with {_names(also)}" if also else ""
            return f"{_kind(item)} {size(item.resolved.size)}" + (", with tags unread" if also is None else more)
        case Untag(remaining_tags, untag_method):
            return f"stays as {_names(remaining_tags)} (by {untag_method.value})"
        case Kept(reason, because):
            return f"kept, {reason.value}" + (f": {_names(because)}" if because else "")
        case Failed(failure):
            return f"failed, {failure.code.value}: {failure.message}"


def _settled_line(entry: Settled | Dangling, *, short: bool) -> str:
    name = _name(entry.target, short=short)
    if isinstance(entry, Dangling):
        return f"  - {name}  a tag that leads nowhere: it cannot be put back (by {entry.untag_method.value})"
    match entry.outcome:
        case Gone(no_repository):
            return f"    {name}  absent" + (": no such repository, a typing error?" if no_repository else "")
        case Kept(reason, because):
            return f"  = {name}  kept, {reason.value}: {_names(because)}"
        case Failed(failure):
            return f"  ! {name}  failed, {failure.code.value}: {failure.message}"


def _name(target: Target, *, short: bool) -> str:
    """Return the name of an image; `short`: without its repository, as below the repository's header on a terminal."""
    if not short:
        return str(target.reference)
    reference: Reference = target.reference
    match reference:
        case TagRef(_, tag, pin):
            return f":{tag}" + (f"@{pin.short}" if pin else "")
        case DigestRef(_, digest):
            return f"@{digest.short}"


def _kind(item: Item) -> str:
    return "index" if item.resolved.media_type in INDEX_TYPES else "image"


def _names(names: tuple[str, ...]) -> str:
    return listed(names, MOST_IN_A_ROW)


def _remarks(document: "PlanDocument") -> Iterator[str]:
    for line in document.unmatched:
        yield f"{line.text}  {_why_unmatched(line)}"
    orphaned = {name for item in document.plan.deletions for name in item.orphaned}
    if orphaned:
        yield unreferenced(len(orphaned), sorted(orphaned), recursive=document.policy.recursive)
    if document.plan.no_undo:
        yield no_undo(document.plan)


def unreferenced(number: int, names: Sequence[str] = (), *, recursive: bool) -> str:
    """Return a line about manifests and artifact tags that lose the last manifest which refers to them.

    `names`: some or all of them, where the reader should see them. `recursive`: `--recursive` was given already.
    """
    text = f"{counted(number, 'child manifest or signature', 'child manifests or signatures')} "
    text += "is left unreferenced" if number == 1 else "are left unreferenced"
    text += f": {listed(names)}" if names else ""
    them, parent = ("it", "its parent") if number == 1 else ("them", "their parent")
    return text if recursive else f"{text}; --recursive deletes {them} together with {parent}"


def no_undo(plan: Plan) -> str:
    """Return the warning that `undo` cannot restore anything on some hosts of a plan."""
    hosts = sorted(plan.no_undo)
    verb = "deletes" if len(hosts) == 1 else "delete"
    return f"No undo: {', '.join(hosts)} {verb} an image's layers at once, with its last tag. They have to be pushed again."


def _why_unmatched(line: Unmatched) -> str:
    match line.outcome:
        case Failed(failure):
            return f"failed, {failure.code.value}: {failure.message}"
        case NotAttempted(reason):
            return f"not looked up, {reason.value}"
        case _:
            return "chose nothing"


def _totals(document: "PlanDocument") -> str:
    from bulkrm.codec.plan_fields import totals  # noqa: PLC0415 (as above)

    number = totals(document)
    tags = sum(len(item.tags) for item in document.plan.deletions)
    parts = [f"{counted(number['delete'], 'manifest')} to delete ({counted(tags, 'tag')})"]
    untagged = number["tags_removed"] - tags
    parts += [f"{counted(untagged, 'tag')} to remove"] if untagged else []
    parts += [f"{number[key]:,} {word}" for key, word in (("keep", "kept"), ("fail", "failed")) if number[key]]
    if not number["repositories"]:
        return f"Plan: {', '.join(parts)}."
    where = f"in {counted(number['repositories'], 'repository', 'repositories')}"
    where += f" on {counted(number['registries'], 'registry', 'registries')}"
    cost = f"{counted(number['requests'], 'request')}, at most {size(number['bytes_freed_at_most'])} to be freed"
    return f"Plan: {', '.join(parts)} {where}; {cost}."
