"""Parses a file of images in use. A file with a part of unknown format is refused: that part may name an image in use."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import HTTPS_PORT, mask_credentials
from bulkrm.selection.in_use.reader import Document, readers
from bulkrm.selection.in_use.references import normal_reference
from bulkrm.selection.listfile.plain import is_plain, plain_lines

MAX_SIZE = 256 * 2**20
_MAX_NODES = 10_000_000  # with aliases written out, a short text can stand for more nodes than fit into memory
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KNOWN = (
    "give what `kubectl get pods -A -o json`, `docker ps --format json`, `docker inspect` or `crictl images -o json` "
    "prints, a compose file, rendered manifests, or one reference a line"
)
_UNNAMED = frozenset({"<none>:<none>", "<none>", "<none>@<none>"})  # how docker writes an image without a name
_SHOWN = 160


def read_in_use(content: bytes, name: str, default_port: int = HTTPS_PORT) -> tuple[str, ...]:
    """Return the references of a file in their normal form, sorted, each once. Raises InputError with one Problem."""
    if len(content) > MAX_SIZE:
        _refuse(name, f"is larger than {MAX_SIZE} bytes", "cut it into several files")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(name, "is not UTF-8", "save the file as text in UTF-8")
    if not text.strip():
        _refuse(name, "is empty, so it would keep nothing", _KNOWN)
    found: dict[str, None] = {}
    for image in _images(text, name):
        if image in _UNNAMED:
            continue
        reference = normal_reference(image, default_port)
        if reference is None:
            shown = mask_credentials(image)[:_SHOWN]
            _refuse(name, f"names {shown!r}, which is not an image reference", "render templates and variables first")
        found[reference] = None
    if not found:
        _refuse(name, "names no image, so it would keep nothing", _KNOWN)
    return tuple(sorted(found))


def _images(text: str, name: str) -> Iterator[str]:
    if text.lstrip().startswith(("{", "[")):
        documents = _json(text, name)
    elif is_plain(text, name):
        yield from (line.text for line in plain_lines(text))
        return
    else:
        documents = _yaml(text, name)
    for number, document in enumerate(documents, 1):
        if document is None:
            continue
        shape = next((shape for shape in readers() if shape.fits(document)), None)
        if shape is None:
            _refuse(name, f"has an unknown format, in its document {number}", _KNOWN)
        yield from shape.images(document)


def _json(text: str, name: str) -> Iterator[Document]:
    """Yield the JSON values of a text: one, or several in a row."""
    decoder = json.JSONDecoder()
    at = 0
    try:
        while at < len(text):
            while at < len(text) and text[at].isspace():
                at += 1
            if at < len(text):
                document, at = decoder.raw_decode(text, at)
                yield document
    except (ValueError, RecursionError) as error:
        _refuse(name, f"is not JSON: {error}", "was the file cut off?")


def _yaml(text: str, name: str) -> Iterator[Document]:
    try:
        for document in yaml.load_all(text, Loader=_LOADER):
            if _size(document, {}, set()) > _MAX_NODES:
                _refuse(name, "is too large once its aliases are written out", "write it without aliases")
            yield document
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        _refuse(name, f"is not readable as YAML: {' '.join(str(error).split())[:_SHOWN]}", _KNOWN)


def _size(node: Any, known: dict[int, int], open_: set[int]) -> int:
    """Count the nodes of a tree with every alias written out; a node that contains itself counts as too many."""
    if not isinstance(node, dict | list):
        return 1
    if id(node) in open_:
        return _MAX_NODES + 1
    if id(node) not in known:
        open_.add(id(node))
        inner = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_size(value, known, open_) for value in inner)
        open_.discard(id(node))
    return known[id(node)]


def _refuse(name: str, what: str, remedy: str) -> NoReturn:
    raise InputError(Problem(name, f"this file of images in use {what}", remedy))
