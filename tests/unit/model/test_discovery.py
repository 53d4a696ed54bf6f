"""Extensions are files."""

from pathlib import Path

import pytest

from bulkrm.model.extensions.discovery import discover


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package without modules; its name is that of the folder."""
    folder = tmp_path / f"extensions_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_files_are_found(package: Path) -> None:
    """Every module with the constant is found, in the order of their names; one without is passed over."""
    (package / "zebra.py").write_text("WORD = 'z'\n")
    (package / "ant.py").write_text("WORD = 'a'\n")
    (package / "helper.py").write_text("OTHER = 'h'\n")

    assert discover(package.name, "WORD", str) == ("a", "z")


def test_a_wrong_constant(package: Path) -> None:
    """A constant that is something else is an error that names the file."""
    (package / "ant.py").write_text("WORD = 5\n")

    with pytest.raises(TypeError, match=rf"{package.name}\.ant\.WORD is not of type str"):
        discover(package.name, "WORD", str)


def test_an_empty_package(package: Path) -> None:
    """A package without modules has no extensions."""
    assert discover(package.name, "WORD", str) == ()
