"""The images that an entry keeps against every entry: by its rankings, or because they cannot be judged."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from bulkrm.model.digest import Digest
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.image_choice import choice_of, kept_by, unjudged
from bulkrm.selection.repository_view import RepositoryView, known_digests, named_images
from bulkrm.selection.selector import ChosenImage, Fact, Rank

# Whether an entry chooses the images that it names; the reason why one is kept, if that is not known.
Choices = dict[Digest, bool | Kept]


def kept_against_all_entries(
    entry: ConditionalEntry, view: RepositoryView, now: datetime, choices: Choices
) -> Iterator[tuple[Digest, Kept]]:
    """Yield the manifests that an entry keeps against every entry, by its rankings or because they cannot be judged.

    `choices` receives what the entry says of each image that it names.
    """
    if not (entry.ranks or entry.chooses_images):
        return
    try:
        named = named_images(entry, view)
    except PluginError as error:
        # Which images the entry names, and so which are its newest, is not known.
        kept = unjudged(entry, entry.text, error)
        yield from ((digest, kept) for digest in known_digests(view))
        return
    images: list[ChosenImage] = []
    for digest, tags in named.items():
        details = view.of(digest)
        choice = choices[digest] = choice_of(entry, details)
        if choice is not False:
            images.append(ChosenImage(digest, tuple(tags), details))
        if isinstance(choice, Kept):
            yield digest, choice
    for rank in entry.ranks:
        yield from _kept_by_rank(entry, rank, images, view, now, choices)


def _kept_by_rank(
    entry: ConditionalEntry,
    rank: Rank,
    images: Sequence[ChosenImage],
    view: RepositoryView,
    now: datetime,
    choices: Choices,
) -> Iterator[tuple[Digest, Kept]]:
    try:
        for group in _groups(rank, images):
            yield from _ranked(entry, rank, group, view, now, choices)
    except PluginError as error:
        kept = unjudged(entry, rank.text, error)
        yield from ((image.digest, kept) for image in images)


def _ranked(
    entry: ConditionalEntry,
    rank: Rank,
    group: Sequence[ChosenImage],
    view: RepositoryView,
    now: datetime,
    choices: Choices,
) -> Iterator[tuple[Digest, Kept]]:
    doubt = _doubt_about(entry, rank, group, view, choices)
    if doubt is not None:
        yield from ((image.digest, doubt) for image in group)
    for digest, verdict in rank.kept(group, now).items():
        yield digest, kept_by(entry, rank.text, verdict)


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


def _doubt_about(
    entry: ConditionalEntry, rank: Rank, group: Sequence[ChosenImage], view: RepositoryView, choices: Choices
) -> Kept | None:
    """Return why a whole group is kept, because one of its images could rank anywhere in it; None: its ranks are known."""
    needs = rank.needs | frozenset[Fact]().union(*(condition.needs for condition in entry.chooses_images))
    for image in group:
        if needs and image.details.unread and image.digest in view.new:  # new since the first judgement
            why = f"{view.repository}:{image.tags[0]} is new, and cannot be read: {image.details.unread}"
            return Kept(KeptReason.UNREADABLE, (why,))
        choice = choices[image.digest]
        if isinstance(choice, Kept) and not image.details.unread:  # a plugin cannot tell whether it is in the group
            return choice
    return None
