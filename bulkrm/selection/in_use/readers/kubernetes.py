"""Kubernetes objects: pods, objects with a pod template, lists of them, and rendered manifests.

Fields as in the API reference of `core/v1` (Pod, PodTemplateSpec) and `batch/v1` (CronJob). The specification has an image
as the user named it, the status as the node resolved it.
"""

from collections.abc import Iterator
from typing import Any

from bulkrm.selection.in_use.reader import Document, InUseReader, items, mapping, texts

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def _fits(document: Document) -> bool:
    return isinstance(document, dict) and isinstance(document.get("kind"), str) and "apiVersion" in document


def _images(document: Document) -> Iterator[str]:
    if str(document.get("kind")).endswith("List") and isinstance(document.get("items"), list):
        for entry in items(document["items"]):
            yield from _images(entry)
        return
    yield from _of_specs(document.get("spec"))
    # PodTemplate and some other objects have their template beside `spec`.
    yield from _of_specs(document.get("template"))
    status = mapping(document, "status")
    for key in _STATUSES:
        for container in items(status.get(key)):
            yield from texts(container.get("image"), container.get("imageID"))


def _of_specs(value: Any) -> Iterator[str]:
    """Yield the images of a specification and of nested ones: pod templates, job templates, custom resources."""
    for entry in value if isinstance(value, list) else [value]:
        for key, inner in entry.items() if isinstance(entry, dict) else ():
            yield from _of_field(key, inner)


def _of_field(key: str, value: Any) -> Iterator[str]:
    if key in _CONTAINERS:
        for container in items(value):
            yield from texts(container.get("image"))
    elif key == "volumes":
        for volume in items(value):
            yield from texts(mapping(volume, "image").get("reference"))
    elif isinstance(value, dict | list):
        yield from _of_specs(value)


READER = InUseReader("Kubernetes objects", _fits, _images)
