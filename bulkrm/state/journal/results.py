"""What became of an image in an earlier part of a run, read back from the journal."""

from collections.abc import Mapping
from typing import Any

from bulkrm.codec.report_fields import result
from bulkrm.model.errors import InputError
from bulkrm.model.manifest import is_media_type
from bulkrm.model.reference import parse_reference
from bulkrm.model.result.report import ImageResult
from bulkrm.state.checks import digest_of, list_of, optional_text_of, text_of

_NOTHING: Mapping[str, Any] = {
    "also_removed": [],
    "because": [],
    "reason": None,
    "digest": None,
    "media_type": None,
    "parent": None,
}


def result_of(fields: Mapping[str, Any]) -> ImageResult:
    """Read a final result, every field checked. Raises ValueError or InputError."""
    list_of(fields, "because")
    for name in (*list_of(fields, "also_removed"), *_parent(fields)):
        _check_reference(name)
    if fields.get("digest") is not None:
        digest_of(fields, "digest")
    media_type = optional_text_of(fields, "media_type")
    if media_type is not None and not is_media_type(media_type):
        raise ValueError("'media_type' is no media type")
    optional_text_of(fields, "reason")
    return result({**_NOTHING, **fields})


def _parent(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return () if fields.get("parent") is None else (text_of(fields, "parent"),)


def _check_reference(name: str) -> None:
    try:
        parse_reference(name)
    except InputError as error:
        raise ValueError(error.problems[0].what) from error
