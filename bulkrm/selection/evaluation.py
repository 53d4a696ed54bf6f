"""Evaluates the conditions of all entries for one repository: which manifests and tags are kept, and why.

The stages are those of `selector.ConditionStage`. An entry chooses images, first by tag and then by digest. NARROW keeps
chosen images for this entry only: another entry may still delete them. RANK keeps chosen images against every entry; it
ranks all of them, also those that NARROW keeps, for each repository, entry and group separately. So neither the order of
the entries nor what other rules keep changes the result.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bulkrm.model.condition_verdicts import NO_VERDICTS, ConditionVerdicts
from bulkrm.model.digest import Digest
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.manifests.details import Details
from bulkrm.model.reference import Reference, TagRef
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.image_choice import kept_by, unjudged
from bulkrm.selection.ranking import Choices, kept_against_all_entries
from bulkrm.selection.repository_view import UNKNOWN, RepositoryView, named_at_most
from bulkrm.selection.selector import OF_CONFIG, Fact, KeepVerdict, Narrow


def evaluate(entries: Sequence[ConditionalEntry], view: RepositoryView, now: datetime) -> ConditionVerdicts:
    """Return the verdicts of the conditions in one repository. `Target.bound` holds indexes into `entries`.

    `now`: the time to which ages refer, with a time zone.
    """
    here = [entry for entry in entries if entry.touches(view.repository)]
    if not here:
        return NO_VERDICTS
    digests: dict[Digest, list[Kept]] = defaultdict(list)
    choices: dict[ConditionalEntry, Choices] = {entry: {} for entry in here}
    for entry in here:
        for digest, kept in kept_against_all_entries(entry, view, now, choices[entry]):
            digests[digest].append(kept)
    targets: dict[Reference, tuple[Kept, ...]] = {}
    dangling: dict[str, Kept] = {}
    for target, held in view.targets:
        naming = [entries[number] for number in target.bound]
        if held is not None:
            left_out = [entry for entry in naming if choices.get(entry, {}).get(held) is False]
            narrowed = _narrowed(naming, view.of(held), now, left_out)
            if narrowed:
                targets[target.reference] = narrowed
        elif isinstance(target.reference, TagRef) and (verdict := _dangling(target.reference, naming, here, now)):
            dangling[target.reference.tag] = verdict
    return ConditionVerdicts({digest: by_precedence(kept) for digest, kept in digests.items()}, targets, dangling)


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
            for digest in named_at_most(entry, view):
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


def _narrowed(
    naming: Sequence[ConditionalEntry],
    details: Details,
    now: datetime,
    left_out: Sequence[ConditionalEntry] = (),
) -> tuple[Kept, ...]:
    """Return the reasons if every entry that names an image keeps it; () if one of them does not.

    `left_out`: entries that chose the image when the list was expanded, and do not choose it now, as only a plugin may do.
    """
    kept: list[Kept] = []
    for entry in naming:
        if entry in left_out:
            why = "it was chosen before, and is not any more"
            kept.append(kept_by(entry, entry.chooses_images[0].text, KeepVerdict(KeptReason.UNREADABLE, why)))
            continue
        found = [verdict for narrow in entry.narrows if (verdict := _narrow(entry, details, now, narrow)) is not None]
        if not found:
            return ()
        kept += found
    return by_precedence(kept)


def _narrow(entry: ConditionalEntry, details: Details, now: datetime, narrow: Narrow) -> Kept | None:
    if details.unread is not None and narrow.needs & OF_CONFIG:
        return kept_by(entry, narrow.text, KeepVerdict(KeptReason.UNREADABLE, details.unread))
    try:
        verdict = narrow.verdict(details, now)
    except PluginError as error:
        return unjudged(entry, narrow.text, error)
    return None if verdict is None else kept_by(entry, narrow.text, verdict)


def _dangling(
    reference: TagRef, naming: Sequence[ConditionalEntry], here: Sequence[ConditionalEntry], now: datetime
) -> Kept | None:
    """Return why a tag without a manifest is kept: without a date it is not old enough, and could be the newest."""
    for entry in here:
        try:
            ranked = bool(entry.ranks) and entry.chooses(reference.repository, reference.tag)
        except PluginError as error:
            return unjudged(entry, entry.text, error)
        if ranked:
            return kept_by(entry, entry.ranks[0].text, KeepVerdict(KeptReason.NO_DATE))
    if naming and all(entry.chooses_images for entry in naming):
        # Labels, annotations and platform are unknown, so no entry is known to choose it.
        condition = naming[0].chooses_images[0]
        return kept_by(naming[0], condition.text, KeepVerdict(KeptReason.UNREADABLE, "listed, but leads nowhere"))
    narrowed = _narrowed(naming, UNKNOWN, now)
    return narrowed[0] if narrowed else None
