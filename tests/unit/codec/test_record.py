"""Records: one description of fields, from which writing, reading and the schema follow."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

import jsonschema
import pytest

from bulkrm.codec.journal_events import Intent, IntentKind, PartEnded, UndoEnded, Undone, event_fields, parse_event
from bulkrm.codec.kinds import DIGEST, FLAG, NUMBER, TAGS, TEXT, optional, record_of, tuple_of, word_of
from bulkrm.codec.record import OMIT_EMPTY, FieldError, from_json, schema_of, to_json
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository

ONE = Digest.of(b"one")


@dataclass(frozen=True)
class _Part:
    name: Annotated[str, TEXT, "What it is called."]
    size: Annotated[int | None, optional(NUMBER)] = None


@dataclass(frozen=True)
class _Thing:
    digest: Annotated[Digest, DIGEST]
    color: Annotated[str, word_of("red", "green")]
    part: Annotated[_Part | None, optional(record_of(_Part, "A part."))]
    parts: Annotated[tuple[_Part, ...], tuple_of(record_of(_Part, "A part."))] = ()
    tags: Annotated[tuple[str, ...], TAGS, OMIT_EMPTY] = ()
    good: Annotated[bool, FLAG] = False


@pytest.mark.parametrize(
    "thing",
    [
        _Thing(ONE, "red", None),
        _Thing(ONE, "green", _Part("a", 5), (_Part("b"), _Part("c", 0)), ("1.0",), good=True),
    ],
)
def test_what_is_written_is_read_back(thing: _Thing) -> None:
    """A record comes back equal, and what it is written as satisfies its schema."""
    written = to_json(thing)

    assert from_json(_Thing, written) == thing
    jsonschema.validate(written, schema_of(_Thing, "A thing."))


def test_keys_have_the_order_of_the_fields() -> None:
    """The text of a record is the same every time; an empty field that is to be omitted is not there."""
    assert list(to_json(_Thing(ONE, "red", None))) == ["digest", "color", "part", "parts", "good"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"digest": "sha256:x"}, "digest"),
        ({"digest": None}, "digest"),
        ({"color": "blue"}, "color"),
        ({"color": []}, "color"),
        ({"part": {"size": 1}}, "part.name"),
        ({"part": {"name": "a", "size": -1}}, "part.size"),
        ({"part": 5}, "part"),
        ({"parts": [{"name": "a"}, {"name": 5}]}, "parts[1].name"),
        ({"parts": {}}, "parts"),
        ({"tags": ["../x"]}, "tags"),
        ({"good": 1}, "good"),
    ],
)
def test_a_mistake_is_named_by_its_field(change: dict[str, Any], key: str) -> None:
    """The error says which field is wrong, also inside of another one."""
    with pytest.raises(FieldError, match=re.escape(key)) as error:
        from_json(_Thing, {**to_json(_Thing(ONE, "red", None)), **change})

    assert error.value.key == key


def test_a_missing_field() -> None:
    """A field without a default has to be there."""
    with pytest.raises(FieldError, match="'color' is missing"):
        from_json(_Thing, {"digest": ONE, "part": None})


@pytest.mark.parametrize(
    "event",
    [
        Intent(IntentKind.REMOVE_AHEAD, Repository("reg.example", "app"), ONE, ("a", "b")),
        PartEnded(130, {"deleted": 2, "not_attempted": 1}, 3, declined=True, standing=Undone.NO),
        PartEnded(),
        UndoEnded(everything=False, standing=Undone.PARTLY, ended=PartEnded(1)),
        UndoEnded(everything=True),
    ],
)
def test_events_come_back(event: Intent | PartEnded | UndoEnded) -> None:
    """An event that is written to a journal is read as the same value."""
    assert parse_event(event_fields(event)) == event
