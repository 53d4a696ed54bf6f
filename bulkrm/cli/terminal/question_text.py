"""The text of the question: the numbers by repository, what else is deleted, what cannot be undone, and what stays."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from bulkrm.model.plan import Delete, Order, Plan, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import PRECEDENCE, Failed, Gone, Kept, KeptReason
from bulkrm.model.text.layout import MOST_NAMED, counted, listed, two_columns, wrapped
from bulkrm.model.text.printable import printable
from bulkrm.reports.plan_view import no_undo

_ANSWERS = "? lists all of it, d shows the plan."
_ANSWERS_TO_ALL = "d shows the plan."  # where the list above the question is complete


@dataclass(slots=True)
class _Share:
    """How many tags and untagged manifests of one repository are deleted. `is_unread`: its other tags were not read."""

    tags: int = 0
    manifests: int = 0
    is_unread: bool = False

    @property
    def number(self) -> int:
        """How many tags and untagged manifests disappear, as `--max-delete` counts them."""
        return self.tags + self.manifests


class QuestionText:
    """The text for one plan. `width` is the terminal's in columns."""

    def __init__(self, plan: Plan, width: int) -> None:
        """Count tags and manifests by repository."""
        self._plan = plan
        self._width = width
        self._shares = _shares(plan)

    @property
    def opening(self) -> str:
        """The text above the question: the repositories with the most deletions, and the remarks."""
        lines = [*self._table(MOST_NAMED), *self._wrapped(remarks(self._plan, MOST_NAMED))]
        return self._lines([*lines, _ANSWERS if lines != self.everything else _ANSWERS_TO_ALL])

    @property
    def everything(self) -> list[str]:
        """The lines of the opening with every repository and every name, a line for each name."""
        return [*self._table(None), *self._wrapped(remarks(self._plan, None))]

    def closing(self, number: int | None) -> str:
        """Return the question. `number`: the number that the user has to type; None: a yes is enough."""
        question = question_of(self._plan)
        lines = [f"{question} [y/N]"]
        if number is not None:
            gone = f"{counted(number, 'tag or untagged manifest', 'tags and untagged manifests')} will be gone."
            lines = [f"{gone} {question}", f"Type the number ({number:,}) to go on:"]
        return "\n".join(wrapped(lines, self._width)) + " "

    def _lines(self, lines: Sequence[str]) -> str:
        return "".join(f"{line}\n" for line in lines)

    def _wrapped(self, remarks: Iterator[str]) -> Iterator[str]:
        return wrapped(remarks, self._width)

    def _table(self, most: int | None) -> Iterator[str]:
        """Yield a line for each repository, below its registry, the most deletions first."""
        ranked = sorted(self._shares.items(), key=lambda entry: (-entry[1].number, str(entry[0])))
        shown = ranked[:most]
        by_host: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for repository, share in shown:
            by_host[repository.host].append((repository.path, self._amount(repository, share)))
        laid_out = two_columns([row for rows in by_host.values() for row in rows], self._width, indent=2)
        for host, rows in by_host.items():
            yield printable(host)
            yield from chain.from_iterable(islice(laid_out, len(rows)))
        more = ranked[len(shown) :]
        if more:
            number = sum(share.number for _, share in more)
            loose = any(share.manifests for _, share in more)
            what = counted(
                number, *(("tag or untagged manifest", "tags and untagged manifests") if loose else ("tag",))
            )
            yield f"and {counted(len(more), 'more repository', 'more repositories')}: {what}"

    def _amount(self, repository: Repository, share: _Share) -> str:
        seen = self._plan.tags.get(repository)
        if share.is_unread or not seen:
            tags = counted(share.tags, "tag")
        else:
            tags = (
                f"all {counted(seen, 'tag')}" if share.tags >= seen > 1 else f"{share.tags:,} of {counted(seen, 'tag')}"
            )
        parts = [tags] if share.tags or not share.manifests else []
        parts += [f"{counted(share.manifests, 'manifest')} without a tag"] if share.manifests else []
        parts += ["tags unread"] if share.is_unread else []
        return ", ".join(parts)


def question_of(plan: Plan) -> str:
    """Return the question in one sentence: what would go, in numbers."""
    hosts = {repository.host for repository in plan.touched}
    where = f"in {counted(len(plan.touched), 'repository', 'repositories')}"
    return f"{' and '.join(_actions(plan))} {where} of {counted(len(hosts), 'registry', 'registries')}?"


def _shares(plan: Plan) -> dict[Repository, _Share]:
    shares: dict[Repository, _Share] = defaultdict(_Share)
    for item in plan.changed_items:
        share = shares[item.repository]
        share.tags += len(item.removed_tags)
        share.manifests += not item.removed_tags
        share.is_unread |= isinstance(item.verdict, Delete) and item.verdict.also_removed is None
    for entry in plan.dangling:
        shares[entry.repository].tags += 1
    return dict(shares)


def _actions(plan: Plan) -> Iterator[str]:
    deletions = list(plan.deletions)
    images = sum(len(item.targets) for item in deletions)
    tags = sum(len(item.removed_tags) for item in plan.changed_items if isinstance(item.verdict, Untag))
    if deletions:
        yield f"Delete {counted(images, 'image')} ({counted(len(deletions), 'manifest')})"
    if tags:
        yield f"{'remove' if deletions else 'Remove'} {counted(tags, 'tag')} from images that stay"
    if plan.dangling:
        yield f"{'remove' if deletions or tags else 'Remove'} {_dangling_tags(len(plan.dangling))}"


def remarks(plan: Plan, most: int | None = MOST_NAMED) -> Iterator[str]:
    """Yield a sentence for each fact that the numbers do not show. `most`: the names after which a list is cut."""
    deletions = [item for item in plan.items if isinstance(item.verdict, Delete)]
    verdicts = [item.verdict for item in deletions if isinstance(item.verdict, Delete)]
    if any(verdict.also_removed is None for verdict in verdicts):
        yield "The other tags of these images were not read (--shared delete-unseen): they go too."
    also = [tag for verdict in verdicts for tag in verdict.also_removed or ()]
    if also:
        yield from _with_names(f"{counted(len(also), 'tag')} that the list does not name will go too", also, most)
    yield from _damaged_tags(plan, most)
    attached = sum(item.is_attached for item in deletions)
    if attached:
        what = counted(attached, "manifest")
        yield f"{what} that the list does not name will go with what they belong to (--recursive)."
    yield from _decoys(plan)
    if plan.no_undo:
        yield no_undo(plan)
    staying = _listed_that_stay(plan)
    if staying:
        why = ", ".join(f"{count:,} {reason}" for reason, count in staying.items())
        yield f"{counted(sum(staying.values()), 'listed image')} will not be touched: {why}."


def _decoys(plan: Plan) -> Iterator[str]:
    if any(
        isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.DECOY
        for item in plan.changed_items
    ):
        yield "Tags are removed by pushing an empty index over them and deleting that (--allow-decoy)."
    covered = list(plan.orders.values()).count(Order.DECOY)
    if covered:
        where = counted(covered, "repository", "repositories")
        yield f"In {where} the tags go first, by an empty index that is pushed over them and deleted (--allow-decoy)."


def _damaged_tags(plan: Plan, most: int | None) -> Iterator[str]:
    if plan.dangling:
        names = [str(entry.target.reference) for entry in plan.dangling]
        yield from _with_names(f"{_dangling_tags(len(names))} cannot be put back", names, most)
    if plan.ignored:
        number = len(plan.ignored)
        what = f"{counted(number, 'damaged tag')} hold{'s' if number == 1 else ''} nothing back (--ignore-unreadable)"
        yield from _with_names(what, plan.ignored, most)


def _with_names(what: str, names: Sequence[str], most: int | None) -> Iterator[str]:
    """Yield one sentence with the first names, or, where `most` is None, a line for each name."""
    if most is not None:
        yield f"{what}: {listed(names, most)}"
    else:
        yield f"{what}:"
        yield from (f"  {name}" for name in names)


def _listed_that_stay(plan: Plan) -> dict[str, int]:
    """Return how many listed images stay, by reason in order of precedence, then the failed and the absent ones."""
    outcomes = [(item.verdict, target) for item in plan.items for target in item.targets]
    outcomes_of_others = [(entry.outcome, entry.target) for entry in plan.settled]
    counts: Counter[str] = Counter()
    for outcome, target in [*outcomes, *outcomes_of_others]:
        if target.parent is None and isinstance(outcome, Kept | Failed | Gone):
            counts[outcome.reason if isinstance(outcome, Kept) else outcome.status.value] += 1
    known = [*PRECEDENCE, *(reason for reason in KeptReason if reason not in PRECEDENCE), "failed", "absent"]
    return {word: counts[word] for word in known if counts[word]}


def _dangling_tags(number: int) -> str:
    return f"{counted(number, 'tag')} that lead{'s' if number == 1 else ''} nowhere"
