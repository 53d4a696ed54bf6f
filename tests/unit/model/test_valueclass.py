"""Values: equal by their fields, without further attributes, and never changed."""

from dataclasses import field, fields, replace

import pytest

from bulkrm.model.valueclass import valueclass


@valueclass
class Point:
    """A value."""

    x: int
    y: int = 0
    note: str = field(default="", compare=False)


@valueclass
class Named(Point):
    """A value with one field more, and a hash of its own."""

    name: str = ""

    def __hash__(self) -> int:
        """Hash the name alone."""
        return hash(self.name)


@valueclass(slots=False)
class Left:
    """One of two classes that a third one has as its bases."""

    left: int = 1


@valueclass(slots=False)
class Right:
    """The other one."""

    right: int = 2


@valueclass(kw_only=True)
class Both(Left, Right):
    """The third one, whose fields are given by name."""

    both: int


def test_equal_fields_make_equal_values() -> None:
    """Values of one class with equal fields are equal and have one hash; a field that is not compared does not count."""
    assert Point(1, 2, "a") == Point(1, 2, "b") != Point(2, 1)
    assert len({Point(1, 2), Point(1, 2, "b"), Point(2, 1)}) == 2


def test_own_hash() -> None:
    """A class that hashes in its own way goes on doing so."""
    assert hash(Named(1, name="n")) == hash("n")
    assert Named(1, name="n") != Named(2, name="n")


def test_no_further_attributes() -> None:
    """There is no attribute beside the fields, so that a wrong name is an error and many values need little memory."""
    with pytest.raises(AttributeError):
        object.__setattr__(Point(1), "z", 3)
    assert not hasattr(Point(1), "__dict__")


def test_they_are_dataclasses() -> None:
    """What works with dataclasses works with them: fields, copies with another field, patterns."""
    assert [entry.name for entry in fields(Point)] == ["x", "y", "note"]
    assert replace(Point(1), y=5) == Point(1, 5)
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_several_bases() -> None:
    """Classes without slots can be inherited from together; `kw_only` wants the fields by their names."""
    made = Both(left=3, both=4)
    assert (made.left, made.right, made.both) == (3, 2, 4)


def test_a_type_checker_refuses_changes() -> None:
    """mypy reports an assignment to a field, a wrong argument and a wrong replacement: it finds these ignores needed."""
    point = Point(1)
    point.x = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        replace(point, z=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
