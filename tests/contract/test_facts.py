"""The table of facts in CONTRIBUTING.md."""

from pathlib import Path

from tests.support.facts import table


def test_the_table() -> None:
    """CONTRIBUTING.md has the facts that contract tests say they hold: `python -m tests.support.facts` prints them."""
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert table() in text
