"""JSON that two readers could take for two things, or none can read, is refused with a ValueError."""

import time

import pytest

from bulkrm.codec.strict import strict_json
from tests.support.work import work


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"a": [1, "\\ud83d\\ude00", null]}', {"a": [1, "\U0001f600", None]}),
        (b'"\xc3\xa9"', "\u00e9"),
        ("1.5", 1.5),
    ],
)
def test_good(content: str | bytes, expected: object) -> None:
    """What says one thing only is read."""
    assert strict_json(content) == expected


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"a": 1, "a": 1}', "'a' is there twice"),
        ('{"b": {"a": 1, "c": 2, "a": 1}}', "'a' is there twice"),
        ("[NaN]", "NaN is not a number"),
        ("-Infinity", "not a number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('"\\ud800"', "half a surrogate pair"),
        ('{"\\udfff": 1}', "half a surrogate pair"),
        (b"\xff", "no UTF-8|not UTF-8"),
        ("9" * 5000, "limit|digits"),
        ('"a\0b"', "control character"),
        ("", "Expecting value"),
    ],
)
def test_bad(content: str | bytes, why: str) -> None:
    """Everything else is not, and why is said."""
    with pytest.raises(ValueError, match=why):
        strict_json(content)


def test_many_keys() -> None:
    """That a key is there twice is found in a time that grows with the number of keys, not with its square."""
    text = "{" + ",".join(f'"{number}":1' for number in range(200_000)) + ',"0":1}'
    began = time.process_time()

    with pytest.raises(ValueError, match="'0' is there twice"):
        strict_json(text)

    assert time.process_time() - began < 1250 * work()
