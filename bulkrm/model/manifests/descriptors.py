"""The descriptors of a manifest: the digests that it names, with the media types that any JSON parser could read.

Registries are written in Go, whose parser takes the last of two equal keys, ignores the case of keys, and replaces
invalid UTF-8 (encoding/json). A digest that only that parser finds is needed as well, so all readings are combined.
"""

import json
import re
from typing import Any

from bulkrm.model.digest import Digest, is_digest


class JsonPairs(tuple[tuple[str, Any], ...]):
    """A JSON object as a list of pairs, duplicates included."""

    __slots__ = ()

    def values_of(self, key: str) -> list[Any]:
        """Return the values of `key` and of all keys that differ from it in case only."""
        return [value for name, value in self if name == key or name.casefold() == key.casefold()]


def parse_pairs(content: bytes) -> Any:
    """Parse JSON as Go does: invalid UTF-8 becomes the replacement character. None: the content is not JSON."""
    try:
        return json.loads(content.decode(errors="replace"), object_pairs_hook=JsonPairs)
    except (ValueError, RecursionError):
        return None


def descriptors(body: JsonPairs, key: str) -> list[tuple[Digest, list[Any]]] | None:
    """Return the digests under a key, each with all its media types ("" where it has none).

    None: the value is malformed, so it is not known which digests it names.
    """
    found: list[tuple[Digest, list[Any]]] = []
    for value in body.values_of(key):
        entries = [value] if isinstance(value, JsonPairs) and key == "config" else value
        if entries is not None and not isinstance(entries, list):
            return None
        for entry in entries or ():
            named = entry.values_of("digest") if isinstance(entry, JsonPairs) else []
            if not named or not all(isinstance(name, str) and _may_be_digest(name) for name in named):
                return None
            kinds = [kind if isinstance(kind, str) else "" for kind in entry.values_of("mediaType")] or [""]
            found += [(Digest(name), kinds) for name in named if is_digest(name)]
    return found


# image-spec descriptor.md: digests of unregistered algorithms are well-formed. bulkrm never deletes by one.
_ALGORITHM = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*")
_ENCODED = re.compile(r"[a-zA-Z0-9=_-]+")


def _may_be_digest(text: str) -> bool:
    algorithm, _, encoded = text.partition(":")
    if algorithm in ("sha256", "sha512"):
        return is_digest(text)
    return _ALGORITHM.fullmatch(algorithm) is not None and _ENCODED.fullmatch(encoded) is not None
