"""Chooses images by labels, annotations and platform, among those that entries name. The images have to be read first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bulkrm.engine.plan.conditions import Conditions
from bulkrm.engine.plan.resolver import Method, Resolver, name_of
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import EventListener, Phase, PhaseBegan
from bulkrm.model.manifests.manifest import Resolved
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.outcome import NoMatch
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.selection.evaluation import facts_needed
from bulkrm.selection.image_choice import is_chosen
from bulkrm.selection.repository_view import RepositoryView
from bulkrm.selection.selector import Fact


class Chooser:
    """Chooses among the images that entries with `labels`, `annotations` or `platform` name."""

    def __init__(self, conditions: Conditions, resolver: Resolver, stop: Stop, tell: EventListener) -> None:
        """`conditions`: the entries, and the reader of the facts that they need; `resolver`: the reader of manifests."""
        self._conditions = conditions
        self._entries = conditions.wanted.entries
        self._resolver = resolver
        self._stop = stop
        self._tell = tell

    @property
    def has_work(self) -> bool:
        """Tell whether any entry has such a condition."""
        return any(entry.chooses_images for entry in self._entries)

    async def choose(self, lines: Sequence[Line]) -> list[Line]:
        """Return the lines without images that no entry chooses; an entry that chooses no image becomes an Unmatched.

        If the run is stopped, all lines are returned.
        """
        targets = [line for line in lines if isinstance(line, Target) and self._has_image_conditions(line)]
        self._tell(PhaseBegan(Phase.RESOLVING_IMAGES, len(targets)))
        await self._resolver.resolve(map(name_of, targets), Method.GET)
        needed: dict[Repository, dict[Digest, frozenset[Fact]]] = {}
        for view in self._views(targets):
            needed[view.repository] = dict(facts_needed(self._entries, view, choosing=True))
        await self._conditions.facts.read(needed, self._tell)
        if self._stop:
            return list(lines)  # the images were not all read, so none is left out
        left = {target: self._left(target) for target in targets}
        used = {number for line in lines if isinstance(line, Target) for number in left.get(line, line).bound}
        return list(self._lines(lines, left, used))

    def _lines(self, lines: Sequence[Line], left: dict[Target, Target], used: set[int]) -> Iterator[Line]:
        reported: set[int] = set()
        for line in lines:
            if isinstance(line, Unmatched):
                yield line
                continue
            found = left.get(line, line)
            if found.bound or not line.bound:
                yield found
                continue
            for number in line.bound:
                entry = self._entries[number]
                if number not in used and number not in reported:
                    reported.add(number)
                    yield Unmatched(entry.text, entry.source, entry.note, NoMatch())

    def _has_image_conditions(self, target: Target) -> bool:
        return any(self._entries[number].chooses_images for number in target.bound)

    def _views(self, targets: Sequence[Target]) -> Iterator[RepositoryView]:
        tags: dict[Repository, dict[str, Digest]] = defaultdict(dict)
        for target in targets:
            found = self._resolver.found.get(name_of(target))
            if isinstance(found, Resolved):
                of_repository = tags[target.reference.repository]
                if isinstance(target.reference, TagRef):
                    of_repository[target.reference.tag] = found.digest
        for repository, found_tags in tags.items():
            yield RepositoryView(repository, found_tags, ())

    def _left(self, target: Target) -> Target:
        """Return a target with only the entries that choose it in `bound`; if it cannot be read, return it unchanged."""
        found = self._resolver.found.get(name_of(target))
        if not isinstance(found, Resolved):
            return target
        details = self._conditions.facts.of(found.digest)
        bound = tuple(number for number in target.bound if is_chosen(self._entries[number], details))
        if not bound or bound[0] == target.bound[0]:
            return replace(target, bound=bound)
        first = self._entries[bound[0]]
        return replace(target, source=first.source, note=first.note, bound=bound)
