"""The manifests of a run, exactly as the registry sent them, so that they can be put back.

A gzip file of several members, each of them JSON lines: `zcat` shows it, and a member that a crash tore is simply the
end. Members hold many manifests, because manifests resemble each other.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import SCHEMA1_TYPES, Manifest
from bulkrm.state.errors import StateError

_MEMBER = 256 * 2**10  # bytes of text after which a member is written
_LEVEL = 3  # manifests resemble each other so much that more effort saves little
_encode = json.JSONEncoder().encode  # of text: an object of three is quicker put together by hand


class Archive:
    """An open archive. What is added is durable after the next `sync`, which one thread at a time may call."""

    def __init__(self, path: Path) -> None:
        """Open it for appending, or make it. A member that a crash tore is cut off. Raises StateError."""
        self._path = path
        self._known: set[Digest] = set()
        self._pending: list[bytes] = []
        self._size = 0
        self._durable = True
        self._lock = Lock()  # members are written one after the other, whichever thread does it
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            whole = 0
            for end, text in _members(path):
                self._known.update(manifest.digest for manifest in _lines(path, text))
                whole = end
            os.ftruncate(self._file, whole)
        except OSError as error:
            raise _failed(path, error) from error

    def __contains__(self, digest: Digest) -> bool:
        """Tell whether a manifest was added, by this run or by the one that it continues."""
        return digest in self._known

    def add(self, manifest: Manifest) -> None:
        """Add a manifest, unless it is there. Raises StateError where a full member cannot be written."""
        if manifest.digest in self._known:
            return
        self._known.add(manifest.digest)
        # Manifests are UTF-8 by JSON's definition; whatever is not comes back as it was all the same.
        text = manifest.content.decode("utf-8", "surrogateescape")
        media_type, content = _encode(manifest.media_type), _encode(text)
        line = f'{{"digest":"{manifest.digest}","media_type":{media_type},"content":{content}}}\n'.encode("ascii")
        with self._lock:
            self._pending.append(line)
            self._size += len(line)
            if self._size >= _MEMBER:
                self._write()

    def sync(self) -> None:
        """Write what was added and wait until the disk has it. Raises StateError."""
        with self._lock:
            self._write()
            durable, self._durable = self._durable, True
        if durable:
            return
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self._durable = False
            raise _failed(self._path, error) from error

    def close(self) -> None:
        """Write what is left, and close. Raises StateError."""
        try:
            with self._lock:
                self._write()
        finally:
            os.close(self._file)

    def _write(self) -> None:
        if not self._pending:
            return
        member = gzip.compress(b"".join(self._pending), compresslevel=_LEVEL, mtime=0)
        good = os.fstat(self._file).st_size
        try:
            left = memoryview(member)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            with suppress(OSError):  # half a member would make all that comes later unreadable
                os.ftruncate(self._file, good)
            raise _failed(self._path, error) from error
        self._pending, self._size, self._durable = [], 0, False


def read_archive(path: Path) -> Iterator[Manifest]:
    """Yield the manifests of an archive, each checked against its digest. Raises StateError on damage."""
    try:
        for _, text in _members(path):
            yield from _lines(path, text)
    except OSError as error:
        raise _failed(path, error) from error


def _members(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the whole members, and where in the file each ends."""
    with path.open("rb") as file:
        end, ahead = 0, b""
        while True:
            reader = zlib.decompressobj(wbits=31)
            parts: list[bytes] = []
            while not reader.eof:
                chunk = ahead or file.read(_MEMBER)
                if not chunk:
                    return  # the end of the file, or of what a crash left of a member
                try:
                    parts.append(reader.decompress(chunk))
                except zlib.error as error:
                    raise StateError(f"{path} is damaged behind byte {end}") from error
                ahead = b""
                end += len(chunk) - len(reader.unused_data)
            ahead = reader.unused_data
            yield end, b"".join(parts)


def _lines(path: Path, text: bytes) -> Iterator[Manifest]:
    for line in text.splitlines():
        try:
            fields = json.loads(line)
            content = fields["content"].encode("utf-8", "surrogateescape")
            manifest = Manifest(Digest(fields["digest"]), fields["media_type"], content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateError(f"{path}: a line is no manifest: somebody changed the archive") from error
        # What is put back from here must be what was there. Of schema 1 the digest leaves the signatures out.
        if (
            manifest.media_type not in SCHEMA1_TYPES
            and Digest.of(content, manifest.digest.algorithm) != manifest.digest
        ):
            raise StateError(f"{path}: {manifest.digest} has other bytes: somebody changed the archive")
        yield manifest


def _failed(path: Path, error: OSError) -> StateError:
    return StateError(f"{path}: {error.strerror or error}")
