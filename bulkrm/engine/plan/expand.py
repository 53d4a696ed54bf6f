"""Expands globs into targets: by one tag list for each repository, and for repository patterns the catalog of the host."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.events import EventListener, Phase, PhaseBegan, Warned, WarningKind
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.reference import Reference, Repository, TagRef
from bulkrm.model.result.failure import CircuitOpen, Failure
from bulkrm.model.result.outcome import Failed, NoMatch, NotAttempted, NotAttemptedReason
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.model.text.layout import counted
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.entry import Entry
from bulkrm.selection.list_warnings import MOST, count_ungrouped, covered_entries, globs, unused_excludes
from bulkrm.selection.patterns.glob import Glob, match_repositories, match_tags, merge

Catalogs = dict[str, tuple[str, ...] | Failure]


async def expand(
    entries: Sequence[Entry], gateway: Gateway, lists: TagLists, stop: Stop, tell: EventListener
) -> list[Line]:
    """Return the lines of the report in the order of the list, each image once. A stop leaves patterns `not-attempted`."""
    exact = [entry for entry in entries if isinstance(entry, Target)]
    if len(exact) == len(entries):
        return _dedupe(exact)  # a list may name a million of them
    catalogs, wanted = await _read_listings(list(globs(entries)), gateway, lists, stop, tell)
    expansion = _Expansion(catalogs, lists, NotAttempted(stop.reason or NotAttemptedReason.INTERRUPTED))
    named = list(expansion.named(entries))
    if not stop:
        for warning in expansion.warnings(entries, wanted, named):
            tell(warning)
    return _dedupe(chain.from_iterable(lines for _, lines in named))


async def _read_listings(
    wanted_globs: Sequence[Glob], gateway: Gateway, lists: TagLists, stop: Stop, tell: EventListener
) -> tuple[Catalogs, set[Repository]]:
    """Read what globs need: catalogs, and the tag lists of the repositories that they match, which are returned too.

    A stop leaves some unread.
    """
    catalogs: Catalogs = {}
    wanted: set[Repository] = set()

    async def read_catalog(host: str) -> None:
        catalogs[host] = await gateway.catalog(host).repositories()

    hosts = sorted({glob.host for glob in wanted_globs if not isinstance(glob.repository, Repository)})
    with stop.phase():
        await run_jobs({host: [host] for host in hosts}, gateway.workers, read_catalog, stop)
        wanted.update(repository for glob in wanted_globs for repository in _repositories(glob, catalogs))
        if wanted:
            tell(PhaseBegan(Phase.LISTING_TAGS, len(wanted)))
        await lists.read(wanted, tell)
    return catalogs, wanted


@valueclass
class _Expansion:
    """The results of the listings, which entries are expanded with. `unread`: the outcome of patterns without a listing."""

    catalogs: Catalogs
    lists: TagLists
    unread: NotAttempted

    def named(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, list[Line]]]:
        """Yield each entry with its lines; at least one, which says that nothing matched if so."""
        number = 0
        for entry in entries:
            if isinstance(entry, ConditionalEntry):
                yield entry, list(self._conditional(entry, number))
                number += 1
            else:
                yield entry, list(self._lines(entry)) or [_no_match(entry)]

    def warnings(
        self, entries: Sequence[Entry], wanted: Iterable[Repository], named: Sequence[tuple[Entry, list[Line]]]
    ) -> Iterator[Warned]:
        """Yield warnings about parts of the list that have no effect."""
        tags = {repository: self._tags(repository) for repository in wanted}
        targets = [(entry, [line for line in lines if isinstance(line, Target)]) for entry, lines in named]
        yield from (Warned(WarningKind.UNUSED_EXCLUSION, text) for text in islice(unused_excludes(entries, tags), MOST))
        yield from (Warned(WarningKind.COVERED_ENTRY, text) for text in islice(covered_entries(targets), MOST))
        for entry in entries:
            if isinstance(entry, ConditionalEntry) and entry.ranks:
                left = sum(count_ungrouped(entry, repository, found) for repository, found in tags.items())
                if left:
                    text = f"{entry.source}: {counted(left, 'tag')} fit no group, and so are not chosen"
                    yield Warned(WarningKind.UNGROUPED_TAGS, text)

    def _tags(self, repository: Repository) -> Sequence[str]:
        listed = self.lists.get(repository)
        return () if isinstance(listed, Failure) else listed or ()

    def _conditional(self, entry: ConditionalEntry, number: int) -> Iterator[Line]:
        """Yield the lines of an entry with conditions that choose by tag; other conditions are evaluated later."""
        found = [line for piece in entry.pieces for line in self._lines(piece)]
        try:
            chosen = [
                replace(line, bound=(number,)) if isinstance(line, Target) else line
                for line in found
                if not (isinstance(line, Target) and isinstance(line.reference, TagRef))
                or entry.groups(line.reference.tag)
            ]
        except PluginError as error:
            chosen = [Unmatched(entry.text, entry.source, entry.note, Failed(error.failure()))]
        yield from chosen or [_no_match(entry)]

    def _lines(self, entry: Target | Glob) -> Iterator[Line]:
        """Yield the targets of an entry, or lines for listings that could not be read; nothing if it matches nothing."""
        if isinstance(entry, Target):
            yield entry
            return
        catalog = () if isinstance(entry.repository, Repository) else self.catalogs.get(entry.host)
        if catalog is None:
            yield Unmatched(entry.text, entry.source, entry.note, self.unread)
            return
        if isinstance(catalog, Failure):
            yield Unmatched(entry.text, entry.source, entry.note, _unlisted(catalog))
            return
        for repository in _repositories(entry, self.catalogs):
            yield from self._in_repository(entry, repository)

    def _in_repository(self, glob: Glob, repository: Repository) -> Sequence[Line]:
        """Return the targets of a glob in one repository, or one line if its tags could not be listed."""
        text = f"{repository}:{glob.tags.text}"
        if repository not in self.lists:
            return [Unmatched(text, glob.source, glob.note, self.unread)]
        listed = self.lists[repository]
        if isinstance(listed, Failure):
            return [Unmatched(text, glob.source, glob.note, _unlisted(listed))]
        try:
            return match_tags(glob, repository, listed or ())
        except PluginError as error:
            return [Unmatched(text, glob.source, glob.note, Failed(error.failure()))]


def _unlisted(failure: Failure) -> Failed:
    """Return the outcome of a pattern whose catalog or tag list could not be read, or is not asked for any more."""
    return Failed(failure.as_failure if isinstance(failure, CircuitOpen) else failure)


def _repositories(glob: Glob, catalogs: Catalogs) -> list[Repository]:
    if isinstance(glob.repository, Repository):
        return [glob.repository]
    paths = catalogs.get(glob.host, ())
    return [] if isinstance(paths, Failure) else match_repositories(glob.repository, paths)


def _no_match(entry: Glob | Target | ConditionalEntry) -> Line:
    return entry if isinstance(entry, Target) else Unmatched(entry.text, entry.source, entry.note, NoMatch())


def _dedupe(lines: Iterable[Line]) -> list[Line]:
    """Keep the first line of each image and of each pattern."""
    ordered = list(lines)
    targets = {target.reference: target for target in merge(line for line in ordered if isinstance(line, Target))}
    seen: set[Reference | str] = set()
    kept: list[Line] = []
    for line in ordered:
        key = line.text if isinstance(line, Unmatched) else line.reference
        if key not in seen:
            seen.add(key)
            kept.append(line if isinstance(line, Unmatched) else targets[line.reference])
    return kept
