"""Foreign text that is shown acts on nothing."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulkrm.model.text.printable import printable, printable_lines

TEXT = st.text(st.characters(categories=None, exclude_characters=""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ümläut, 期限, 🐳", "plain, ümläut, 期限, 🐳"),
        ("\x1b]0;x\x07", "\\u001b]0;x\\u0007"),
        ("\x9b31m\x7f", "\\u009b31m\\u007f"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("a\r\nb\tc\u2028d", "a\\u000d\\u000ab\\u0009c\\u2028d"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
    ],
)
def test_what_is_escaped(text: str, shown: str) -> None:
    """Control and bidirectional characters, line ends, what has no width and lone surrogates are shown as escapes."""
    assert printable(text) == shown


@given(TEXT)
@example("\ud800\udfff")
def test_always_printable(text: str) -> None:
    """Whatever the text, what is shown is one printable line that any encoding of Unicode takes."""
    shown = printable(text)

    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert printable(shown) == shown


@given(TEXT)
def test_lines(text: str) -> None:
    """Of several lines each is made printable, and no line is added."""
    shown = printable_lines(text)

    assert shown.count("\n") == text.count("\n")
    assert all(line.isprintable() for line in shown.split("\n"))


@given(st.lists(TEXT))
def test_json_stays_what_it_was(values: list[str]) -> None:
    """In a JSON text nothing but the form changes."""
    text = json.dumps(values, ensure_ascii=False, indent=1)

    assert json.loads(printable_lines(text)) == json.loads(text)
