"""Compose files: `image` of each service (compose-spec 05-services.md)."""

from collections.abc import Iterator

from bulkrm.selection.in_use.reader import Document, InUseReader, mapping, texts


def _fits(document: Document) -> bool:
    return isinstance(document, dict) and isinstance(document.get("services"), dict) and "kind" not in document


def _images(document: Document) -> Iterator[str]:
    for service in mapping(document, "services").values():
        yield from texts(mapping(service).get("image"))


READER = InUseReader("a compose file", _fits, _images)
