"""How far a run had come when it ended, as its journal tells it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.state.journal import read_journal, sound

_FINAL = frozenset({"deleted", "untagged", "absent", "kept", "no-match"})


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that was to be sent and may have been. `tags`: those to be taken off; None: the manifest was to go."""

    repository: str
    digest: Digest
    tags: tuple[str, ...] | None


@dataclass(slots=True)
class History:
    """`outcomes`: the final ones, by the image's full name, as the JSON report has them. `decoys` by repository.

    `cleared`: tags that were to go before their manifests, by repository and tag, and what they held. `dangling`: tags
    that led nowhere and were to be removed, by repository and tag.
    """

    outcomes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    decoys: dict[str, set[Digest]] = field(default_factory=lambda: defaultdict(set))
    cleared: dict[tuple[str, str], Digest] = field(default_factory=dict)
    dangling: set[tuple[str, str]] = field(default_factory=set)


def read_history(folder: Path) -> History:
    """Read a run's journal; whatever failed or was not attempted is as if it had never been. Raises StateError."""
    history = History()
    path = folder / "journal.jsonl"
    with sound(path):
        for event in read_journal(path):
            _take(history, event)
    return history


def _take(history: History, event: Mapping[str, Any]) -> None:
    match event.get("event"):
        case "outcome" if event.get("status") in _FINAL:
            history.outcomes[str(event["image"])] = event
        case "delete" | "untag" | "clear" as kind:
            repository, digest = str(event["repository"]), Digest(str(event["digest"]))
            tags = tuple(str(tag) for tag in event.get("tags") or ())
            history.intents.append(Intent(repository, digest, tags if kind == "untag" else None))
            if kind == "clear":
                history.cleared.update(((repository, tag), digest) for tag in tags)
        case "dangling":
            history.dangling.update((str(event["repository"]), str(tag)) for tag in event["tags"])
        case "decoy":
            history.decoys[str(event["repository"])].add(Digest(str(event["digest"])))
        case _:
            pass
