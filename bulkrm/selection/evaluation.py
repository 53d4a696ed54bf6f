"""Evaluates the conditions of all entries for one repository: which manifests and tags are kept, and why.

The stages are those of `selector.ConditionStage`. An entry chooses images, first by tag and then by digest. NARROW keeps
chosen images for this entry only: another entry may still delete them. RANK keeps chosen images against every entry; it
ranks all of them, also those that NARROW keeps, for each repository, entry and group separately. So neither the order of
the entries nor what other rules keep changes the result.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from bulkrm.model.condition_verdicts import NO_VERDICTS, ConditionVerdicts
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.details import Details
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.selector import OF_CONFIG, ChooseImages, ChosenImage, Fact, KeepVerdict, Narrow, Rank

UNKNOWN = Details()


@valueclass
class RepositoryView:
    """The facts about one repository that conditions use.

    `tags`: every known tag with its digest; `targets`: the targets with their digests, None for a tag without a
    manifest. `details`: the facts of manifests; `new`: manifests that were unknown at the first judgement of the run.
    """

    repository: Repository
    tags: Mapping[str, Digest]
    targets: Sequence[tuple[Target, Digest | None]]
    details: Mapping[Digest, Details] = field(default_factory=dict)
    new: frozenset[Digest] = frozenset()

    def of(self, digest: Digest) -> Details:
        """Return the facts of a manifest; empty ones where none were read."""
        return self.details.get(digest, UNKNOWN)


def evaluate(entries: Sequence[ConditionalEntry], view: RepositoryView, now: datetime) -> ConditionVerdicts:
    """Return the verdicts of the conditions in one repository. `Target.bound` holds indexes into `entries`.

    `now`: the time to which ages refer, with a time zone.
    """
    here = [entry for entry in entries if entry.touches(view.repository)]
    if not here:
        return NO_VERDICTS
    digests: dict[Digest, list[Kept]] = defaultdict(list)
    for entry in here:
        for digest, kept in _kept_against_all_entries(entry, view, now):
            digests[digest].append(kept)
    targets: dict[Reference, tuple[Kept, ...]] = {}
    dangling: dict[str, Kept] = {}
    for target, held in view.targets:
        naming = [entries[number] for number in target.bound]
        if held is not None:
            narrowed = _narrowed(naming, view.of(held), now)
            if narrowed:
                targets[target.reference] = narrowed
        elif isinstance(target.reference, TagRef) and (verdict := _dangling(target.reference, naming, here, now)):
            dangling[target.reference.tag] = verdict
    return ConditionVerdicts({digest: by_precedence(kept) for digest, kept in digests.items()}, targets, dangling)


def is_chosen(entry: ConditionalEntry, details: Details) -> bool:
    """Tell whether an entry chooses an image that it names; True for an image that could not be read, which is then kept."""
    return all(_is_unread(condition, details) or condition.chooses(details) for condition in entry.chooses_images)


def facts_needed(
    entries: Sequence[ConditionalEntry], view: RepositoryView, *, choosing: bool = False
) -> Mapping[Digest, frozenset[Fact]]:
    """Return the facts that have to be read, by manifest. `choosing`: only those for the conditions that choose images."""
    found: dict[Digest, frozenset[Fact]] = defaultdict(frozenset)
    for number, entry in enumerate(entries):
        if not entry.touches(view.repository):
            continue
        by_choice = frozenset[Fact]().union(*(condition.needs for condition in entry.chooses_images))
        by_rank = frozenset[Fact]().union(*(rank.needs for rank in entry.ranks))
        if by_choice | by_rank and (choosing or entry.ranks):
            for digest in _named(entry, view):
                found[digest] |= by_choice if choosing else by_choice | by_rank
        own = frozenset[Fact]().union(*(narrow.needs for narrow in entry.narrows))
        if own | by_choice and not choosing:
            for target, held in view.targets:
                if number in target.bound and held is not None:
                    found[held] |= own | by_choice
    return found


def by_precedence(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """Return the reasons in order of their precedence, each once."""
    return tuple(sorted(dict.fromkeys(kept), key=lambda one: PRECEDENCE.index(one.reason)))


def _named(entry: ConditionalEntry, view: RepositoryView) -> dict[Digest, list[str]]:
    """Return the manifests that an entry names, with the tags by which it names them."""
    found: dict[Digest, list[str]] = defaultdict(list)
    for tag in sorted(view.tags):
        if entry.chooses(view.repository, tag):
            found[view.tags[tag]].append(tag)
    for digest in entry.digests(view.repository):
        found.setdefault(digest, [])
    return found


def _kept_against_all_entries(
    entry: ConditionalEntry, view: RepositoryView, now: datetime
) -> Iterator[tuple[Digest, Kept]]:
    """Yield the manifests that an entry keeps against every entry, by its rankings or because they cannot be read."""
    images: list[ChosenImage] = []
    if not (entry.ranks or entry.chooses_images):
        return
    for digest, tags in _named(entry, view).items():
        details = view.of(digest)
        if is_chosen(entry, details):
            images.append(ChosenImage(digest, tuple(tags), details))
            unread = next((condition for condition in entry.chooses_images if _is_unread(condition, details)), None)
            if unread is not None:
                yield digest, _kept(entry, unread.text, KeepVerdict(KeptReason.UNREADABLE, details.unread))
    for rank in entry.ranks:
        for group in _groups(rank, images):
            yield from _ranked(entry, rank, group, view, now)


def _groups(rank: Rank, images: Sequence[ChosenImage]) -> Iterator[list[ChosenImage]]:
    """Yield the images of each group, each with the tags that put it into the group."""
    groups: dict[tuple[str, ...], dict[Digest, list[str]]] = defaultdict(lambda: defaultdict(list))
    known = {image.digest: image for image in images}
    for image in images:
        for tag in image.tags:
            name = rank.group(tag)
            if name is not None:
                groups[name][image.digest].append(tag)
    for members in groups.values():
        yield [ChosenImage(digest, tuple(tags), known[digest].details) for digest, tags in members.items()]


def _ranked(
    entry: ConditionalEntry, rank: Rank, group: Sequence[ChosenImage], view: RepositoryView, now: datetime
) -> Iterator[tuple[Digest, Kept]]:
    needs = rank.needs | frozenset[Fact]().union(*(condition.needs for condition in entry.chooses_images))
    doubtful = next((image for image in group if needs and image.details.unread and image.digest in view.new), None)
    if doubtful is not None:
        # It is new since the first judgement and could rank anywhere, so the rank of the others is unknown too.
        why = f"{view.repository}:{doubtful.tags[0]} is new, and cannot be read: {doubtful.details.unread}"
        for image in group:
            yield image.digest, Kept(KeptReason.UNREADABLE, (why,))
    for digest, verdict in rank.kept(group, now).items():
        yield digest, _kept(entry, rank.text, verdict)


def _narrowed(naming: Sequence[ConditionalEntry], details: Details, now: datetime) -> tuple[Kept, ...]:
    """Return the reasons if every entry that names an image keeps it; () if one of them does not."""
    kept: list[Kept] = []
    for entry in naming:
        found = [verdict for narrow in entry.narrows if (verdict := _narrow(entry, details, now, narrow)) is not None]
        if not found:
            return ()
        kept += found
    return by_precedence(kept)


def _narrow(entry: ConditionalEntry, details: Details, now: datetime, narrow: Narrow) -> Kept | None:
    if details.unread is not None and narrow.needs & OF_CONFIG:
        return _kept(entry, narrow.text, KeepVerdict(KeptReason.UNREADABLE, details.unread))
    verdict = narrow.verdict(details, now)
    return None if verdict is None else _kept(entry, narrow.text, verdict)


def _dangling(
    reference: TagRef, naming: Sequence[ConditionalEntry], here: Sequence[ConditionalEntry], now: datetime
) -> Kept | None:
    """Return why a tag without a manifest is kept: without a date it is not old enough, and could be the newest."""
    for entry in here:
        if entry.ranks and entry.chooses(reference.repository, reference.tag):
            return _kept(entry, entry.ranks[0].text, KeepVerdict(KeptReason.NO_DATE))
    if naming and all(entry.chooses_images for entry in naming):
        # Labels, annotations and platform are unknown, so no entry is known to choose it.
        condition = naming[0].chooses_images[0]
        return _kept(naming[0], condition.text, KeepVerdict(KeptReason.UNREADABLE, "listed, but leads nowhere"))
    narrowed = _narrowed(naming, UNKNOWN, now)
    return narrowed[0] if narrowed else None


def _is_unread(condition: ChooseImages, details: Details) -> bool:
    return details.unread is not None and bool(condition.needs & OF_CONFIG)


def _kept(entry: ConditionalEntry, text: str, verdict: KeepVerdict) -> Kept:
    why = (verdict.why,) if verdict.why is not None else ()
    return Kept(verdict.reason, (f"{entry.source}: {text}", *why))


def known_digests(view: RepositoryView) -> frozenset[Digest]:
    """Return the digests of all manifests that a view knows, by tag or as a target."""
    named = (target.reference.digest for target, _ in view.targets if isinstance(target.reference, DigestRef))
    held = (digest for _, digest in view.targets if digest is not None)
    return frozenset([*view.tags.values(), *named, *held])
