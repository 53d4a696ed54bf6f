"""An entry with conditions: what it names, and what it keeps of that."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.target import Source, Target
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import RepositoryPattern
from bulkrm.selection.selector import (
    OF_THE_PROTOCOL,
    Condition,
    Fact,
    Narrow,
    OnlyImages,
    Rank,
    RequiresFact,
    Values,
    selectors,
)


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """One entry of a list. `written`: the entry as plain values, by which it is recorded and read again."""

    source: Source
    note: str | None
    pieces: tuple[Target | Glob, ...]
    conditions: tuple[Condition, ...]
    written: Mapping[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The registry, in normal form."""
        return self.pieces[0].host

    @property
    def text(self) -> str:
        """What it names, in normal form."""
        texts = (str(piece.reference) if isinstance(piece, Target) else piece.text for piece in self.pieces)
        return ", ".join(dict.fromkeys(texts))

    @property
    def narrows(self) -> tuple[Narrow, ...]:
        """The conditions by which an image stays as far as this entry is concerned."""
        return tuple(condition for condition in self.conditions if isinstance(condition, Narrow))

    @property
    def ranks(self) -> tuple[Rank, ...]:
        """The conditions by which images of a group stay, whoever names them."""
        return tuple(condition for condition in self.conditions if isinstance(condition, Rank))

    @property
    def chooses_images(self) -> tuple[OnlyImages, ...]:
        """The conditions by which an image is not chosen although its tag is."""
        return tuple(condition for condition in self.conditions if isinstance(condition, OnlyImages))

    def groups(self, tag: str) -> bool:
        """Tell whether a tag falls into a group of each ranking: what does not is not chosen."""
        return all(rank.group(tag) is not None for rank in self.ranks)

    def chooses(self, repository: Repository, tag: str) -> bool:
        """Tell whether it chooses a tag, by its text."""
        return any(_names(piece, repository, tag) for piece in self.pieces) and self.groups(tag)

    def touches(self, repository: Repository) -> bool:
        """Tell whether it may choose anything of a repository."""
        return any(_is_about(piece, repository) for piece in self.pieces)

    def digests(self, repository: Repository) -> Iterator[Digest]:
        """Yield what it names by digest."""
        for piece in self.pieces:
            if isinstance(piece, Target) and isinstance(piece.reference, DigestRef) and _is_about(piece, repository):
                yield piece.reference.digest

    @property
    def lacking(self) -> frozenset[Fact]:
        """The facts that the protocol does not tell."""
        needed = (
            condition.needs for condition in self.conditions if isinstance(condition, Narrow | Rank | RequiresFact)
        )
        return frozenset[Fact]().union(*needed) - OF_THE_PROTOCOL


def undecidable(entries: Iterable[Conditional]) -> Iterator[Problem]:
    """Yield a problem for each entry that needs to know what only a registry's own API tells.

    This is where a backend says what it can tell; that of the protocol tells neither.
    """
    for entry in entries:
        if Fact.UNTAGGED in entry.lacking:
            what = "untagged: no manifest without a tag can be listed over the protocol of registries"
            yield Problem(str(entry.source), what, "use the registry's own garbage collection for them")
        if Fact.PUSHED in entry.lacking:
            what = "by: pushed: when an image was pushed cannot be read over the protocol of registries"
            yield Problem(str(entry.source), what, "write by: created, or leave the key out")


def refuse_by_digest(values: Values) -> None:
    """Refuse conditions that say nothing of an image which is named by its digest. Raises InputError."""
    for selector in selectors():
        for key in selector.not_with_digest:
            if key in values:
                what = f"{key} says nothing of an image that is named by its digest"
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
