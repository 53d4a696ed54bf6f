"""Warnings about parts of a list that have no effect, which only the listings of the registries show."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.reference import Reference, Repository
from bulkrm.model.target import Source, Target
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.entry import Entry
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.selector import TagFilter

MOST = 20  # warnings of each kind; a list may have a million lines
NamedTargets = tuple[Entry, Sequence[Target]]


def unused_excludes(entries: Iterable[Entry], tags: Mapping[Repository, Sequence[str]]) -> Iterator[str]:
    """Yield a warning for each `exclude` that matches none of the tags which its entry would choose.

    There is no warning for an entry that would choose no tags, for instance because they could not be listed.
    """
    used: dict[tuple[Source, TagFilter], bool] = {}
    for glob in globs(entries):
        if not glob.exclude:
            continue
        here = [glob.repository] if isinstance(glob.repository, Repository) else [*tags]
        places = [place for place in here if place.host == glob.host and _is_of(glob, place)]
        chosen = [tag for place in places for tag in tags.get(place, ()) if glob.tags.matches(tag)]
        for pattern in glob.exclude if chosen else ():
            key = glob.source, pattern
            used[key] = used.get(key, False) or _excludes_any(pattern, chosen)
    for (source, pattern), excludes in used.items():
        if not excludes:
            yield f"{source}: the exclusion {pattern.text} excludes nothing"


def count_ungrouped(entry: ConditionalEntry, repository: Repository, tags: Iterable[str]) -> int:
    """Return how many tags an entry does not choose only because its `group-by` does not match them."""
    here = [piece for piece in entry.pieces if isinstance(piece, Glob) and _is_of(piece, repository)]
    try:
        fitting = {tag for piece in here for tag in tags if piece.matches(tag)}
        return sum(not entry.groups(tag) for tag in fitting)
    except PluginError:
        return 0  # the entry has failed, and its outcome says so


def _excludes_any(pattern: TagFilter, tags: Iterable[str]) -> bool:
    try:
        return any(pattern.matches(tag) for tag in tags)
    except PluginError:
        return True  # as above


def covered_entries(named: Sequence[NamedTargets]) -> Iterator[str]:
    """Yield a warning for each entry whose images are all named by another entry, one without conditions.

    Of two entries that name the same images, the later one gets the warning.
    """
    owners: dict[Reference, list[int]] = defaultdict(list)
    for number, (_, targets) in enumerate(named):
        for target in targets:
            owners[target.reference].append(number)
    for number, (entry, targets) in enumerate(named):
        if not targets or (isinstance(entry, ConditionalEntry) and entry.ranks):
            continue
        others = set(owners[targets[0].reference]) - {number}
        for target in targets[1:]:
            if not others:
                break
            others.intersection_update(owners[target.reference])
        plain = sorted(
            other
            for other in others
            if not isinstance(named[other][0], ConditionalEntry)
            and (other < number or len(named[other][1]) > len(targets) or isinstance(entry, ConditionalEntry))
        )
        if plain and entry.source is not None:
            other = named[plain[0]][0]
            yield f"{entry.source}: {_text(entry)} is wholly covered by {_text(other)} ({other.source})"


def globs(entries: Iterable[Entry]) -> Iterator[Glob]:
    """Yield the globs of all entries."""
    for entry in entries:
        pieces = entry.pieces if isinstance(entry, ConditionalEntry) else (entry,)
        yield from (piece for piece in pieces if isinstance(piece, Glob))


def _is_of(glob: Glob, repository: Repository) -> bool:
    if isinstance(glob.repository, Repository):
        return glob.repository == repository
    return glob.host == repository.host and glob.repository.matches(repository.path)


def _text(entry: Entry) -> str:
    return str(entry.reference) if isinstance(entry, Target) else entry.text
