"""Values of options."""

from pathlib import Path

import pytest

from bulkrm.cli.options import values
from bulkrm.model.errors import InputError
from bulkrm.model.settings import Limit, Rate, Shared


def remedy(error: pytest.ExceptionInfo[InputError]) -> str:
    """The one problem, as it is shown."""
    (problem,) = error.value.problems
    return str(problem)


@pytest.mark.parametrize(("text", "value"), [("auto", None), ("1", 1), ("1000", 1000)])
def test_concurrency(text: str, value: int | None) -> None:
    """A number from 1 to 1000, or auto."""
    assert values.concurrency(text) == value


@pytest.mark.parametrize("text", ["", "0", "1001", "-1", "1.5", "007", "AUTO", "²", "\u0661", "9" * 50, "1 "])
def test_no_concurrency(text: str) -> None:
    """Everything else is refused."""
    with pytest.raises(InputError) as error:
        values.concurrency(text)

    assert remedy(error).startswith("--concurrency: ")
    assert "write auto or a number from 1 to 1000" in remedy(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("10", Rate(10, 1.0)),
        ("10/s", Rate(10, 1.0)),
        ("600/m", Rate(600, 60.0)),
        ("5000/h", Rate(5000, 3600.0)),
        (" 5/m ", Rate(5, 60.0)),
    ],
)
def test_rate(text: str | None, value: Rate | None) -> None:
    """Requests in a second, a minute or an hour; the second is the default."""
    assert values.rate(text) == value


@pytest.mark.parametrize("text", ["", "0", "0/m", "5/d", "-5", "1.5", "5/", "/s", "1e3", "9" * 10])
def test_no_rate(text: str) -> None:
    """Everything else is refused, zero as well."""
    with pytest.raises(InputError) as error:
        values.rate(text)

    assert remedy(error).startswith("--rate: ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("0", Limit(0)),
        ("100", Limit(100)),
        ("20%", Limit(20, percent=True)),
        ("2.5%", Limit(2.5, percent=True)),
        ("0%", Limit(0, percent=True)),
    ],
)
def test_limit(text: str | None, value: Limit | None) -> None:
    """A number of tags, or a share of them."""
    assert values.limit(text) == value


@pytest.mark.parametrize("text", ["", "%", "-1", "1.5", "20 %", "1000%", "\u0663%", "x"])
def test_no_limit(text: str) -> None:
    """Everything else is refused: a limit that is misread would be none."""
    with pytest.raises(InputError) as error:
        values.limit(text)

    assert remedy(error).startswith("--max-delete: ")


@pytest.mark.parametrize("value", Shared)
def test_shared(value: Shared) -> None:
    """Every member is read by its value."""
    assert values.shared(value.value) is value


def test_no_shared() -> None:
    """A mistake is shown with all that could be written."""
    with pytest.raises(InputError) as error:
        values.shared("all")

    assert "'all' is not understood; write one of refuse, untag, delete, delete-unseen" in remedy(error)


@pytest.mark.parametrize(("text", "seconds"), [("0.5", 0.5), ("60", 60.0), (" 5 ", 5.0), ("999999999", 999_999_999.0)])
def test_timeout(text: str, seconds: float) -> None:
    """Any number of seconds above zero."""
    assert values.timeout(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-1", "inf", "nan", "5s", "1m", "500ms", "1,5", "1e3", "1_000", "0x10", "\u0665", "9" * 10]
)
def test_no_timeout(text: str) -> None:
    """Zero, less, for ever, a unit and what is no number are refused, and the message says what to write."""
    with pytest.raises(InputError) as error:
        values.timeout(text)

    assert remedy(error).startswith(f"--timeout: {text!r} is not understood; write a number of seconds")


@pytest.mark.parametrize(
    ("text", "value"),
    [("json=a.json", ("json", Path("a.json"))), ("text=/a/b=c.txt", ("text", Path("/a/b=c.txt")))],
)
def test_report(text: str, value: tuple[str, Path]) -> None:
    """A format, then the first equals sign, then the file."""
    assert values.report(text, ("json", "text")) == value


@pytest.mark.parametrize("text", ["", "json", "json=", "=a.json", "xml=a.xml", "JSON=a.json"])
def test_no_report(text: str) -> None:
    """A missing part or an unknown format is refused, with the formats that there are."""
    with pytest.raises(InputError) as error:
        values.report(text, ("json", "text"))

    assert "write FORMAT=FILE, with a format of json, text" in remedy(error)


@pytest.mark.parametrize("read", [values.concurrency, values.rate, values.limit, values.shared])
def test_long_values_are_cut(read: object) -> None:
    """A message never repeats more of a value than fits on a line."""
    assert callable(read)

    with pytest.raises(InputError) as error:
        read("x" * 5000)

    assert len(remedy(error)) < 250
