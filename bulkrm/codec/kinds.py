"""The kinds of fields in plans, journals and records of runs. Each checks every value that it reads: files can be edited."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from bulkrm.codec.record import FieldError, Kind, from_json, schema_of, to_json
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifests.manifest import is_media_type
from bulkrm.model.reference import (
    HTTP_PORT,
    HTTPS_PORT,
    Reference,
    Repository,
    is_tag,
    parse_reference,
    parse_repository,
)

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)
_MOST = 10**12  # no number in a record is larger
# The port of a host without one is 443, or 80 with --plain-http, and the record does not say which it was.
_DEFAULT_PORTS = (HTTPS_PORT, HTTP_PORT)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a string")  # noqa: TRY004 (of what a file says, not of an argument)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")  # noqa: TRY004 (as above)
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError("is not a count")
    return value


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("is not an object")  # noqa: TRY004 (as above)
    return value


def _tag(value: Any) -> str:
    text = _text(value)
    if not is_tag(text):
        raise ValueError(f"has {text[:160]!r}, which is not a tag")
    return text


def _digest(value: Any) -> Digest:
    try:
        return Digest(_text(value))
    except InputError as error:
        raise ValueError(f"is wrong: {error.problems[0].what}") from error


def _media_type(value: Any) -> str:
    text = _text(value)
    if not is_media_type(text):
        raise ValueError("is not a media type")
    return text


def _repository(value: Any) -> Repository:
    return full_repository(_text(value))


@lru_cache(maxsize=256)
def full_repository(text: str) -> Repository:
    """Parse a repository that must be in full normal form. Raises ValueError. Cached: events name the same few often."""
    try:
        for port in _DEFAULT_PORTS:
            repository = parse_repository(text, None, port)
            if str(repository) == text:
                return repository
    except InputError as error:
        raise ValueError(f"is wrong: {error.problems[0].what}") from error
    raise ValueError(f"is {text[:200]!r}, which is not the normal form of a repository")


def full_reference(text: str) -> Reference:
    """Parse a reference that must be in full normal form. Raises ValueError."""
    try:
        for port in _DEFAULT_PORTS:
            reference = parse_reference(text, default_port=port)
            if str(reference) == text:
                return reference
    except InputError as error:
        raise ValueError(error.problems[0].what) from error
    raise ValueError(f"{text[:200]!r} is not the normal form of an image's name")


TEXT = Kind({"type": "string"}, _text)
FLAG = Kind({"type": "boolean"}, _flag)
NUMBER = Kind({"type": "integer", "minimum": 0}, _number)
OBJECT: Kind[Mapping[str, Any]] = Kind({"type": "object"}, _object)
TAG = Kind({"type": "string"}, _tag)
DIGEST = Kind({"type": "string", "pattern": r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"}, _digest)
MEDIA_TYPE = Kind({"type": "string"}, _media_type)
REPOSITORY = Kind({"type": "string"}, _repository, str)


def optional(kind: Kind[T]) -> Kind[T | None]:
    """Return the kind of values that may also be null."""
    write = kind.write

    def read(value: Any) -> T | None:
        return None if value is None else kind.read(value)

    def write_optional(value: T | None) -> Any:
        return None if value is None or write is None else write(value)

    return Kind(_nullable(kind.schema), read, None if write is None else write_optional)


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str) and "properties" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [{"type": "null"}, schema]}


def one_of(words: type[Word]) -> Kind[Word]:
    """Return the kind of values that are one of the words of an enumeration."""

    def read(value: Any) -> Word:
        try:
            return words(_text(value))
        except ValueError:
            raise ValueError(f"is {str(value)[:80]!r}, which is none of {', '.join(words)}") from None

    return Kind({"enum": [word.value for word in words]}, read, str)


def tuple_of(kind: Kind[T]) -> Kind[tuple[T, ...]]:
    """Return the kind of lists of values of another kind; in memory they are tuples."""
    write = kind.write

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError("is not a list")  # noqa: TRY004 (of what a file says, not of an argument)
        return tuple(_entry(kind, number, entry) for number, entry in enumerate(value))

    written = list if write is None else lambda values: list(map(write, values))
    return Kind({"type": "array", "items": dict(kind.schema)}, read, written)


def _entry(kind: Kind[T], number: int, value: Any) -> T:
    try:
        return kind.read(value)
    except FieldError as error:
        raise FieldError(f"[{number}].{error.key}", error.what) from error


def record_of(record: type[T], description: str = "") -> Kind[T]:
    """Return the kind of values that are records of a class. `description`: of the object, for the schema."""

    def read(value: Any) -> T:
        return from_json(record, _object(value))

    return Kind(schema_of(record, description), read, to_json)


def word_of(*words: str) -> Kind[str]:
    """Return the kind of strings that are one of `words`, which have no enumeration."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"is {str(value)[:80]!r}, which is none of {', '.join(words)}")
        return _text(value)

    return Kind({"enum": list(words)}, read)


def described(kind: Kind[T], **schema: Any) -> Kind[T]:
    """Return a kind with further keys in its schema, for instance `description` or `minItems`."""
    return Kind({**kind.schema, **schema}, kind.read, kind.write)


TEXTS = tuple_of(TEXT)
TAGS = tuple_of(TAG)
