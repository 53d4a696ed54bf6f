"""The question before anything is deleted, asked only where somebody can answer it."""

from collections.abc import Iterator, Sequence

from bulkrm.api.undoable import UndoableRun
from bulkrm.cli.terminal.answer import drop_typed_input, read_answer
from bulkrm.cli.terminal.console import complain, write_to_stderr
from bulkrm.cli.terminal.progress import Display
from bulkrm.cli.terminal.streams import Streams
from bulkrm.model.plan import Delete, Order, Plan, Untag, UntagMethod
from bulkrm.model.printable import printable
from bulkrm.reports.plan_view import no_undo

_MAX_NAMED = 5


async def agreed(text: str, shown: Display, streams: Streams) -> bool:
    """Ask, where somebody can answer; where nobody is there, it is agreed. A signal cancels it while it waits.

    What was typed before the question is thrown away: it was no answer to it.
    """
    if streams.has_nobody:
        return True
    shown.pause()
    if not (streams.can_ask and drop_typed_input()):
        complain("nobody can be asked on this terminal; -y goes on without a question")
        return False
    write_to_stderr(f"{text} [y/N] ")
    answer = ""
    try:
        answer = await read_answer()
    finally:
        if not answer:
            write_to_stderr("\n")  # after Ctrl-C and Ctrl-D the cursor stands behind the question
    return answer.strip().lower() in ("y", "yes")


class Question:
    """Asks once. `declined`: the answer was no."""

    def __init__(self, shown: Display, streams: Streams, *, yes: bool) -> None:
        """`yes`: do not ask."""
        self.declined = False
        self._display = shown
        self._streams = streams
        self._yes = yes

    async def __call__(self, plan: Plan) -> bool:
        """Return whether to delete what a plan says."""
        return await self._is_agreed(describe(plan))

    async def before_undo(self, run: UndoableRun) -> bool:
        """Return whether to put back what a run took away."""
        return await self._is_agreed(f"Put back {_count(len(run.images), 'image')} of the run {run.id}?")

    async def _is_agreed(self, text: str) -> bool:
        answer = self._yes or await agreed(text, self._display, self._streams)
        self.declined = not answer
        return answer


def describe(plan: Plan) -> str:
    """Say what would go, in numbers, and which tags outside the list go with it."""
    repositories = plan.touched
    hosts = {repository.host for repository in repositories}
    where = (
        f"in {_count(len(repositories), 'repository', 'repositories')} of "
        f"{_count(len(hosts), 'registry', 'registries')}"
    )
    return "".join(f"{printable(line)}\n" for line in _remarks(plan)) + f"{' and '.join(_deeds(plan))} {where}?"


def _deeds(plan: Plan) -> Iterator[str]:
    deletions = list(plan.deletions)
    images = sum(len(item.targets) for item in deletions)
    tags = sum(len(item.removed_tags) for item in plan.acts if isinstance(item.verdict, Untag))
    if deletions:
        yield f"Delete {_count(images, 'image')} ({_count(len(deletions), 'manifest')})"
    if tags:
        yield f"{'remove' if deletions else 'Remove'} {_count(tags, 'tag')} from images that stay"
    if plan.dangling:
        yield f"{'remove' if deletions or tags else 'Remove'} {_nowhere(len(plan.dangling))}"


def _remarks(plan: Plan) -> Iterator[str]:
    deletions = [item for item in plan.items if isinstance(item.verdict, Delete)]
    verdicts = [item.verdict for item in deletions if isinstance(item.verdict, Delete)]
    if any(verdict.also_removed is None for verdict in verdicts):
        yield "The other tags of these images were not read (--shared delete-unseen): they go too."
    also = [tag for verdict in verdicts for tag in verdict.also_removed or ()]
    if also:
        yield f"{_count(len(also), 'tag')} that the list does not name will go too: {_named(also)}"
    yield from _damage(plan)
    attached = sum(item.is_attached for item in deletions)
    if attached:
        yield f"{_count(attached, 'manifest')} that the list does not name will go with what they belong to (--recursive)."
    if any(isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.DECOY for item in plan.acts):
        yield "Tags are removed by pushing an empty index over them and deleting that (--allow-decoy)."
    covered = list(plan.orders.values()).count(Order.DECOY)
    if covered:
        where = _count(covered, "repository", "repositories")
        yield f"In {where} the tags go first, by an empty index that is pushed over them and deleted (--allow-decoy)."
    if plan.no_undo:
        yield no_undo(plan)
    staying = len(plan.settled) + sum(
        len(item.targets) for item in plan.items if not isinstance(item.verdict, Delete | Untag)
    )
    if staying:
        yield f"{_count(staying, 'listed image')} will not be touched (-n shows why)."


def _damage(plan: Plan) -> Iterator[str]:
    if plan.dangling:
        named = _named([str(entry.target.reference) for entry in plan.dangling])
        yield f"{_nowhere(len(plan.dangling))} cannot be put back: {named}"
    if plan.ignored:
        number = len(plan.ignored)
        what = f"{_count(number, 'damaged tag')} hold{'s' if number == 1 else ''} nothing back (--ignore-unreadable)"
        yield f"{what}: {_named(plan.ignored)}"


def _nowhere(number: int) -> str:
    return f"{_count(number, 'tag')} that lead{'s' if number == 1 else ''} nowhere"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"{', '.join(names[:_MAX_NAMED])}{more}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
