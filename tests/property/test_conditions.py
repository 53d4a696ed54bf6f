"""Conditions only keep: whatever is added to a list, nothing more goes."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bulkrm.model.settings import Shared
from tests.support.conditions import NOW, Shown, gone, planned

_NAMES = [f"{branch}-{number}" for branch in ("a", "b") for number in range(4)] + ["1.0", "1.10", "v2.0-rc.1", "latest"]
_PATTERNS = ("*", "a-*", "b-*", "?-1", "1.*", "l*")


def _dates() -> st.SearchStrategy[str | None]:
    hours = st.integers(-30, 24 * 40)
    moments = hours.map(lambda hour: f"{NOW - timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}")
    return st.one_of(moments, st.sampled_from(["1970-01-01T00:00:00Z", "nonsense", None]))


@st.composite
def repositories(draw: st.DrawFn) -> list[Shown]:
    """A few images with dates, labels and tags; each tag is on one of them."""
    tags = draw(st.lists(st.sampled_from(_NAMES), min_size=1, unique=True))
    owners = draw(st.lists(st.integers(0, 4), min_size=len(tags), max_size=len(tags)))
    images = []
    for number in sorted(set(owners)):
        own = tuple(tag for tag, owner in zip(tags, owners, strict=True) if owner == number)
        labels = draw(st.sampled_from([{}, {"stage": "dev"}, {"stage": "prod"}]))
        unread = draw(st.sampled_from([None, None, None, "HTTP 500"]))
        images.append(Shown(f"i{number}", own, draw(_dates()), labels, unread=unread))
    return images


ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "older-than": st.sampled_from(["1h", "10d", "2026-02-20"]),
        "keep-newest": st.integers(1, 4).map(str),
        "labels": st.just("{stage: dev}"),
        "exclude": st.just("['a-1']"),
        "exclude-match": st.just("'b-[12]'"),
    },
)


def written(pattern: str, keys: dict[str, str]) -> str:
    """One entry."""
    keys = dict(keys)
    if "keep-newest" in keys and "older-than" not in keys:
        keys.setdefault("sort", "date")
    return f"- image: 'a.b/app:{pattern}'\n" + "".join(f"  {key}: {value}\n" for key, value in keys.items())


def listed(entries: Sequence[str], top: str = "") -> str:
    """A list."""
    return top + "images:\n" + "".join(entries)


SHARED = st.sampled_from([Shared.REFUSE, Shared.UNTAG, Shared.DELETE])


@given(repositories(), st.sampled_from(_PATTERNS), ENTRY, SHARED, st.data())
def test_adding_a_condition_to_the_one_entry_deletes_no_more(
    images: list[Shown], pattern: str, keys: dict[str, str], shared: Shared, data: st.DataObject
) -> None:
    """exclude, labels, older-than, protect, in-use, min-keep: each only keeps, in a list of one entry."""
    added = data.draw(
        st.sampled_from(
            ["exclude", "exclude-match", "labels", "older-than", "protect", "in-use", "min-keep", "keep-newest"]
        )
    )
    values = {
        "exclude": "['*-2']",
        "exclude-match": "'.*-3'",
        "labels": "{stage: dev}",
        "older-than": "20d",
        "keep-newest": "2",
    }
    without = {key: value for key, value in keys.items() if key != added}
    if added in ("exclude", "exclude-match", "labels"):
        shared = Shared.REFUSE  # a tag that is not chosen is outside the list, and --shared says what becomes of those
    before = planned(listed([written(pattern, without)]), images, shared=shared)
    if added in values:
        after = planned(listed([written(pattern, {**without, added: values[added]})]), images, shared=shared)
    elif added == "in-use":
        after = planned(
            listed([written(pattern, without)]), images, shared=shared, in_use=["a.b/app:a-1", "a.b/app:latest"]
        )
    else:
        top = {"protect": "protect: ['*:a-1']\n", "min-keep": "min-keep: 2\n"}[added]
        after = planned(listed([written(pattern, without)], top), images, shared=shared)

    assert gone(after) <= gone(before)


@given(
    repositories(), st.lists(st.tuples(st.sampled_from(_PATTERNS), ENTRY), min_size=1, max_size=3), SHARED, st.data()
)
def test_keeping_more_of_the_newest_deletes_no_more(
    images: list[Shown], entries: list[tuple[str, dict[str, str]]], shared: Shared, data: st.DataObject
) -> None:
    """In any list, adding keep-newest to an entry, or raising it, only keeps."""
    number = data.draw(st.integers(0, len(entries) - 1))
    pattern, keys = entries[number]
    more = {**keys, "keep-newest": str(int(keys.get("keep-newest", "0")) + 1)}
    raised = [*entries[:number], (pattern, more), *entries[number + 1 :]]
    before = planned(listed([written(*entry) for entry in entries]), images, shared=shared)
    after = planned(listed([written(*entry) for entry in raised]), images, shared=shared)

    assert gone(after) <= gone(before)


@given(repositories(), st.lists(st.tuples(st.sampled_from(_PATTERNS), ENTRY), min_size=2, max_size=3), SHARED)
def test_the_order_of_entries_makes_no_difference(
    images: list[Shown], entries: list[tuple[str, dict[str, str]]], shared: Shared
) -> None:
    """The same entries in another order have the same go, and a plan made twice is the same."""
    texts = [written(*entry) for entry in entries]

    assert gone(planned(listed(texts), images, shared=shared)) == gone(
        planned(listed(list(reversed(texts))), list(reversed(images)), shared=shared)
    )
    assert planned(listed(texts), images, shared=shared) == planned(listed(texts), images, shared=shared)


@settings(max_examples=50)
@given(repositories(), st.sampled_from(_PATTERNS), st.integers(1, 3), SHARED)
def test_at_least_so_many_stay(images: list[Shown], pattern: str, least: int, shared: Shared) -> None:
    """min-keep: so many images have a tag afterwards, if so many had one before."""
    after = gone(planned(listed([written(pattern, {})], f"min-keep: {least}\n"), images, shared=shared))
    staying = [image for image in images if set(image.tags) - after]

    assert len(staying) >= min(least, len(images))
