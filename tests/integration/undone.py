"""`bulkrm undo` in this process, recorded, of all of a run or of some tags; and how a command is cut short."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from bulkrm.api.record import closing_folder
from bulkrm.codec.report_fields import image
from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.undo_recorder import UndoRecording
from bulkrm.engine.recover.undo import Loss, Undo
from bulkrm.engine.stop import Stop
from bulkrm.model.events import Event, ImageSettled
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Connection, Pacing, Settings
from bulkrm.remote.credentials import Credentials, DockerConfig
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.losses import losses
from bulkrm.state.known import known_runs
from tests.integration.engine import Options
from tests.support.logins import Everywhere

_FILES = ("journal.jsonl", "manifests.jsonl.gz")


@dataclass
class Cut:
    """Cuts a command short after so many outcomes: by Ctrl-C, or (`kill`) as `kill -9` does.

    A killed process writes nothing more: `bury` gives the record back what was on the disk at that moment.
    """

    stop: Stop
    after: int | None
    kill: bool
    state: Path
    seen: int = 0
    left: dict[str, bytes] | None = None

    def __call__(self, event: Event) -> None:
        if not isinstance(event, ImageSettled):
            return
        self.seen += 1
        if self.seen == self.after:
            self.stop.interrupt(Signal.INTERRUPT)
            if self.kill:
                self.left = {name: (self._run / name).read_bytes() for name in _FILES}
                self.stop.interrupt(Signal.INTERRUPT)

    def bury(self) -> None:
        for name, content in (self.left or {}).items():
            (self._run / name).write_bytes(content)

    @property
    def _run(self) -> Path:
        (run,) = known_runs(self.state)
        return run.path


async def undo(options: Options, cut: Cut, tags: Collection[str] | None = None) -> list[dict[str, object]]:
    """Put back what the only run took away, or these tags of it; return the images as the JSON report has them."""
    (run,) = known_runs(cut.state)
    settings = Settings(Pacing(options.concurrency, None, options.timeout), Connection())
    credentials = Credentials(Everywhere(options.login), DockerConfig())
    with closing_folder(RunFolder.open(cut.state, run.id)) as folder:
        found = [
            Loss(lost.repository, lost.manifest, tuple(lost.tags), frozenset(lost.decoys)) for lost in losses(run.path)
        ]
        if tags is not None:
            some = [replace(loss, tags=tuple(tag for tag in loss.tags if tag in tags)) for loss in found]
            found = [loss for loss in some if loss.tags]
        recording = UndoRecording(folder)
        async with options.opened(settings, credentials, options.clock) as registries:
            context = RunContext(cut, cut.stop, options.clock)
            work = Undo(Gateway(registries), context, force=False, dry_run=False, recording=recording)
            async with asyncio.timeout(options.seconds):
                results = await work.restore(found)
        assert cut.stop.bug is None
        recording.end(of_everything=tags is None)
    return [image(result) for result in results]
