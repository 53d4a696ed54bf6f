"""Globs become targets: the catalog for patterns of repositories, one tag listing for each repository."""

from collections.abc import Iterable, Iterator, Sequence

from bulkrm.engine.asking import Asking
from bulkrm.engine.crew import work_through
from bulkrm.engine.observer import Observer
from bulkrm.engine.stop import Stop
from bulkrm.engine.tag_lists import TagLists
from bulkrm.model.failure import Failure
from bulkrm.model.outcome import Failed, NoMatch, NotAttempted, NotAttemptedReason
from bulkrm.model.reference import Repository
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.selection.chosen import match_repositories, match_tags, merge
from bulkrm.selection.entry import Entry, Glob

Catalogs = dict[str, tuple[str, ...] | Failure]


async def expand(
    entries: Sequence[Entry], asking: Asking, lists: TagLists, stop: Stop, observer: Observer
) -> list[Line]:
    """Return the lines of the report in the order of the list, an image that is named twice only once."""
    globs = [entry for entry in entries if isinstance(entry, Glob)]
    catalogs: Catalogs = {}

    async def read_catalog(host: str) -> None:
        catalogs[host] = await asking.of(host, lambda registry: registry.repositories())

    hosts = sorted({glob.host for glob in globs if not isinstance(glob.repository, Repository)})
    with stop.phase():
        await work_through({host: [host] for host in hosts}, asking.workers, read_catalog, stop)
        wanted = {repository for glob in globs for repository in _repositories(glob, catalogs)}
        if wanted:
            observer.phase("Listing tags", len(wanted))
        await lists.read(wanted, observer)
    unread = NotAttempted(stop.reason or NotAttemptedReason.INTERRUPTED)
    return _dedupe(line for entry in entries for line in _lines(entry, catalogs, lists, unread))


def _repositories(glob: Glob, catalogs: Catalogs) -> list[Repository]:
    if isinstance(glob.repository, Repository):
        return [glob.repository]
    paths = catalogs.get(glob.host, ())
    return [] if isinstance(paths, Failure) else match_repositories(glob.repository, paths)


def _lines(entry: Entry, catalogs: Catalogs, lists: TagLists, unread: NotAttempted) -> Iterator[Line]:
    if isinstance(entry, Target):
        yield entry
        return
    catalog = () if isinstance(entry.repository, Repository) else catalogs.get(entry.host)
    if catalog is None:
        yield Unmatched(entry.text, entry.source, entry.note, unread)
        return
    if isinstance(catalog, Failure):
        yield Unmatched(entry.text, entry.source, entry.note, Failed(catalog))
        return
    repositories = _repositories(entry, catalogs)
    found = [line for repository in repositories for line in _in_repository(entry, repository, lists, unread)]
    yield from found or [Unmatched(entry.text, entry.source, entry.note, NoMatch())]


def _in_repository(glob: Glob, repository: Repository, lists: TagLists, unread: NotAttempted) -> Sequence[Line]:
    """Return the targets, or one line for a listing that could not be read."""
    text = f"{repository}:{glob.tags}"
    if repository not in lists:
        return [Unmatched(text, glob.source, glob.note, unread)]
    listed = lists[repository]
    if isinstance(listed, Failure):
        return [Unmatched(text, glob.source, glob.note, Failed(listed))]
    return match_tags(glob, repository, listed or ())


def _dedupe(lines: Iterable[Line]) -> list[Line]:
    """Keep the first line of each image and of each pattern."""
    ordered = list(lines)
    targets = set(merge(line for line in ordered if isinstance(line, Target)))
    seen: set[Line | str] = set()
    kept: list[Line] = []
    for line in ordered:
        key: Line | str = line.text if isinstance(line, Unmatched) else line
        if key in seen or (isinstance(line, Target) and line not in targets):
            continue
        seen.add(key)
        kept.append(line)
    return kept
