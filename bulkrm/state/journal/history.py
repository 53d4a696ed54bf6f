"""The progress of a run by its journal, from which `resume` continues."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from bulkrm.codec.journal_events import DanglingIntent, DecoyIntent, Event, ImageOutcome, Intent, IntentKind
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.report import ImageResult
from bulkrm.state.journal.file import read_events
from bulkrm.state.journal.losses import Restorations, restorations
from bulkrm.state.journal.removals import Removals


@dataclass(slots=True)
class History:
    """The progress of a run. `outcomes`: the final ones, by the image's full name; `intents`: of deletions.

    `decoys`: their digests, by repository. `removed_ahead`: the digests of tags that have an intent to remove them before
    their manifests, by repository and tag. `dangling`: tags without a manifest that have an intent to remove them.
    `restored`: what undos restored.
    """

    outcomes: dict[str, ImageResult] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    decoys: dict[Repository, set[Digest]] = field(default_factory=lambda: defaultdict(set))
    removed_ahead: dict[tuple[Repository, str], Digest] = field(default_factory=dict)
    dangling: set[tuple[Repository, str]] = field(default_factory=set)
    restored: Restorations = field(default_factory=Restorations)


def read_history(folder: Path) -> History:
    """Read a run's journal. Images that failed or were not attempted have no outcome in it. Raises StateError."""
    history = History()
    events = list(read_events(folder / "journal.jsonl"))
    for event in events:
        _add(history, event)
    history.restored = restorations(folder, Removals(events))
    for repository, _, tag in history.restored.sure:
        if tag is not None:
            history.removed_ahead.pop((repository, tag), None)
    return history


def _add(history: History, event: Event) -> None:
    match event:
        case ImageOutcome(image=image, result=ImageResult() as result):
            history.outcomes[image] = result
        case Intent(kind, repository, digest, tags) if kind is not IntentKind.RESTORE:
            history.intents.append(event)
            if kind is IntentKind.REMOVE_AHEAD:
                history.removed_ahead.update(((repository, tag), digest) for tag in tags)
        case DanglingIntent(repository, tags):
            history.dangling.update((repository, tag) for tag in tags)
        case DecoyIntent(repository, digest):
            history.decoys[repository].add(digest)
        case _:
            pass
