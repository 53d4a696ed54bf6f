"""`Selector`, which each file of `selectors/` declares: the keys of a kind of condition, and the condition that they make.

A condition can only keep images: it removes images from those that an entry names, and never adds one. It applies at one
of five stages (`ConditionStage`). The functions of a condition are pure; it declares the facts that they need, and the
planner reads those from the registry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Protocol

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.details import Details
from bulkrm.model.result.outcome import KeptReason
from bulkrm.model.valueclass import valueclass


class Fact(StrEnum):
    """A fact about an image that a condition may need. Only a registry's own API provides the last two."""

    CREATED = "created"
    LABELS = "labels"
    ANNOTATIONS = "annotations"
    PLATFORM = "platform"
    IMAGE_ID = "image-id"
    PUSHED = "pushed"
    UNTAGGED = "untagged"


# The facts that the protocol provides (distribution-spec 1.1 has no time of a push, and lists no untagged manifests).
OF_THE_PROTOCOL = frozenset({Fact.CREATED, Fact.LABELS, Fact.ANNOTATIONS, Fact.PLATFORM, Fact.IMAGE_ID})
OF_CONFIG = frozenset({Fact.CREATED, Fact.LABELS, Fact.PLATFORM})  # the facts in the configuration of an image


class ConditionStage(Enum):
    """The stages at which conditions apply, in their order."""

    CHOOSE_TAG = "choose by tag"
    CHOOSE_DIGEST = "choose by digest"
    NARROW = "narrow"
    RANK = "rank"
    KEEP = "keep"


class KeyShape(Enum):
    """The form of a key's value: one text, a list of texts, or a mapping of texts."""

    TEXT = "text"
    TEXTS = "texts"
    PAIRS = "pairs"


class KeyLevel(Enum):
    """Where a key is written: in an entry, or at the top of the file."""

    ENTRY = "entry"
    FILE = "file"


@valueclass
class Key:
    """A key of the list file. `schema`: its JSON Schema. `parse`: parses one text of its value.

    `parse` raises InputError with one Problem whose `where` is empty.
    """

    name: str
    schema: Mapping[str, Any]
    parse: Callable[[str], Any]
    shape: KeyShape = KeyShape.TEXT
    level: KeyLevel = KeyLevel.ENTRY


class TagFilter(Protocol):
    """Decides about tags by their name alone."""

    @property
    def text(self) -> str:
        """The filter as the user wrote it."""
        ...

    def matches(self, tag: str) -> bool:
        """Tell whether the filter applies to this tag."""
        ...


@valueclass
class ChosenImage:
    """A manifest that an entry chose, with its facts. `tags`: those that the entry chose, sorted."""

    digest: Digest
    tags: tuple[str, ...]
    details: Details


@valueclass
class KeepVerdict:
    """The reason why a condition keeps an image. `why`: one line of explanation, None where the reason is enough."""

    reason: KeptReason
    why: str | None = None


@valueclass
class ChooseTags:
    """CHOOSE_TAG: `chooses` replaces the tags or pattern of tags of the entry."""

    chooses: TagFilter


@valueclass
class ExcludeTags:
    """CHOOSE_TAG: the entry does not choose the tags that `excluded` matches."""

    excluded: TagFilter


@valueclass
class ChooseImages:
    """CHOOSE_DIGEST: the entry chooses only images for which `chooses` returns True. `text`: the condition, for messages."""

    text: str
    needs: frozenset[Fact]
    chooses: Callable[[Details], bool]


@valueclass
class Narrow:
    """NARROW: `verdict` returns why this entry keeps an image, at a given time (UTC); None: it does not."""

    text: str
    needs: frozenset[Fact]
    verdict: Callable[[Details, datetime], KeepVerdict | None]


@valueclass
class Rank:
    """RANK: `kept` returns the images of a group that are kept. `group` returns the group of a tag; None: it is not chosen.

    `by_date`: images are ranked by date, which a tag without a manifest does not have.
    """

    text: str
    needs: frozenset[Fact]
    group: Callable[[str], tuple[str, ...] | None]
    kept: Callable[[Sequence[ChosenImage], datetime], Mapping[Digest, KeepVerdict]]
    by_date: bool = True


@valueclass
class RequiresFact:
    """A condition that needs a fact which the protocol does not provide, and so is refused before anything is sent."""

    needs: frozenset[Fact]


Condition = ChooseTags | ExcludeTags | ChooseImages | Narrow | Rank | RequiresFact
Values = Mapping[str, Any]  # the parsed values of the keys of one entry


def no_condition(_: Values) -> None:
    """Return no condition: the keys are read by another selector, or apply to the whole run."""


@valueclass
class Selector:
    """One kind of condition: its stage, its keys, and `make`, which turns the values of an entry into the condition.

    `make` returns None where the entry has no such condition, and raises InputError with one Problem where the values
    contradict each other. `not_with_digest`: keys that have no meaning for an image named by its digest.
    """

    step: ConditionStage
    keys: tuple[Key, ...]
    make: Callable[[Values], Condition | None] = no_condition
    not_with_digest: tuple[str, ...] = field(default=())
