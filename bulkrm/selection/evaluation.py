"""What the conditions of all entries say of one repository: who stays, and why.

The steps are those of `selector.ConditionStage`. By tag and by digest it is told what an entry chooses; of that, NARROW says what
stays as far as that entry is concerned, and RANK what stays whoever names it. RANK looks at everything that was chosen,
not at what NARROW left over, and at each repository, entry and group by itself. So the order of the entries, and what
other rules keep, makes no difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bulkrm.model.condition_verdicts import NO_VERDICTS, ConditionVerdicts
from bulkrm.model.details import Details
from bulkrm.model.digest import Digest
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.model.target import Target
from bulkrm.selection.conditional import Conditional
from bulkrm.selection.selector import OF_CONFIG, ChosenImage, Fact, Narrow, OnlyImages, Rank, Stays

UNKNOWN = Details()


@dataclass(frozen=True, slots=True)
class Scene:
    """One repository as conditions see it.

    `tags`: every tag that is known and what it leads to; `targets`: what is to be judged, with its digest, None for a
    tag without a manifest. `details`: what is known of manifests; `new`: those that the first judgement did not see.
    """

    repository: Repository
    tags: Mapping[str, Digest]
    targets: Sequence[tuple[Target, Digest | None]]
    details: Mapping[Digest, Details] = field(default_factory=dict)
    new: frozenset[Digest] = frozenset()

    def of(self, digest: Digest) -> Details:
        """Return what is known of a manifest."""
        return self.details.get(digest, UNKNOWN)


def evaluate(entries: Sequence[Conditional], scene: Scene, now: datetime) -> ConditionVerdicts:
    """Return who stays in a repository by the conditions of these entries, which targets name by their numbers."""
    here = [entry for entry in entries if entry.touches(scene.repository)]
    if not here:
        return NO_VERDICTS
    digests: dict[Digest, list[Kept]] = defaultdict(list)
    for entry in here:
        for digest, kept in _binding(entry, scene, now):
            digests[digest].append(kept)
    targets: dict[Reference, tuple[Kept, ...]] = {}
    dangling: dict[str, Kept] = {}
    for target, held in scene.targets:
        naming = [entries[number] for number in target.bound]
        if held is not None:
            narrowed = _narrowed(naming, scene.of(held), now)
            if narrowed:
                targets[target.reference] = narrowed
        elif isinstance(target.reference, TagRef) and (
            remaining_tags := _dangling(target.reference, naming, here, now)
        ):
            dangling[target.reference.tag] = remaining_tags
    return ConditionVerdicts({digest: in_precedence(kept) for digest, kept in digests.items()}, targets, dangling)


def chosen_by_digest(entry: Conditional, details: Details) -> bool:
    """Tell whether an entry chooses an image whose tag or digest it names. What could not be read is chosen, and stays."""
    return all(_is_unread(condition, details) or condition.chooses(details) for condition in entry.chooses_images)


def wanted(entries: Sequence[Conditional], scene: Scene, *, choosing: bool = False) -> Mapping[Digest, frozenset[Fact]]:
    """Return what has to be known of which manifests. `choosing`: to find out what is chosen, and no more."""
    found: dict[Digest, frozenset[Fact]] = defaultdict(frozenset)
    for number, entry in enumerate(entries):
        if not entry.touches(scene.repository):
            continue
        by_choice = frozenset[Fact]().union(*(condition.needs for condition in entry.chooses_images))
        by_rank = frozenset[Fact]().union(*(rank.needs for rank in entry.ranks))
        if by_choice | by_rank and (choosing or entry.ranks):
            for digest in _named(entry, scene):
                found[digest] |= by_choice if choosing else by_choice | by_rank
        own = frozenset[Fact]().union(*(narrow.needs for narrow in entry.narrows))
        if own | by_choice and not choosing:
            for target, held in scene.targets:
                if number in target.bound and held is not None:
                    found[held] |= own | by_choice
    return found


def in_precedence(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """Sort reasons by their precedence, each once."""
    return tuple(sorted(dict.fromkeys(kept), key=lambda one: PRECEDENCE.index(one.reason)))


def _named(entry: Conditional, scene: Scene) -> dict[Digest, list[str]]:
    """Return what an entry names, with the tags by which it does."""
    found: dict[Digest, list[str]] = defaultdict(list)
    for tag in sorted(scene.tags):
        if entry.chooses(scene.repository, tag):
            found[scene.tags[tag]].append(tag)
    for digest in entry.digests(scene.repository):
        found.setdefault(digest, [])
    return found


def _binding(entry: Conditional, scene: Scene, now: datetime) -> Iterator[tuple[Digest, Kept]]:
    """Yield what an entry keeps whoever names it."""
    images: list[ChosenImage] = []
    if not (entry.ranks or entry.chooses_images):
        return
    for digest, tags in _named(entry, scene).items():
        details = scene.of(digest)
        if chosen_by_digest(entry, details):
            images.append(ChosenImage(digest, tuple(tags), details))
            unread = next((only for only in entry.chooses_images if _is_unread(only, details)), None)
            if unread is not None:
                yield digest, _kept(entry, unread.text, Stays(KeptReason.UNREADABLE, details.unread))
    for rank in entry.ranks:
        for group in _groups(rank, images):
            yield from _ranked(entry, rank, group, scene, now)


def _groups(rank: Rank, images: Sequence[ChosenImage]) -> Iterator[list[ChosenImage]]:
    """Yield the images of each group, with the tags by which they belong to it."""
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
    entry: Conditional, rank: Rank, group: Sequence[ChosenImage], scene: Scene, now: datetime
) -> Iterator[tuple[Digest, Kept]]:
    needs = rank.needs | frozenset[Fact]().union(*(only.needs for only in entry.chooses_images))
    doubtful = next((image for image in group if needs and image.details.unread and image.digest in scene.new), None)
    if doubtful is not None:
        # It came since the first judgement and may be anything, so nothing can be said of the others.
        why = f"{scene.repository}:{doubtful.tags[0]} is new, and cannot be read: {doubtful.details.unread}"
        for image in group:
            yield image.digest, Kept(KeptReason.UNREADABLE, (why,))
    for digest, remaining_tags in rank.stay(group, now).items():
        yield digest, _kept(entry, rank.text, remaining_tags)


def _narrowed(naming: Sequence[Conditional], details: Details, now: datetime) -> tuple[Kept, ...]:
    """Return why every entry that names an image keeps it; () where one does not."""
    kept: list[Kept] = []
    for entry in naming:
        found = [
            remaining_tags
            for narrow in entry.narrows
            if (remaining_tags := _narrow(entry, details, now, narrow)) is not None
        ]
        if not found:
            return ()
        kept += found
    return in_precedence(kept)


def _narrow(entry: Conditional, details: Details, now: datetime, narrow: Narrow) -> Kept | None:
    if details.unread is not None and narrow.needs & OF_CONFIG:
        return _kept(entry, narrow.text, Stays(KeptReason.UNREADABLE, details.unread))
    remaining_tags = narrow.remaining_tags(details, now)
    return None if remaining_tags is None else _kept(entry, narrow.text, remaining_tags)


def _dangling(
    reference: TagRef, naming: Sequence[Conditional], here: Sequence[Conditional], now: datetime
) -> Kept | None:
    """Say why a tag without a manifest stays: it has no date, so it is neither old nor known not to be the newest."""
    for entry in here:
        if entry.ranks and entry.chooses(reference.repository, reference.tag):
            return _kept(entry, entry.ranks[0].text, Stays(KeptReason.NO_DATE))
    if naming and all(entry.chooses_images for entry in naming):
        # Nothing says that any of them would choose it.
        only = naming[0].chooses_images[0]
        return _kept(naming[0], only.text, Stays(KeptReason.UNREADABLE, "listed, but leads nowhere"))
    narrowed = _narrowed(naming, UNKNOWN, now)
    return narrowed[0] if narrowed else None


def _is_unread(condition: OnlyImages, details: Details) -> bool:
    return details.unread is not None and bool(condition.needs & OF_CONFIG)


def _kept(entry: Conditional, text: str, remaining_tags: Stays) -> Kept:
    why = (remaining_tags.why,) if remaining_tags.why is not None else ()
    return Kept(remaining_tags.reason, (f"{entry.source}: {text}", *why))


def digests_of(scene: Scene) -> frozenset[Digest]:
    """Return every manifest that is known in a repository."""
    named = (target.reference.digest for target, _ in scene.targets if isinstance(target.reference, DigestRef))
    held = (digest for _, digest in scene.targets if digest is not None)
    return frozenset([*scene.tags.values(), *named, *held])
