"""A plan as text for people: for each repository what goes, what stays and why; and one line of totals."""

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_fields import totals
from bulkrm.model.manifest import INDEX_TYPES
from bulkrm.model.plan import Dangling, Delete, Item, Order, Plan, Settled, Untag, Verdict
from bulkrm.model.printable import printable
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef
from bulkrm.model.result.outcome import PRECEDENCE, Failed, Gone, Kept, KeptReason, NotAttempted
from bulkrm.model.target import Target, Unmatched

_MAX_NAMED = 3
_INDENT = 6
_LEGEND = "-  deleted   ~  tag removed, image stays   =  kept   !  failed"
_ORDERS = {
    Order.DIGEST: "",
    Order.TAGS_FIRST: "; tags first, then manifests",
    Order.DECOY: "; one decoy over all tags, then manifests",
}
_MARKS = {Delete: "-", Untag: "~", Kept: "=", Failed: "!"}


def view(document: PlanDocument, width: int | None) -> str:
    """Return the text. `width` is the terminal's in characters; None: a pipe, where every manifest is one line."""
    plan = document.plan
    items: dict[Repository, list[Item]] = defaultdict(list)
    settled: dict[Repository, list[Settled | Dangling]] = defaultdict(list)
    for item in plan.items:
        items[item.repository].append(item)
    for entry in plan.without_manifest:
        settled[entry.target.reference.repository].append(entry)
    blocks = [_LEGEND] if items or plan.dangling else []
    blocks += [
        "\n".join(_fit(_repository(plan, place, items[place], settled[place], width), width))
        for place in sorted({*items, *settled}, key=str)
    ]
    blocks.append("\n".join(_fit(_remarks(document), width)))
    blocks.append(_totals(document))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _repository(
    plan: Plan, place: Repository, items: list[Item], settled: list[Settled | Dangling], width: int | None
) -> Iterator[str]:
    """Yield the header, and a line for each manifest: those that go first."""
    number = plan.tags.get(place)
    going = sum(len(item.removed_tags) for item in items) + sum(isinstance(entry, Dangling) for entry in settled)
    seen = f"{_count(number, 'tag')}: {going} to go, {number - going} to stay" if number else "tags not read"
    yield f"{place}  ({seen}{_ORDERS[plan.order(place)]})" if items or going else str(place)
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
    """Return the condition of the list that keeps something: those are counted, there may be any number of it."""
    return outcome.reason if isinstance(outcome, Kept) and outcome.reason.is_condition else None


def _order(item: Item) -> tuple[int, bool, str]:
    rank = list(_MARKS).index(type(item.verdict))
    return rank, item.is_attached, str(item.targets[0].reference) if item.targets else item.digest


def _acts(item: Item) -> bool:
    return isinstance(item.verdict, Delete | Untag)


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
            more = f", with {_named(also)}" if also else ""
            return f"{_kind(item)} {_size(item.resolved.size)}" + (", with tags unread" if also is None else more)
        case Untag(remaining_tags, untag_method):
            return f"stays as {_named(remaining_tags)} (by {untag_method.value})"
        case Kept(reason, because):
            return f"kept, {reason.value}" + (f": {_named(because)}" if because else "")
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
            return f"  = {name}  kept, {reason.value}: {_named(because)}"
        case Failed(failure):
            return f"  ! {name}  failed, {failure.code.value}: {failure.message}"


def _name(target: Target, *, short: bool) -> str:
    """Name an image: by what stands behind the repository's name on a terminal, in full in a pipe."""
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


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _size(number: int) -> str:
    """Write bytes as people read them: 812 B, 1.4 KiB."""
    size, unit = float(number), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:  # noqa: PLR2004
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _remarks(document: PlanDocument) -> Iterator[str]:
    for line in document.unmatched:
        yield f"{line.text}  {_why_unmatched(line)}"
    left = {name for item in document.plan.deletions for name in item.orphaned}
    if left:
        more = "" if document.policy.recursive else "; --recursive deletes such with what they belong to"
        stay = "stays" if len(left) == 1 else "stay"
        what = f"{_count(len(left), 'manifest or tag', 'manifests and tags')} that nothing needs any more"
        yield f"{what} {stay} behind: {_named(tuple(sorted(left)))}{more}"
    if document.plan.no_undo:
        yield no_undo(document.plan)


def no_undo(plan: Plan) -> str:
    """Say where `undo` will not work."""
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


def _totals(document: PlanDocument) -> str:
    number = totals(document)
    tags = sum(len(item.tags) for item in document.plan.deletions)
    parts = [f"{_count(number['delete'], 'manifest')} to delete ({_count(tags, 'tag')})"]
    untagged = number["tags_removed"] - tags
    parts += [f"{_count(untagged, 'tag')} to remove"] if untagged else []
    parts += [f"{number[key]} {word}" for key, word in (("keep", "kept"), ("fail", "failed")) if number[key]]
    if not number["repositories"]:
        return f"Plan: {', '.join(parts)}."
    where = f"in {_count(number['repositories'], 'repository', 'repositories')}"
    where += f" on {_count(number['registries'], 'registry', 'registries')}"
    cost = f"{_count(number['requests'], 'request')}, at most {_size(number['bytes_freed_at_most'])} to be freed"
    return f"Plan: {', '.join(parts)} {where}; {cost}."


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _fit(lines: Iterable[str], width: int | None) -> Iterator[str]:
    for text in map(printable, lines):
        if width is None:
            yield text
        else:
            indent = " " * _INDENT
            yield from textwrap.wrap(
                text,
                max(width, 40),
                subsequent_indent=indent,
                break_on_hyphens=False,
                break_long_words=False,
                drop_whitespace=True,
            )
