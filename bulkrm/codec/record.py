"""JSON objects as dataclasses: each field is declared once, with its name, its kind and its description.

A record is a value class whose fields are annotated with a `Kind`, and perhaps a description:

    @valueclass
    class Note:
        image: Annotated[str, TEXT, "The reference, in full normal form."]
        line: Annotated[int | None, optional(NUMBER)] = None

`to_json` writes a record in the order of its fields, `from_json` reads it back and names the field of a mistake, and
`schema_of` describes it (JSON Schema draft-07). A field with a default may be missing in a file; one that is also
annotated `OMIT_EMPTY` is not written if it is empty, so that a new field does not change files that do not need it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from bulkrm.model.valueclass import valueclass

T = TypeVar("T")
OMIT_EMPTY = object()


class FieldError(ValueError):
    """A field has a wrong value. `key`: the field, or its path, such as `images[2].note`; `what`: one line."""

    def __init__(self, key: str, what: str) -> None:
        """Make an error whose text is the field's name and `what`, such as `is not a string`."""
        super().__init__(f"{key!r} {what}")
        self.key = key
        self.what = what


@valueclass
class Kind(Generic[T]):
    """A kind of field: its JSON Schema, and how its values are read from JSON and written as JSON.

    `read` raises ValueError with a text that continues the field's name (`is not a string`). `write` None: the value is
    written unchanged.
    """

    schema: Mapping[str, Any]
    read: Callable[[Any], T]
    write: Callable[[T], Any] | None = None


@valueclass
class _Field:
    key: str
    kind: Kind[Any]
    required: bool
    omit_empty: bool
    description: str | None


_KNOWN: dict[type[Any], tuple[_Field, ...]] = {}


def _fields_of(record: type[Any]) -> tuple[_Field, ...]:
    if record not in _KNOWN:
        hints = get_type_hints(record, include_extras=True)
        _KNOWN[record] = tuple(
            _field(
                entry.name, hints[entry.name], required=entry.default is MISSING and entry.default_factory is MISSING
            )
            for entry in fields(record)
        )
    return _KNOWN[record]


def _field(key: str, hint: Any, *, required: bool) -> _Field:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"the field {key} of a record has no kind")
    _, kind, *extras = get_args(hint)
    description = next((extra for extra in extras if isinstance(extra, str)), None)
    return _Field(key, kind, required, OMIT_EMPTY in extras, description)


@valueclass
class _Writer:
    """How the records of one class are written; made once for it, since a report may have hundreds of thousands of them.

    `omitted`: the keys that are left out if they are empty; `written`: those whose values are not written unchanged.
    """

    keys: tuple[str, ...]
    omitted: tuple[str, ...]
    written: tuple[tuple[str, Callable[[Any], Any]], ...]


_WRITERS: dict[type[Any], _Writer] = {}


def _writer_of(record: type[Any]) -> _Writer:
    known = _fields_of(record)
    written = tuple((field.key, field.kind.write) for field in known if field.kind.write is not None)
    omitted = tuple(field.key for field in known if field.omit_empty)
    writer = _WRITERS[record] = _Writer(tuple(field.key for field in known), omitted, written)
    return writer


def to_json(record: Any) -> dict[str, Any]:
    """Return a record as a JSON object, its keys in the order of the fields."""
    writer = _WRITERS.get(type(record)) or _writer_of(type(record))
    found = {key: getattr(record, key) for key in writer.keys}
    for key in writer.omitted:
        if not found[key]:
            del found[key]
    for key, write in writer.written:
        if key in found:
            found[key] = write(found[key])
    return found


def from_json(record: type[T], found: Mapping[str, Any]) -> T:
    """Parse a JSON object into a record; keys that the record does not have are ignored. Raises FieldError."""
    values: dict[str, Any] = {}
    for field in _fields_of(record):
        if field.key in found:
            try:
                values[field.key] = field.kind.read(found[field.key])
            except FieldError as error:
                inner = error.key if error.key.startswith("[") else f".{error.key}"
                raise FieldError(f"{field.key}{inner}", error.what) from error
            except ValueError as error:
                raise FieldError(field.key, str(error)) from error
        elif field.required:
            raise FieldError(field.key, "is missing")
    return record(**values)


def schema_of(record: type[Any], description: str) -> dict[str, Any]:
    """Return the JSON Schema of a record; it allows no other keys."""
    known = _fields_of(record)
    return {
        "type": "object",
        "description": description,
        "properties": {field.key: _described(field) for field in known},
        "required": [field.key for field in known if not field.omit_empty],
        "additionalProperties": False,
    }


def _described(field: _Field) -> dict[str, Any]:
    description = {"description": field.description} if field.description is not None else {}
    return {**field.kind.schema, **description}
