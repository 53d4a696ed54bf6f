"""`docker inspect`: a list of containers or images.

A container has the ID of its image in `Image`, and the name that it was started with in `Config.Image`; an image has its
names in `RepoTags` and `RepoDigests` (Docker Engine API, ContainerInspect and ImageInspect).
"""

from collections.abc import Iterator
from typing import Any

from bulkrm.selection.in_use.reader import Document, InUseReader, items, mapping, texts


def _is_inspected(entry: dict[str, Any]) -> bool:
    return "Id" in entry and ("Config" in entry or "RepoTags" in entry)


def _fits(document: Document) -> bool:
    found = [document] if isinstance(document, dict) else items(document)
    return bool(found) and all(map(_is_inspected, found))


def _images(document: Document) -> Iterator[str]:
    for entry in [document] if isinstance(document, dict) else items(document):
        if "RepoTags" in entry or "RepoDigests" in entry:
            yield from texts(entry.get("Id"))
            for key in ("RepoTags", "RepoDigests"):
                yield from texts(*(entry.get(key) or []))
        else:
            yield from texts(entry.get("Image"), mapping(entry, "Config").get("Image"))
            yield from texts(mapping(entry, "ImageManifestDescriptor").get("digest"))


READER = InUseReader("docker inspect", _fits, _images)
