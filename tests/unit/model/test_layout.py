"""Counts, lists of names, sizes and wrapped lines of every text for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.text.layout import MOST_NAMED, cells, counted, listed, size, wrapped


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (12_345, "12,345 images")]
)
def test_the_noun_follows_the_number(number: int, text: str) -> None:
    """One is singular, all else plural; thousands are set apart."""
    assert text == counted(number, "image")


def test_an_irregular_plural_is_given() -> None:
    """Where the plural is not the singular and an s, it is an argument."""
    assert (counted(1, "registry", "registries"), counted(2, "registry", "registries")) == (
        "1 registry",
        "2 registries",
    )


@given(st.lists(st.text("abc", min_size=1), max_size=2000), st.integers(1, 8))
def test_a_cut_list_accounts_for_every_name(names: list[str], most: int) -> None:
    """A list names its first entries, and counts exactly those that it does not name."""
    text = listed(names, most)

    shown, _, rest = text.partition(" and ")
    assert shown == ", ".join(names[:most])
    assert int(rest.removesuffix(" more").replace(",", "") or 0) == max(0, len(names) - most)


def test_five_names_are_shown_unless_told_otherwise() -> None:
    """The default length of a list in a sentence."""
    assert listed([str(number) for number in range(MOST_NAMED + 1)]) == "0, 1, 2, 3, 4 and 1 more"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1434, "1.4 KiB"),
        (5 << 20, "5.0 MiB"),
        (3 << 30, "3.0 GiB"),
        (9 << 50, "9216.0 TiB"),
    ],
)
def test_sizes_have_the_largest_unit_that_fits(number: int, text: str) -> None:
    """Bytes are shown as they are below a KiB, then with one decimal."""
    assert text == size(number)


def test_lines_in_a_pipe_stay_whole() -> None:
    """Without a width nothing is broken, so that grep finds a line whole."""
    assert list(wrapped(["word " * 50 + "end"], None)) == ["word " * 50 + "end"]


def test_wrapped_lines_are_indented_and_names_stay_whole() -> None:
    """A line that does not fit continues indented; a name longer than the terminal is not broken."""
    name = "registry.example.com/team/" + "long-name-" * 6

    lines = list(wrapped([f"deleted {name} and more"], 40, indent=4))

    assert lines == ["deleted", f"    {name}", "    and more"]


def test_what_a_terminal_would_obey_is_escaped() -> None:
    """Text from a registry cannot move the cursor, whether it is wrapped or not."""
    assert list(wrapped(["\x1b[2J"], None)) == list(wrapped(["\x1b[2J"], 80)) == ["\\u001b[2J"]


def test_wide_characters_are_counted_as_they_are_drawn() -> None:
    """A character that takes two columns of a terminal counts as two where lines are broken."""
    lines = list(wrapped(["期限切れ " * 12], 40))

    assert [cells(line) <= 40 for line in lines] == [True] * len(lines)
    assert len(lines) == 3
