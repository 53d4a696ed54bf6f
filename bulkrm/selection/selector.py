"""The seam of conditions: what a file of `selectors/` declares, and the five steps at which a condition may speak.

A condition can only keep: it takes images out of what an entry names, and never adds one. Each step has a type of its
own, whose function is pure: what it needs to know it names as facts, which somebody reads for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Protocol

from bulkrm.model.details import Details
from bulkrm.model.digest import Digest
from bulkrm.model.discovery import discover
from bulkrm.model.result.outcome import KeptReason


class Fact(StrEnum):
    """What a condition may need to know. The last two only a registry's own API tells, if anything does."""

    CREATED = "created"
    LABELS = "labels"
    ANNOTATIONS = "annotations"
    PLATFORM = "platform"
    IMAGE_ID = "image-id"
    PUSHED = "pushed"
    UNTAGGED = "untagged"


# What the protocol itself tells (distribution-spec 1.1 has no time of a push, and lists nothing that has no tag).
OF_THE_PROTOCOL = frozenset({Fact.CREATED, Fact.LABELS, Fact.ANNOTATIONS, Fact.PLATFORM, Fact.IMAGE_ID})
OF_CONFIG = frozenset({Fact.CREATED, Fact.LABELS, Fact.PLATFORM})  # these are in the configuration of an image


class ConditionStage(Enum):
    """When a condition speaks. The order of the members is the order of the steps."""

    CHOOSE_TAG = "choose by tag"
    CHOOSE_DIGEST = "choose by digest"
    NARROW = "narrow"
    RANK = "rank"
    KEEP = "keep"


class KeyShape(Enum):
    """How a key's value is written: one text, a list of texts, or a mapping of texts."""

    TEXT = "text"
    TEXTS = "texts"
    PAIRS = "pairs"


class Level(Enum):
    """Where a key stands: in an entry, or at the top of the file."""

    ENTRY = "entry"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the list file. `parse` reads one text, and raises InputError with one Problem whose `where` is empty."""

    name: str
    schema: Mapping[str, Any]
    parse: Callable[[str], Any]
    shape: KeyShape = KeyShape.TEXT
    level: Level = Level.ENTRY


class TagFilter(Protocol):
    """Tells tags apart by their text alone."""

    @property
    def text(self) -> str:
        """What the user wrote."""
        ...

    def matches(self, tag: str) -> bool:
        """Tell whether it is about this tag."""
        ...


@dataclass(frozen=True, slots=True)
class ChosenImage:
    """One manifest as conditions see it. `tags`: those that the entry chose, sorted."""

    digest: Digest
    tags: tuple[str, ...]
    details: Details


@dataclass(frozen=True, slots=True)
class Stays:
    """Why an image stays. `why` is one line, None where the condition says it all."""

    reason: KeptReason
    why: str | None = None


@dataclass(frozen=True, slots=True)
class OnlyTags:
    """CHOOSE_TAG: instead of a pattern of tags, this chooses."""

    chooses: TagFilter


@dataclass(frozen=True, slots=True)
class NotTags:
    """CHOOSE_TAG: tags that are not chosen."""

    spares: TagFilter


@dataclass(frozen=True, slots=True)
class OnlyImages:
    """CHOOSE_DIGEST: what does not fit is not chosen."""

    text: str
    needs: frozenset[Fact]
    chooses: Callable[[Details], bool]


@dataclass(frozen=True, slots=True)
class Narrow:
    """NARROW: says of one image whether it stays, as far as this entry is concerned."""

    text: str
    needs: frozenset[Fact]
    remaining_tags: Callable[[Details, datetime], Stays | None]


@dataclass(frozen=True, slots=True)
class Rank:
    """RANK: says which of a group's images stay. `group` puts a tag into its group; None: the tag is not chosen.

    `by_date`: whether images are ranked by their date, and one without a manifest has none.
    """

    text: str
    needs: frozenset[Fact]
    group: Callable[[str], tuple[str, ...] | None]
    stay: Callable[[Sequence[ChosenImage], datetime], Mapping[Digest, Stays]]
    by_date: bool = True


@dataclass(frozen=True, slots=True)
class RequiresFact:
    """A condition that nothing can decide without a fact which the registry has to tell."""

    needs: frozenset[Fact]


Condition = OnlyTags | NotTags | OnlyImages | Narrow | Rank | RequiresFact
Values = Mapping[str, Any]  # the parsed values of the keys of one entry


def nothing(_: Values) -> None:
    """Make no condition: the keys belong to those of another file, or to the whole run."""


@dataclass(frozen=True, slots=True)
class Selector:
    """One kind of condition. `make` turns the values of an entry into the condition; None: the entry has none.

    `make` raises InputError with one Problem where the values contradict each other. `not_with_digest`: keys that say
    nothing of an image that is named by its digest.
    """

    step: ConditionStage
    keys: tuple[Key, ...]
    make: Callable[[Values], Condition | None] = nothing
    not_with_digest: tuple[str, ...] = field(default=())


@cache
def selectors() -> tuple[Selector, ...]:
    """All selectors, in the order of their steps, loaded on first use."""
    found = discover(f"{__package__}.selectors", "SELECTOR", Selector)
    return tuple(sorted(found, key=lambda selector: list(ConditionStage).index(selector.step)))


@cache
def keys(level: Level) -> Mapping[str, Key]:
    """Return the keys of all selectors by name."""
    return {key.name: key for selector in selectors() for key in selector.keys if key.level is level}


def conditions(values: Values) -> tuple[Condition, ...]:
    """Make the conditions of one entry, in the order of their steps. Raises InputError."""
    made = (selector.make(values) for selector in selectors())
    return tuple(condition for condition in made if condition is not None)


def read_written(key: Key, value: Any) -> Any:
    """Read a value of a key as it was recorded. Raises InputError, or ValueError where it has another shape."""
    match key.shape, value:
        case KeyShape.TEXT, str():
            return key.parse(value)
        case KeyShape.TEXTS, list():
            return tuple(key.parse(str(text)) for text in value)
        case KeyShape.PAIRS, dict():
            return tuple((str(name), key.parse(str(text))) for name, text in value.items())
        case _:
            raise ValueError(f"{key.name} has another shape")
