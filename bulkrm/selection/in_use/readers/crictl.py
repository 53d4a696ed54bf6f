"""`crictl images -o json` and `crictl ps -o json`: the messages of CRI's ListImages and ListContainers as JSON.

Source: kubernetes/cri-api pkg/apis/runtime/v1/api.proto. Image has id, repoTags and repoDigests; Container has image,
imageRef and imageId.
"""

from collections.abc import Iterator

from bulkrm.selection.in_use.reader import Document, InUseReader, items, mapping, texts


def _fits(document: Document) -> bool:
    return (
        isinstance(document, dict)
        and "kind" not in document
        and bool({"images", "containers"} & set(document))
        and all(isinstance(document[key], list) for key in ("images", "containers") if key in document)
    )


def _images(document: Document) -> Iterator[str]:
    for image in items(document.get("images")):
        yield from texts(image.get("id"))
        for key in ("repoTags", "repoDigests"):
            yield from texts(*(image.get(key) or []))
    for container in items(document.get("containers")):
        yield from texts(container.get("imageRef"), container.get("imageId"))
        yield from texts(
            mapping(container, "image").get("image"), mapping(container, "image").get("userSpecifiedImage")
        )


READER = InUseReader("crictl images -o json", _fits, _images)
