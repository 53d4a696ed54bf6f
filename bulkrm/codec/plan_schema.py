"""The JSON Schema of a saved plan: what `apply` holds a file to, and the documentation of its fields."""

from collections.abc import Iterable
from typing import Any

from bulkrm.codec.plan_document import FORMAT, VERSION
from bulkrm.model.manifest import MEDIA_TYPES
from bulkrm.model.plan import Order, UntagMethod
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.result.outcome import KeptReason, NotAttemptedReason
from bulkrm.model.settings import Shared, Strategy

_DIGEST = r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"


def plan_schema() -> dict[str, Any]:
    """Return the schema (draft-07) of version 1."""
    top = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION, "description": "Grows with every change that an older bulkrm could misread."},
        "options": _options(),
        "repositories": _list(_object(_repository(), "One repository. Sorted by name."), "What the plan is about."),
        "unmatched": _list(_object(_unmatched(), "One pattern."), "Patterns of the list that lead to no image."),
        "totals": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "Numbers for people. `requests` and `tags_removed` of carrying it out, `bytes_freed_at_most` "
            "an upper bound: blobs that kept images share count too. Nothing is checked against them.",
        },
    }
    schema = _object(top, "What `bulkrm plan --out` writes and `bulkrm apply` reads.")
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "A saved plan of bulkrm", **schema}


def _options() -> dict[str, Any]:
    always = _always()
    damaged = "Damaged tags that hold nothing back, as patterns. Only there if there are any."
    schema = _object(
        {**always, "ignore_unreadable": _list({"type": "string"}, damaged), **_conditions()},
        "What the plan was made with, and is judged again with.",
    )
    return {**schema, "required": list(always)}


def _conditions() -> dict[str, Any]:
    """Return the fields of conditions: they are only there if there are any."""
    entry = {
        "type": "object",
        "description": "One entry of a list that has conditions, with its keys as the list has them.",
        "properties": {"image": {"type": "string"}, "source": {"type": "string"}},
        "required": ["image", "source"],
    }
    return {
        "conditions": _list(entry, "Entries with conditions. Images name them by their number, from 0."),
        "in_use": _list({"type": "string"}, "References of what is in use, with which nothing goes."),
        "min_keep": {"type": "integer", "minimum": 1, "description": "So many tagged images of each repository stay."},
    }


def _always() -> dict[str, Any]:
    return {
        "shared": _one_of(Shared, "What happens to a digest that has tags outside the list."),
        "recursive": _flag("Children and referrers go too."),
        "allow_decoy": _flag("Tags may be overwritten to get rid of them."),
        "max_delete": {
            "type": ["string", "null"],
            "pattern": r"^[0-9]{1,9}$|^[0-9.]{1,20}(e[+-]?[0-9]{1,3})?%?(,[0-9.]{1,20}%)?$",
            "description": "The limit of --max-delete: a number, a share in percent, or both.",
        },
        "fail_fast": _flag("Stop at the first failure."),
        "strategy": _one_of(Strategy, "Whether tags go before their manifests."),
        "verify": _flag("Look afterwards whether everything that was to stay is as it was."),
        "protect": _list({"type": "string"}, "The protect patterns, of the list files too."),
    }


def _repository() -> dict[str, Any]:
    return {
        "repository": {"type": "string", "description": "host/path, in normal form."},
        "tags_seen": {"type": ["integer", "null"], "minimum": 0, "description": "How many tags it has, if known."},
        "strategy": _one_of(
            Order,
            "The order of requests: manifests by digest; tags and then manifests; or one decoy over all these tags, its "
            "DELETE, and then manifests. It is decided anew when the plan is carried out.",
        ),
        "requests": {"type": "integer", "minimum": 0, "description": "How many carrying it out sends."},
        "manifests": _list(_object(_manifest(), "One manifest. Sorted by digest."), "The manifests that are named."),
        "settled": _list(_bound(_settled()), "Images that lead to nothing that could be deleted."),
    }


def _manifest() -> dict[str, Any]:
    return {
        "digest": _digest("The manifest."),
        "verdict": {
            "enum": ["delete", "untag", "keep", "fail"],
            "description": "delete: it goes with all its tags; untag: `images` go, it stays; keep, fail: nothing is done.",
        },
        **_why([reason.value for reason in KeptReason]),
        "way": {
            "enum": [*(untag_method.value for untag_method in UntagMethod), None],
            "description": "untag: by DELETE of the tag, or by a decoy that is pushed over it.",
        },
        "media_type": {"enum": list(MEDIA_TYPES)},
        "size": {"type": "integer", "minimum": 0, "description": "Of the manifest, in bytes."},
        "tags": _list({"type": "string"}, "All tags seen on it, listed or not."),
        "also_removed": {
            "type": ["array", "null"],
            "items": {"type": "string"},
            "description": "Tags outside the list that go with it; null: they were not read.",
        },
        "parents": _list(_digest("A manifest."), "What goes before it, and has to be gone: indexes above it and such."),
        "leaves": _list({"type": "string"}, "What nothing needs any more once it is gone, and yet stays."),
        "images": {**_list(_bound(_image()), "The images of the list that lead to it."), "minItems": 1},
    }


def _bound(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an image, which may name the entries with conditions that it is bound by."""
    number = {"type": "integer", "minimum": 0}
    bound = _list(number, "The entries with conditions that name it, where no other entry does.")
    return {**_object({**fields, "bound": bound}, "One image."), "required": list(fields)}


def _image() -> dict[str, Any]:
    return {
        "image": {"type": "string", "description": "The reference, in full normal form."},
        "source": {"type": ["string", "null"], "description": "Where the list names it."},
        "note": {"type": ["string", "null"], "description": "The note of its entry in the list."},
        "parent": {"type": ["string", "null"], "description": "What it belongs to, if the list does not name it."},
    }


def _settled() -> dict[str, Any]:
    reasons = ["no-repository", *(reason.value for reason in KeptReason)]
    status = {
        "enum": ["absent", "failed", "kept", "would-delete"],
        "description": "would-delete: a tag that is listed and leads to no manifest; the tag goes, and cannot be put back.",
    }
    return {**_image(), "status": status, **_why(reasons)}


def _unmatched() -> dict[str, Any]:
    return {
        "pattern": {"type": "string"},
        "source": {"type": "string"},
        "note": {"type": ["string", "null"]},
        "status": {"enum": ["no-match", "failed", "not-attempted"]},
        **_why([reason.value for reason in NotAttemptedReason]),
    }


def _why(reasons: Iterable[str]) -> dict[str, Any]:
    error = {
        "code": {"enum": [code.value for code in FailureCode]},
        "message": {"type": "string"},
        "status": {"type": ["integer", "null"], "description": "The HTTP status, if there was an answer."},
        "hint": {"type": ["string", "null"]},
        "reach": {"enum": [reach.value for reach in Reach]},
    }
    return {
        "reason": {"enum": [*reasons, None], "description": "Why it is kept or not there."},
        "because": _list({"type": "string"}, "What the reason rests on: tags, an index, a pattern."),
        "error": {"anyOf": [{"type": "null"}, _object(error, "Why it failed.")]},
    }


def _object(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def _digest(description: str) -> dict[str, Any]:
    return {"type": "string", "pattern": _DIGEST, "description": description}


def _flag(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


def _one_of(words: Iterable[str], description: str) -> dict[str, Any]:
    return {"enum": [str(word) for word in words], "description": description}
