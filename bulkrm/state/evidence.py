"""Checks by its digest that a manifest in an archive is the one that the registry sent.

The digest of a signed schema 1 manifest does not cover the signatures (distribution v2.8.2, manifest/schema1/manifest.go:
`Canonical`). The signed payload can be reconstructed from the bytes: each signature has a `protected` header with the
number of bytes before the signatures (`formatLength`) and the text after them (`formatTail`), as libtrust writes it
(github.com/docker/libtrust, jsonsign.go: `Payload`).
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.manifests.manifest import SCHEMA1_TYPES, Manifest, is_media_type

_SCHEMA_1 = 1
_NO_MANIFEST = "the line is not a manifest"


def archived(fields: Mapping[str, object]) -> Manifest:
    """Return the manifest of a line of an archive. Raises ValueError if its bytes do not have its digest."""
    digest, media_type, text = fields["digest"], fields["media_type"], fields["content"]
    if not isinstance(digest, str) or not is_digest(digest) or not isinstance(text, str):
        raise ValueError(_NO_MANIFEST)
    if not isinstance(media_type, str) or not is_media_type(media_type):
        raise ValueError("it has no media type")
    content, proven = text.encode("utf-8", "surrogateescape"), Digest(digest)
    if Digest.of(content, proven.algorithm) != proven and not _is_signed(content, media_type, proven):
        raise ValueError(f"{proven} has other bytes")
    return Manifest(proven, media_type, content)


def _is_signed(content: bytes, media_type: str, digest: Digest) -> bool:
    """Tell whether this is a signed schema 1 manifest whose signed part has the digest."""
    if media_type not in SCHEMA1_TYPES:
        return False
    return any(Digest.of(payload, digest.algorithm) == digest for payload in _payloads(content))


def _payloads(content: bytes) -> Iterator[bytes]:
    """Yield the payload of each signature of a schema 1 manifest; the signatures themselves are not verified."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict) or body.get("schemaVersion") != _SCHEMA_1:
        return
    signatures = body.get("signatures")
    for signature in signatures if isinstance(signatures, list) else ():
        protected = signature.get("protected") if isinstance(signature, dict) else None
        payload = _payload(content, protected) if isinstance(protected, str) else None
        if payload is not None:
            yield payload


def _payload(content: bytes, protected: str) -> bytes | None:
    try:
        header: Any = json.loads(_unpadded(protected))
        length, tail = header["formatLength"], _unpadded(header["formatTail"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return content[:length] + tail if type(length) is int and 0 <= length <= len(content) else None


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
