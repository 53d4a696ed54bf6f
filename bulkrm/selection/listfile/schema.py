"""The JSON Schema of the list file (draft 2020-12), for editors that complete and check it."""

from typing import Any

from bulkrm.selection.found_selectors import keys
from bulkrm.selection.selector import KeyLevel

# YAML parsers of editors return numbers and booleans where bulkrm reads text: `1.10`, `on`.
_SCALAR = {"type": ["string", "number", "boolean"]}
_REFERENCE = {
    "title": "Reference or glob",
    "description": "[host/]repository:tag, [host/]repository@sha256:..., or a pattern: * and ? stop at /, ** crosses it, "
    "[a-z], {a,b}. A pattern that starts with * needs quotes. The host is never a pattern.",
    "type": "string",
    "minLength": 1,
    "examples": ["registry.example.com/team/app:pr-41", "registry.example.com/team/app:pr-*"],
}
_ENTRY = {
    "title": "Image with details",
    "type": "object",
    "properties": {
        "image": {
            **_REFERENCE,
            "title": "Image",
            "description": "A reference or a glob; with `tags`, `match` or `untagged` beside it, only the repository.",
        },
        "tags": {
            "title": "Tags",
            "description": "Exact tags or patterns of tags, all of the repository in `image`. Values are text: 1.10 stays "
            "1.10.",
            "type": "array",
            "items": _SCALAR,
            "minItems": 1,
        },
        "exclude": {
            "title": "Tags to leave out",
            "description": "Patterns of tags that the patterns of this entry do not choose.",
            "type": "array",
            "items": _SCALAR,
        },
        **{key.name: dict(key.schema) for key in keys(KeyLevel.ENTRY).values()},
        "note": {
            "title": "Note",
            "description": "Shown with the image in every report.",
            **_SCALAR,
        },
    },
    "required": ["image"],
    "additionalProperties": False,
}
_IMAGES = {
    "title": "Images",
    "description": "What to delete.",
    "type": "array",
    "items": {"anyOf": [{"$ref": "#/$defs/reference"}, {"$ref": "#/$defs/entry"}]},
    "minItems": 1,
}
_LONG_FORM = {
    "title": "List with settings",
    "type": "object",
    "properties": {
        "registry": {
            "title": "Registry",
            "description": "The host, host[:port], of the references of this file that have none.",
            "type": "string",
            "minLength": 1,
            "examples": ["registry.example.com", "localhost:5000"],
        },
        "protect": {
            "title": "Protected tags",
            "description": "Patterns, [host/]repository:tag, of what is never deleted, in the whole run. Without a host "
            "they hold on every host; a repository without / is the last component of any path.",
            "type": "array",
            "items": {"type": "string", "minLength": 3},
            "examples": [["*:latest", "**/prod-*:*"]],
        },
        **{key.name: dict(key.schema) for key in keys(KeyLevel.FILE).values()},
        "images": {"$ref": "#/$defs/images"},
    },
    "required": ["images"],
    "additionalProperties": False,
}


def list_file_schema() -> dict[str, Any]:
    """Return the schema. It is looser than the parser, which alone knows whether a text is a reference."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bulkrm list file",
        "description": "Container images to delete: a list of references and globs, or a mapping with settings and the list.",
        "anyOf": [{"$ref": "#/$defs/images"}, {"$ref": "#/$defs/long"}],
        "$defs": {"reference": _REFERENCE, "entry": _ENTRY, "images": _IMAGES, "long": _LONG_FORM},
    }
