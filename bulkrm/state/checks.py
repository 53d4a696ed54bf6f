"""Fields of a record, each of the kind that it has to be. Every function raises ValueError or InputError on others."""

from collections.abc import Mapping
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.reference import is_tag
from bulkrm.model.result.failure import FailureCode

_MOST = 10**12  # more than that nothing of a run is


def text_of(fields: Mapping[str, Any], key: str) -> str:
    """Return a text that is there."""
    value = fields.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key!r} is no text")  # noqa: TRY004 (of what a file says, not of an argument)
    return value


def optional_text_of(fields: Mapping[str, Any], key: str) -> str | None:
    """Return a text; None where there is none."""
    return None if fields.get(key) is None else text_of(fields, key)


def list_of(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of texts; none where there is no list."""
    value = fields.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError(f"{key!r} is no list of texts")
    return tuple(value)


def tags_of(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of tags."""
    found = list_of(fields, key)
    wrong = next((tag for tag in found if not is_tag(tag)), None)
    if wrong is not None:
        raise ValueError(f"{wrong[:160]!r} is no tag")
    return found


def digest_of(fields: Mapping[str, Any], key: str) -> Digest:
    """Return a digest that is there."""
    return Digest(text_of(fields, key))


def number_of(fields: Mapping[str, Any], key: str) -> int | None:
    """Return a whole number that is not negative; None where there is none."""
    value = fields.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"{key!r} is no number of anything")
    return value


def flag_of(fields: Mapping[str, Any], key: str) -> bool:
    """Return a truth value; false where there is none."""
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key!r} is neither true nor false")  # noqa: TRY004 (as above)
    return value


def code_of(fields: Mapping[str, Any], key: str) -> str | None:
    """Return the code of an error; None where there is no error."""
    error = fields.get(key)
    if error is None:
        return None
    if not isinstance(error, dict):
        raise ValueError(f"{key!r} is no error")  # noqa: TRY004 (as above)
    return FailureCode(text_of(error, "code")).value


def why_of(fields: Mapping[str, Any]) -> str:
    """Return why an image has its outcome, for people: code and message of the error, or reason and what it rests on."""
    code = code_of(fields, "error")
    if code is not None:
        return f"{code}: {optional_text_of(fields['error'], 'message') or ''}"
    because = ", ".join(list_of(fields, "because"))
    return ": ".join(word for word in (optional_text_of(fields, "reason"), because) if word)
