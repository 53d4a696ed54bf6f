"""`keep-newest`, `sort` and `group-by`: the newest images of each repository and group are kept against every entry."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.result.outcome import KeptReason
from bulkrm.selection.patterns.expressions import Expression
from bulkrm.selection.patterns.syntax import refuse
from bulkrm.selection.selector import ChosenImage, ConditionStage, KeepVerdict, Key, Rank, Selector, Values
from bulkrm.selection.values.choice import choice
from bulkrm.selection.values.counting import positive_number
from bulkrm.selection.values.dating import FACTS, DateKind, Undated, date_of
from bulkrm.selection.values.versions import pep440, semver

_OLDEST = datetime.min.replace(tzinfo=UTC)
_KEEP = {
    "title": "Keep the newest",
    "description": "This many images of each repository, or of each of its groups, are kept, whichever entry names them. An "
    "image counts once, however many tags it has.",
    "type": "integer",
    "minimum": 1,
}
_SORT = {
    "title": "How images are ranked",
    "description": "By date (as `by` says), or by the version in the tag: semver (1.2.3, v1.2) or pep440 (1.0rc1).",
    "enum": ["date", "semver", "pep440"],
    "default": "date",
}
_GROUP = {
    "title": "Groups",
    "description": "A regular expression for the whole tag. Tags with the same captures in ( ) are a group, and the newest "
    "of each group are kept. A tag that does not match is not chosen.",
    "type": "string",
    "minLength": 1,
    "examples": [r"(pr-\d+)-.*"],
}


class Sort(StrEnum):
    """How images are ranked: by their date, or by the version in the tag."""

    DATE = "date"
    SEMVER = "semver"
    PEP440 = "pep440"


_VERSIONS: Mapping[Sort, Callable[[str], Any]] = {Sort.SEMVER: semver, Sort.PEP440: pep440}


def _parse_group(text: str) -> Expression:
    expression = Expression(text)
    if not expression.captures:
        refuse(
            text, "captures nothing, so all tags would be one group", r"put what makes a group into ( ): (pr-\d+)-.*"
        )
    return expression


def _make(values: Values) -> Rank | None:
    if "keep-newest" not in values:
        for key in ("group-by", "sort"):
            if key in values:
                what = f"{key} has no effect without keep-newest"
                raise InputError(Problem("", what, f"add keep-newest, or remove {key}"))
        return None
    number, sort = values["keep-newest"], values.get("sort", Sort.DATE)
    by, undated = values.get("by", DateKind.CREATED), values.get("undated", Undated.KEEP)
    grouping: Expression | None = values.get("group-by")

    def group(tag: str) -> tuple[str, ...] | None:
        try:
            return grouping.match(tag) if grouping is not None else ()
        except TimeoutError:
            return None

    def kept_by_date(images: Sequence[ChosenImage], now: datetime) -> Mapping[Digest, KeepVerdict]:
        return newest(images, number, lambda image: _age_of(image, by, undated, now))

    def kept_by_version(images: Sequence[ChosenImage], _: datetime) -> Mapping[Digest, KeepVerdict]:
        return newest(images, number, lambda image: _version_of(image, _VERSIONS[sort]))

    by_date = sort is Sort.DATE
    needs = frozenset({FACTS[by]}) if by_date else frozenset()
    return Rank(f"keep-newest: {number}", needs, group, kept_by_date if by_date else kept_by_version, by_date)


def newest(
    images: Sequence[ChosenImage], number: int, rank: Callable[[ChosenImage], Any]
) -> Mapping[Digest, KeepVerdict]:
    """Return the images of one group that are kept: the `number` newest, all that tie with the last of them, and the unranked.

    `rank` returns a key to sort by, or why an image has no rank; such an image does not count among the newest.
    """
    ranks = {image.digest: rank(image) for image in images}
    ranked = sorted((found for found in ranks.values() if not isinstance(found, KeepVerdict)), reverse=True)
    last = ranked[min(number, len(ranked)) - 1] if ranked else None
    kept: dict[Digest, KeepVerdict] = {}
    for digest, found in ranks.items():
        if isinstance(found, KeepVerdict):
            kept[digest] = found
        elif last is not None and found >= last:
            kept[digest] = KeepVerdict(KeptReason.NEWEST)
    return kept


def _age_of(image: ChosenImage, by: DateKind, undated: Undated, now: datetime) -> datetime | KeepVerdict:
    if image.details.unread is not None:
        return KeepVerdict(KeptReason.UNREADABLE, image.details.unread)
    date = date_of(image.details, by, now)
    if date is not None:
        return date
    return KeepVerdict(KeptReason.NO_DATE) if undated is Undated.KEEP else _OLDEST


def _version_of(image: ChosenImage, read: Callable[[str], Any]) -> Any:
    """Return the highest version among the tags of an image."""
    found = [version for tag in image.tags if (version := read(tag)) is not None]
    return max(found) if found else KeepVerdict(KeptReason.NO_VERSION)


SELECTOR = Selector(
    ConditionStage.RANK,
    (
        Key("keep-newest", _KEEP, positive_number("keep-newest")),
        Key("sort", _SORT, choice("sort", Sort)),
        Key("group-by", _GROUP, _parse_group),
    ),
    _make,
    ("keep-newest", "group-by"),
)
