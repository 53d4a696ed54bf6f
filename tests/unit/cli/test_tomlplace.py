"""Where a key stands in a TOML file."""

import pytest

from bulkrm.cli.options.tomlplace import line_of

TEXT = """\
# a comment, a = 1
a = 1
"b c" = 2
x.y = 3

[hosts."r.example:5000"]  # mine
rate = "1"
list = [
  "a = 1",
]
[hosts.'other']
rate = 2
[[many]]
z = 1
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["a"], 2),
        (["b c"], 3),
        (["x", "y"], 4),
        (["x"], None),
        (["hosts", "r.example:5000"], 6),
        (["hosts", "r.example:5000", "rate"], 7),
        (["hosts", "other", "rate"], 12),
        (["many"], 13),
        (["nothing"], None),
    ],
)
def test_lines(keys: list[str], line: int | None) -> None:
    """Keys are found in their table, quoted, dotted and with comments behind them."""
    assert line_of(TEXT, keys) == line


@pytest.mark.parametrize("text", ["", "=", "[", "[]", "[[", "a..b = 1", '"a = 1', "[a\n] = 3", "\x00 = 1"])
def test_no_toml(text: str) -> None:
    """What is none has no place, and breaks nothing."""
    assert line_of(text, ["a"]) is None
