"""What a run is asked to do: a list and its rules, or a saved plan and what earlier parts of the run did of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from bulkrm.codec.list_order import files_to_record
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_writer import pieces
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.plan import Plan
from bulkrm.model.reference import HTTPS_PORT, Reference, Repository
from bulkrm.model.result.report import ImageResult
from bulkrm.model.settings import Policy
from bulkrm.model.target import Line, Unmatched
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.merge import failed_targets
from bulkrm.selection.conditional import UNCONDITIONAL, RunConditions
from bulkrm.selection.entry import Entry
from bulkrm.selection.patterns.pattern import ProtectPattern
from bulkrm.state.journal.removals import TaggedDigest


@valueclass
class EarlierProgress:
    """The progress of the earlier parts of a run that is resumed.

    `done`: results by the image's full name. `begun`: manifests that requests may have been sent for. `decoys`: decoys of
    the run that tags may lead to. `archive`: the manifests of `begun`, if there are decoys. `removed_ahead`: the digests of
    tags with an intent to remove them before their manifests. `dangling`: tags without a manifest, with an intent to
    remove them.
    """

    done: Mapping[str, ImageResult] = field(default_factory=dict)
    begun: frozenset[tuple[Repository, Digest]] = frozenset()
    decoys: Mapping[Repository, frozenset[Digest]] = field(default_factory=dict)
    archive: Mapping[Digest, Manifest] = field(default_factory=dict)
    removed_ahead: Mapping[tuple[Repository, str], Digest] = field(default_factory=dict)
    dangling: frozenset[tuple[Repository, str]] = frozenset()


@valueclass
class UndoneImages:
    """The manifests and tags of a run that undos restored (`sure`), or may have restored (`maybe`).

    `before`: the outcomes of those images before the undo, by full name.
    """

    sure: frozenset[TaggedDigest] = frozenset()
    maybe: frozenset[TaggedDigest] = frozenset()
    before: Mapping[str, ImageResult] = field(default_factory=dict)

    def without(self, done: Mapping[str, ImageResult]) -> Mapping[str, ImageResult]:
        """Return the results that are not those of restored images."""
        return {image: result for image, result in done.items() if image not in self.before}


@valueclass
class Saved:
    """A plan made earlier, the lines of its report, and how far it was carried out before.

    `resumed`: the run continues, and its failed targets are tried again. `undone`: its images that `undo` put back.
    """

    plan: Plan
    lines: Sequence[Line]
    earlier: EarlierProgress = field(default_factory=EarlierProgress)
    resumed: bool = False
    undone: UndoneImages = field(default_factory=UndoneImages)


@valueclass
class Job:
    """What a run is asked to do: to carry out a list, or what a saved plan and a fresh look agree on."""

    work: Sequence[Entry] | Saved
    protect: tuple[ProtectPattern, ...]
    policy: Policy
    ignore: tuple[ProtectPattern, ...] = ()  # damaged tags that hold nothing back
    conditions: RunConditions = UNCONDITIONAL
    default_port: int = HTTPS_PORT
    explain: tuple[Reference, ...] = ()  # images for which the verdict of every rule is reported

    def document(self, plan: Plan, lines: Sequence[Line]) -> PlanDocument:
        """Return the document of a plan: with the policy, protection and conditions by which it was made."""
        policy = replace(self.policy, dry_run=False, measure=False)
        protect = tuple(dict.fromkeys(str(pattern) for pattern in self.protect))
        unmatched = tuple(line for line in lines if isinstance(line, Unmatched))
        ignored = tuple(dict.fromkeys(str(pattern) for pattern in self.ignore))
        return PlanDocument(plan, policy, protect, unmatched, ignored, self.conditions, files_to_record(lines))

    def plan_text(self, plan: Plan, lines: Sequence[Line]) -> Iterator[str]:
        """Yield the text of a plan's file, in pieces."""
        return pieces(self.document(plan, lines))

    @property
    def begun(self) -> frozenset[tuple[Repository, Digest]]:
        """The manifests that earlier parts of the run may have sent requests for."""
        return self.work.earlier.begun if isinstance(self.work, Saved) else frozenset()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the job, each once, in the order of the list."""
        if not isinstance(self.work, Saved):
            return tuple(dict.fromkeys(entry.host for entry in self.work))
        again = failed_targets(self.work.plan) if self.work.resumed else ()
        repositories = [item.repository for item in self.work.plan.items] + [
            target.reference.repository for target in again
        ]
        repositories += [entry.repository for entry in self.work.plan.dangling]
        return tuple(dict.fromkeys(repository.host for repository in repositories))
