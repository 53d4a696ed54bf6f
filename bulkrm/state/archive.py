"""The archive: the manifests of a run, exactly as the registry sent them, so that `undo` can push them again.

It is a gzip file of several members (RFC 1952), each of them JSON lines: `zcat` shows it, and a member that a crash left
incomplete counts as the end. A member has many manifests, because similar texts compress well together.
"""

import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from bulkrm.codec.strict import strict_json
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.state.errors import changed
from bulkrm.state.evidence import archived
from bulkrm.state.files import AppendedFile, failed, open_plain

_MEMBER = 256 * 2**10  # bytes of text after which a member is written
# The last manifest of a member may have 4 MiB, which JSON escapes to six times that size at worst.
_LARGEST = 32 * 2**20
_LEVEL = 3  # manifests are so similar that a higher level saves little
_encode = json.JSONEncoder().encode  # of strings only: a line with three keys is faster assembled by hand


class Archive:
    """An open archive. Added manifests are durable after the next `sync`, which one thread at a time may call."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`, and cut off an incomplete member at its end. Raises StateError."""
        self._known: set[Digest] = set()
        self._pending: list[bytes] = []
        self._size = 0
        self._lock = Lock()  # only one thread at a time writes a member
        self._file = AppendedFile(path)
        try:
            self._file.cut(self._read_digests(path))
        except BaseException:
            self._file.close()
            raise

    def _read_digests(self, path: Path) -> int:
        """Add the digests in the file to the known ones; return the offset at which its last complete member ends."""
        whole = 0
        try:
            with os.fdopen(self._file.file, "rb", closefd=False) as file:
                for end, manifests in _members(path, file):
                    self._known.update(manifest.digest for manifest in manifests)
                    whole = end
        except OSError as error:
            raise failed(path, error) from error
        return whole

    def __contains__(self, digest: Digest) -> bool:
        """Tell whether a manifest was added, by this part of the run or an earlier one."""
        return digest in self._known

    def add(self, manifest: Manifest) -> None:
        """Add a manifest, unless it was added before. Raises StateError where a full member cannot be written."""
        if manifest.digest in self._known:
            return
        self._known.add(manifest.digest)
        # Manifests are UTF-8 by the definition of JSON; surrogateescape preserves the bytes of those that are not.
        text = manifest.content.decode("utf-8", "surrogateescape")
        media_type, content = _encode(manifest.media_type), _encode(text)
        line = f'{{"digest":"{manifest.digest}","media_type":{media_type},"content":{content}}}\n'.encode("ascii")
        with self._lock:
            self._pending.append(line)
            self._size += len(line)
            if self._size >= _MEMBER:
                self._write()

    def sync(self) -> None:
        """Write the added manifests, and wait until they are on disk. Raises StateError."""
        with self._lock:
            self._write()
        self._file.sync()

    def check(self) -> None:
        """Raise StateError if the file was deleted, moved, replaced or truncated."""
        self._file.check()

    def close(self) -> None:
        """Write the added manifests, and close the file. Raises StateError."""
        try:
            with self._lock:
                self._write()
        finally:
            self._file.close()

    def _write(self) -> None:
        text = b"".join(self._pending)
        self._file.append(gzip.compress(text, compresslevel=_LEVEL, mtime=0) if text else b"")
        self._pending, self._size = [], 0


def read_archive(path: Path) -> Iterator[Manifest]:
    """Yield the manifests of an archive, each checked against its digest. Raises StateError if the file is damaged."""
    try:
        with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
            for _, manifests in _members(path, file):
                yield from manifests
    except OSError as error:
        raise failed(path, error) from error


def _members(path: Path, file: io.BufferedReader) -> Iterator[tuple[int, list[Manifest]]]:
    """Yield the offset at which each complete member ends, and its manifests. Raises StateError."""
    number = 1
    for end, text in _texts(path, file):
        lines = text.splitlines()
        yield end, [_manifest(f"{path}:{number + index}", line) for index, line in enumerate(lines)]
        number += len(lines)


def _texts(path: Path, file: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """Yield the offset at which each complete member ends, and its text. Raises StateError."""
    end, ahead = 0, b""
    while True:
        reader = zlib.decompressobj(wbits=31)
        parts: list[bytes] = []
        room = _LARGEST
        while not reader.eof:
            chunk = ahead or file.read(_MEMBER)
            if not chunk:
                return  # the end of the file, perhaps within an incomplete member
            try:
                parts.append(reader.decompress(chunk, room + 1))
            except zlib.error as error:
                if _is_blank(chunk, file):
                    return  # a crash lengthened the file, but the data was not written yet
                raise changed(path, f"it is damaged after byte {end}") from error
            room -= len(parts[-1])
            if room < 0:
                raise changed(path, f"after byte {end} it unpacks to more than {_LARGEST} bytes")
            ahead = reader.unconsumed_tail
            end += len(chunk) - len(reader.unused_data) - len(ahead)
        ahead = reader.unused_data
        yield end, b"".join(parts)


def _is_blank(chunk: bytes, file: io.BufferedReader) -> bool:
    """Tell whether the rest of the file consists of zeros."""
    while chunk:
        if chunk.strip(b"\0"):
            return False
        chunk = file.read(_MEMBER)
    return True


def _manifest(where: str, line: bytes) -> Manifest:
    try:
        return archived(_fields(line))
    except ValueError as error:
        raise changed(where, str(error)) from error


def _fields(line: bytes) -> dict[str, object]:
    try:
        # Bytes that are not UTF-8 are written as halves of surrogate pairs (PEP 383), which the content alone may have.
        fields = json.loads(line, object_pairs_hook=_pairs) if b"\\udc" in line else strict_json(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("the line is not a manifest") from error
    if not isinstance(fields, dict) or fields.keys() != {"digest", "media_type", "content"}:
        raise ValueError("the line is not a manifest")
    return fields


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found
