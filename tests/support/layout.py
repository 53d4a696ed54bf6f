"""OCI image layouts on disk, which tools such as skopeo can copy from (image-spec image-layout.md)."""

import json
from pathlib import Path
from typing import Any

from bulkrm.sandbox import Image


def write_layout(folder: Path, image: Image, tag: str = "latest") -> str:
    """Write an image with all its parts; return its name for skopeo."""
    folder.mkdir()
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = {
        **_blob(folder, image.content, image.media_type),
        "annotations": {"org.opencontainers.image.ref.name": tag},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    _parts(folder, image)
    return f"oci:{folder}:{tag}"


def _parts(folder: Path, image: Image) -> None:
    for blob in image.blobs:
        _blob(folder, blob, "")
    for child in image.children:
        _blob(folder, child.content, child.media_type)
        _parts(folder, child)


def _blob(folder: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = Image(media_type, content).digest
    path = folder / "blobs" / digest.replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": media_type, "size": len(content), "digest": digest}
