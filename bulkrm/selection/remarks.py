"""What is odd about a list in view of what the registries list: said as warnings, each with its line."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulkrm.model.reference import Reference, Repository
from bulkrm.model.target import Source, Target
from bulkrm.selection.conditional import Conditional
from bulkrm.selection.entry import Entry
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.selector import TagFilter

MOST = 20  # such warnings; a list may have a million lines
Named = tuple[Entry, Sequence[Target]]


def idle_excludes(entries: Iterable[Entry], tags: Mapping[Repository, Sequence[str]]) -> Iterator[str]:
    """Yield a warning for each exclusion that excludes nothing of what its entry would choose."""
    used: dict[tuple[Source, TagFilter], bool] = {}
    for glob in globs(entries):
        if not glob.exclude:
            continue
        here = [glob.repository] if isinstance(glob.repository, Repository) else [*tags]
        places = [place for place in here if place.host == glob.host and _is_of(glob, place)]
        chosen = [tag for place in places for tag in tags.get(place, ()) if glob.tags.matches(tag)]
        for pattern in glob.exclude:
            key = glob.source, pattern
            used[key] = used.get(key, False) or any(pattern.matches(tag) for tag in chosen)
    for (source, pattern), excludes in used.items():
        if not excludes:
            yield f"{source}: the exclusion {pattern.text} excludes nothing"


def ungrouped(entry: Conditional, repository: Repository, tags: Iterable[str]) -> int:
    """Count the tags that an entry would choose, but for its groups."""
    fitting = {
        tag
        for piece in entry.pieces
        if isinstance(piece, Glob) and _is_of(piece, repository)
        for tag in tags
        if piece.matches(tag)
    }
    return sum(not entry.groups(tag) for tag in fitting)


def covered(named: Sequence[Named]) -> Iterator[str]:
    """Yield a warning for each entry all of whose images another one names as well, which has no conditions.

    Of two that name the same, the later one is superfluous.
    """
    owners: dict[Reference, list[int]] = defaultdict(list)
    for number, (_, targets) in enumerate(named):
        for target in targets:
            owners[target.reference].append(number)
    for number, (entry, targets) in enumerate(named):
        if not targets or (isinstance(entry, Conditional) and entry.ranks):
            continue
        others = set(owners[targets[0].reference]) - {number}
        for target in targets[1:]:
            if not others:
                break
            others.intersection_update(owners[target.reference])
        plain = sorted(
            other
            for other in others
            if not isinstance(named[other][0], Conditional)
            and (other < number or len(named[other][1]) > len(targets) or isinstance(entry, Conditional))
        )
        if plain and entry.source is not None:
            other = named[plain[0]][0]
            yield f"{entry.source}: {_text(entry)} is wholly covered by {_text(other)} ({other.source})"


def globs(entries: Iterable[Entry]) -> Iterator[Glob]:
    """Yield the globs of all entries."""
    for entry in entries:
        pieces = entry.pieces if isinstance(entry, Conditional) else (entry,)
        yield from (piece for piece in pieces if isinstance(piece, Glob))


def _is_of(glob: Glob, repository: Repository) -> bool:
    if isinstance(glob.repository, Repository):
        return glob.repository == repository
    return glob.host == repository.host and glob.repository.matches(repository.path)


def _text(entry: Entry) -> str:
    return str(entry.reference) if isinstance(entry, Target) else entry.text
