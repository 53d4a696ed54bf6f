"""How the tests of the documentation read Markdown."""

import pytest

from tests.manual.markdown import README, blocks_of, rows_of


@pytest.mark.parametrize(
    ("before", "runs", "says"),
    [
        ("<!-- run -->\n", True, ""),
        ("text\n\n<!-- run: exit 3, as x.yaml -->\n", True, "exit 3, as x.yaml"),
        ("<!-- not run: needs a cluster -->\n", False, "needs a cluster"),
        ("", None, ""),
        ("text\n", None, ""),
        ("<!-- run -->\n\n", None, ""),  # not directly before it
        ("<!-- a remark -->\n", None, ""),
        ("<!-- run -->\n```sh\none\n```\n\n", None, ""),  # that of the block before
    ],
)
def test_markers(before: str, says: str, *, runs: bool | None) -> None:
    """A marker is the comment on the line before a block, and counts for that block only."""
    block = blocks_of(README, f"{before}```sh\nbulkrm help\n```\n")[-1]

    assert (block.language, block.text) == ("sh", "bulkrm help\n")
    assert (block.runs, block.says) == (runs, says)


def test_rows() -> None:
    """Rows are those of all tables, without their heads."""
    text = "| a | b |\n|---|---|\n| 1 | 2 |\n\ntext\n\n| c | d |\n|---|---|\n| 3 | `x\\|y` |\n"

    assert rows_of(text) == [["1", "2"], ["3", "`x\\|y`"]]
