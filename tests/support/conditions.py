"""Plans of lists with conditions for repositories in memory: no server, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.details import Config, Details, parse_moment
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST, Children, Resolved
from bulkrm.model.plan import Delete, Plan
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.outcome import Kept
from bulkrm.model.settings import Shared
from bulkrm.model.target import Target
from bulkrm.planning.facts import FindPattern, RepositoryFacts, TagsRead
from bulkrm.planning.guards.rules import GuardRules
from bulkrm.planning.judge import judge
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.entry import Entry
from bulkrm.selection.evaluation import evaluate
from bulkrm.selection.image_choice import is_chosen
from bulkrm.selection.in_use.references import InUseReferences, kept_in_use, normal_reference
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.patterns.glob import Glob, match_tags, merge
from bulkrm.selection.patterns.pattern import ProtectPattern
from bulkrm.selection.repository_view import RepositoryView
from bulkrm.selection.selectors.min_keep import newest_to_keep

APP = Repository("a.b", "app")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """One manifest of a repository in memory."""

    name: str
    tags: tuple[str, ...]
    created: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    unread: str | None = None
    children: tuple[str, ...] = ()

    @property
    def digest(self) -> Digest:
        """The digest that its name stands for."""
        return digest_of(self.name)

    @property
    def details(self) -> Details:
        """What its configuration says."""
        config = Config(self.created, self.labels, self.platform)
        return Details(
            parse_moment(self.created),
            self.annotations,
            (config,),
            bool(self.children),
            self.unread,
            config_digests=(Digest.of(f"config of {self.name}".encode()),),
        )


def digest_of(name: str) -> Digest:
    """Return a digest that is different for each name."""
    return Digest.of(name.encode())


def planned(  # noqa: PLR0913 (each test sets one of them)
    text: str,
    images: Sequence[Shown],
    *,
    now: datetime = NOW,
    shared: Shared = Shared.REFUSE,
    in_use: Sequence[str] = (),
    new: Sequence[str] = (),
    targets: Sequence[Target] | None = None,
) -> Plan:
    """Return the plan of a list for one repository, a.b/app, which has these images.

    `new`: the images that were pushed since the first judgement; `targets`: those that are judged again.
    """
    listed = read_list(text.encode(), "list.yaml")
    entries = [entry for entry in listed.entries if isinstance(entry, ConditionalEntry)]
    tags = {tag: image for image in images for tag in image.tags}
    found = targets if targets is not None else merge(_named(listed.entries, entries, tags))
    resolved = {image.name: _resolved(image) for image in images}
    by_digest = {image.digest: image for image in images}
    resolutions = []
    for target in found:
        if isinstance(target.reference, TagRef):
            resolutions.append((target, resolved[tags[target.reference.tag].name]))
        else:
            resolutions.append((target, resolved[by_digest[target.reference.digest].name]))
    indexes = {image.digest: _children(image) for image in images if image.children}
    seen = TagsRead({tag: resolved[image.name] for tag, image in tags.items()}, indexes)
    scene = RepositoryView(
        APP,
        {tag: image.digest for tag, image in tags.items()},
        [(target, found.digest) for target, found in resolutions],
        {image.digest: image.details for image in images},
        frozenset(digest_of(name) for name in new),
    )
    holds = evaluate(entries, scene, now)
    if in_use:
        used = InUseReferences.of([str(normal_reference(text)) for text in in_use])
        children = {index: found.manifests for index, found in indexes.items()}
        held = kept_in_use(used, APP, scene.tags, list(by_digest), scene.details, children)
        holds = replace(holds, in_use=held.digests, tags_in_use=held.tags)
    holds = replace(holds, created={image.digest: image.details.created for image in images})
    rules = GuardRules(shared, protection(listed.protect), min_keep=listed.min_keep, choose_kept=newest_to_keep)
    return judge([RepositoryFacts(APP, tuple(resolutions), seen, conditions=holds)], rules)


def protection(patterns: Sequence[ProtectPattern]) -> FindPattern:
    """Return a function that finds the pattern which protects a tag."""

    def protects(repository: Repository, tag: str) -> str | None:
        return next((str(pattern) for pattern in patterns if pattern.protects(repository, tag)), None)

    return protects


def fates(plan: Plan) -> dict[str, str]:
    """Return `delete`, or the reason why it is kept, for each image of the report, by its tag or digest."""
    fate: dict[str, str] = {}
    for item in plan.items:
        verdict = item.verdict
        word = "delete" if isinstance(verdict, Delete) else "untag"
        if isinstance(verdict, Kept):
            word = verdict.reason.value
        for target in item.targets:
            reference = target.reference
            fate[reference.tag if isinstance(reference, TagRef) else str(reference.digest)] = word
    return fate


def gone(plan: Plan) -> set[str]:
    """Return all tags that are deleted."""
    return {tag for item in plan.changed_items for tag in item.removed_tags}


def _named(
    entries: Sequence[Entry], conditional: Sequence[ConditionalEntry], tags: Mapping[str, Shown]
) -> Iterator[Target]:
    for entry in entries:
        if not isinstance(entry, ConditionalEntry):
            yield from _targets(entry, tags)
            continue
        number = conditional.index(entry)
        for piece in entry.pieces:
            for target in _targets(piece, tags):
                reference = target.reference
                if isinstance(reference, TagRef):
                    if not entry.groups(reference.tag):
                        continue
                    details = tags[reference.tag].details
                    if not is_chosen(entry, details):
                        continue
                yield replace(target, bound=(number,))


def _targets(entry: Target | Glob, tags: Mapping[str, Shown]) -> list[Target]:
    if isinstance(entry, Target):
        return [entry] if not isinstance(entry.reference, TagRef) or entry.reference.tag in tags else []
    return match_tags(entry, APP, tags)


def _resolved(image: Shown) -> Resolved:
    kind = OCI_INDEX if image.children else OCI_MANIFEST
    return Resolved(image.digest, kind, 1, _children(image))


def _children(image: Shown) -> Children:
    return Children(tuple(map(digest_of, image.children)))
