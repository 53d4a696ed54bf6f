"""The question before anything is deleted, asked only where somebody can answer it."""

import sys

import anyio

from bulkrm.cli.progress import Display
from bulkrm.engine.stop import Stop
from bulkrm.model.plan import Doomed, Plan

_MAX_NAMED = 5


class Question:
    """Asks once."""

    def __init__(self, shown: Display, stop: Stop, *, yes: bool) -> None:
        """`yes`: do not ask."""
        self._display = shown
        self._stop = stop
        self._yes = yes

    async def __call__(self, plan: Plan) -> bool:
        """Return whether to go on. A signal while it waits ends the run."""
        if self._yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return True
        self._display.pause()
        self._write(f"{describe(plan)} [y/N] ")
        answer = ""
        with self._stop.phase():
            await anyio.wait_readable(sys.stdin)
            answer = sys.stdin.readline()
        if self._stop:
            self._write("\n")
            return False
        return answer.strip().lower() in ("y", "yes")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def describe(plan: Plan) -> str:
    """Say what would go, in numbers, and which tags outside the list go with it."""
    doomed = list(plan.doomed)
    images = sum(len(item.targets) for item in doomed)
    repositories = {item.repository for item in doomed}
    hosts = {repository.host for repository in repositories}
    text = (
        f"Delete {_count(images, 'image')} ({_count(len(doomed), 'manifest')}) in "
        f"{_count(len(repositories), 'repository', 'repositories')} of {_count(len(hosts), 'registry', 'registries')}?"
    )
    staying = len(plan.settled) + sum(len(item.targets) for item in plan.items if not isinstance(item.verdict, Doomed))
    if staying:
        text = f"{_count(staying, 'listed image')} will not be touched (-n shows why).\n{text}"
    also = [tag for item in doomed if isinstance(item.verdict, Doomed) for tag in item.verdict.also_removed or ()]
    if also:
        more = f" and {len(also) - _MAX_NAMED} more" if len(also) > _MAX_NAMED else ""
        named = f"{', '.join(also[:_MAX_NAMED])}{more}"
        text = f"{_count(len(also), 'tag')} that the list does not name will go too: {named}\n{text}"
    if any(isinstance(item.verdict, Doomed) and item.verdict.also_removed is None for item in doomed):
        text = f"The other tags of these images were not read (--shared delete-unseen): they go too.\n{text}"
    return text


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
