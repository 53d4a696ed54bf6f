"""Entries with conditions: the images that one names, what keeps some of them, and all conditions of a run together."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.settings import Policy, Shared
from bulkrm.model.target import Source, Target
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.found_selectors import selectors
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import RepositoryPattern
from bulkrm.selection.selector import (
    OF_THE_PROTOCOL,
    ChooseImages,
    Condition,
    Fact,
    Narrow,
    Rank,
    RequiresFact,
    Values,
)


@dataclass(frozen=True, slots=True, eq=False)
class ConditionalEntry:
    """One entry of a list that has conditions. `written`: the entry as plain values, as a plan or run records it.

    `pieces`: one target or glob for each of its tags, at least one; `conditions`: in the order of their stages.
    """

    source: Source
    note: str | None
    pieces: tuple[Target | Glob, ...]
    conditions: tuple[Condition, ...]
    written: Mapping[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The registry host, in normal form."""
        return self.pieces[0].host

    @property
    def text(self) -> str:
        """The references and globs of the entry, in normal form, joined by commas."""
        texts = (str(piece.reference) if isinstance(piece, Target) else piece.text for piece in self.pieces)
        return ", ".join(dict.fromkeys(texts))

    @property
    def narrows(self) -> tuple[Narrow, ...]:
        """The conditions by which this entry keeps an image that another entry may still delete."""
        return tuple(condition for condition in self.conditions if isinstance(condition, Narrow))

    @property
    def ranks(self) -> tuple[Rank, ...]:
        """The conditions that keep images of a group whichever entry names them."""
        return tuple(condition for condition in self.conditions if isinstance(condition, Rank))

    @property
    def chooses_images(self) -> tuple[ChooseImages, ...]:
        """The conditions that choose among the images whose tags the entry names."""
        return tuple(condition for condition in self.conditions if isinstance(condition, ChooseImages))

    def groups(self, tag: str) -> bool:
        """Tell whether `group-by`, if the entry has it, matches a tag; the entry does not choose other tags."""
        return all(rank.group(tag) is not None for rank in self.ranks)

    def chooses(self, repository: Repository, tag: str) -> bool:
        """Tell whether the entry chooses a tag by its name."""
        return any(_names(piece, repository, tag) for piece in self.pieces) and self.groups(tag)

    def touches(self, repository: Repository) -> bool:
        """Tell whether the entry names anything in a repository."""
        return any(_is_about(piece, repository) for piece in self.pieces)

    def digests(self, repository: Repository) -> Iterator[Digest]:
        """Yield the digests that the entry names in a repository."""
        for piece in self.pieces:
            if isinstance(piece, Target) and isinstance(piece.reference, DigestRef) and _is_about(piece, repository):
                yield piece.reference.digest

    @property
    def missing_facts(self) -> frozenset[Fact]:
        """The facts that its conditions need and that the registry protocol does not provide; a backend may."""
        needed = (
            condition.needs for condition in self.conditions if isinstance(condition, Narrow | Rank | RequiresFact)
        )
        return frozenset[Fact]().union(*needed) - OF_THE_PROTOCOL


def unsupported_conditions(
    entries: Iterable[ConditionalEntry], facts_of: Callable[[str], Collection[Fact]]
) -> Iterator[Problem]:
    """Yield a problem for each entry whose conditions need a fact that its registry does not provide.

    `facts_of`: returns the facts that the backend of a host provides and the registry protocol does not.
    """
    for entry in entries:
        missing, provided = entry.missing_facts, facts_of(entry.host) if entry.missing_facts else ()
        if Fact.UNTAGGED in missing:
            what = "untagged: manifests without a tag cannot be listed over the registry protocol"
            if Fact.UNTAGGED in provided:
                # A signature has no tag of its own where it names its subject, and that may be there still.
                what = (
                    f"untagged: {entry.host} lists manifests without a tag, but not which of them belong to another one"
                )
            yield Problem(str(entry.source), what, "use the registry's own garbage collection for them")
        if Fact.PUSHED in missing and Fact.PUSHED not in provided:
            what = "by: pushed: the registry protocol does not tell when an image was pushed"
            yield Problem(str(entry.source), what, "write by: created, or leave the key out")


def refuse_by_digest(values: Values) -> None:
    """Refuse keys that have no meaning for an image which is named by its digest. Raises InputError."""
    for selector in selectors():
        for key in selector.not_with_digest:
            if key in values:
                what = f"{key} has no meaning for an image that is named by its digest"
                raise InputError(Problem("", what, f"remove {key}, or name tags"))


def _is_about(piece: Target | Glob, repository: Repository) -> bool:
    match piece:
        case Target(reference):
            return reference.repository == repository
        case Glob(Repository() as place):
            return place == repository
        case Glob(RepositoryPattern() as pattern):
            return pattern.host == repository.host and pattern.matches(repository.path)
        case _:
            return False


def _names(piece: Target | Glob, repository: Repository, tag: str) -> bool:
    if not _is_about(piece, repository):
        return False
    if isinstance(piece, Target):
        return isinstance(piece.reference, TagRef) and piece.reference.tag == tag
    return piece.matches(tag)


@valueclass
class RunConditions:
    """The conditions of a run. `entries`: the entries with conditions; `Target.bound` holds indexes into them.

    `in_use`: references of running images, in normal form; `min_keep`: how many tagged images of each repository are
    kept at least, 0 for no such limit.
    """

    entries: tuple[ConditionalEntry, ...] = ()
    in_use: tuple[str, ...] = ()
    min_keep: int = 0

    def __bool__(self) -> bool:
        """Tell whether the run has any condition."""
        return bool(self.entries or self.in_use or self.min_keep)


UNCONDITIONAL = RunConditions()


def refuse_unread_tags(policy: Policy, conditions: RunConditions, *, protected: bool) -> None:
    """Raise InputError if the policy does not read the unlisted tags of a repository, but another option needs them."""
    if policy.shared is not Shared.DELETE_UNSEEN:
        return
    options = (
        (protected, "protection"),
        (policy.recursive, "--recursive"),
        (policy.verify, "--verify"),
        (bool(conditions.in_use), "in-use"),
        (bool(conditions.min_keep), "min-keep"),
        (any(entry.ranks for entry in conditions.entries), "keep-newest"),
    )
    for given, what in options:
        if given:
            message = f"delete-unseen does not read the tags that {what} needs"
            raise InputError(Problem("--shared", message, f"use --shared delete, or remove {what}"))
