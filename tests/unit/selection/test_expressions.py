"""Regular expressions: RE2's syntax and nothing else, whole tags, and an end to each of them."""

import pytest

from bulkrm.model.errors import InputError
from bulkrm.selection.patterns.expressions import ExcludedTags, Expression, MatchingTags


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (r"pr-\d+-.*", "pr-1-x"),
        (r"(?i)RELEASE", "release"),
        (r"(?P<name>a)(?<other>b)(?:c)", "abc"),
        (r"[]a-c]+", "abc"),
        (r"[^\d]+", "ab"),
        (r"[[:alpha:]]+", "ab"),
        (r"a{2}b{1,}c{0,1}", "aab"),
        (r"x{3}?", "xxx"),
        (r"\Aa\b", "a"),
        (r"1\.2", "1.2"),
        (r"(?i:A)b", "ab"),
    ],
)
def test_what_there_is(text: str, tag: str) -> None:
    """Groups, classes, repetitions and flags are those of RE2."""
    assert Expression(text).match(tag) is not None


@pytest.mark.parametrize(
    "text",
    [
        "(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", r"(?P<n>a)(?P=n)", r"\g<n>", "a++", "a*+", "a?+", "a{2}+",
        "(?>a)", "(?R)", "(?1)", "(?&n)", "(a)?(?(1)b|c)", "(?:a){e<=1}", "a{i<2}", r"\L<words>", "(?|a|b)", "(?#c)a",
        "(?x)a", "(?b)a", "(?V1)a", "a(?i)b", r"\p{L}", r"\N{BULLET}", r"\X", r"\K", r"\m", r"\Z", r"\Q", r"\x41", r"\0",
        "[a--b]", "[a&&b]", "[[a]]", "[a", "a{1001}", "(a{40}){40}", "((a{1000}){1000}){1000}", "a{3,1}", "a{,3}", "{2}", "a**",
        "(", ")", "*", "[z-a]", "\\", "(*FAIL)", "a ", " a", "a\tb", "(" * 40 + ")" * 40, "a" * 1001,
    ],
)  # fmt: skip
def test_what_there_is_not(text: str) -> None:
    """Lookaround, backreferences and whatever else only some engines have are mistakes, and so is what never ends."""
    with pytest.raises(InputError) as caught:
        Expression(text)

    assert caught.value.problems[0].remedy


@pytest.mark.parametrize(
    ("text", "tag"), [("a", "ab"), ("b", "ab"), ("a|ab", "ac"), ("^a", "ab"), ("٣", "3"), (r"\d", "٣")]
)
def test_the_whole_tag(text: str, tag: str) -> None:
    """A part of a tag is not enough; digits are those of ASCII."""
    assert Expression(text).match(tag) is None
    assert Expression("a|ab").match("ab") == ()


def test_an_expression_that_does_not_end_keeps() -> None:
    """Where the time limit is over a tag is not chosen by match, and spared by exclude-match."""
    endless = Expression("(x+x+)+y|(x+x+)+z")
    tag = "x" * 128

    with pytest.raises(TimeoutError):
        endless.match(tag, seconds=1e-9)
    assert MatchingTags(endless).matches(tag) is False
    assert ExcludedTags(Expression("b")).matches("a") is False


def test_groups_that_took_no_part() -> None:
    """A group that captured nothing is an empty text, so that it makes a group of tags as well."""
    assert Expression("(a)|(b)").match("b") == ("", "b")
