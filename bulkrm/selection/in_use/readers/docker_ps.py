"""`docker ps --format json`: a JSON object a line, whose `Image` is the name that the container was started with."""

from collections.abc import Iterator

from bulkrm.selection.in_use.reader import Document, InUseReader, texts


def _fits(document: Document) -> bool:
    return isinstance(document, dict) and isinstance(document.get("Image"), str) and "Names" in document


def _images(document: Document) -> Iterator[str]:
    yield from texts(document.get("Image"), document.get("ImageID"))


READER = InUseReader("docker ps --format json", _fits, _images)
