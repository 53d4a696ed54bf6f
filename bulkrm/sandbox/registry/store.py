"""The registry's state, in memory: repositories with their manifests, tags and blobs. No HTTP here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifests.manifest import DOCKER_LIST, DOCKER_MANIFEST, INDEX_TYPES, OCI_INDEX, OCI_MANIFEST
from bulkrm.model.valueclass import valueclass
from bulkrm.sandbox.wire import Refused

# distribution v2.8.2 registry/handlers/manifests.go, maxManifestBodySize
MAX_MANIFEST = 4 * 1024 * 1024
_PUT_TYPES = frozenset({DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST})
# Manifests of Docker's types have their media type in the body, those of OCI's may omit it (image-spec manifest.md).
_TYPE_IN_BODY = frozenset({DOCKER_LIST, DOCKER_MANIFEST})


@valueclass
class StoredManifest:
    """A manifest as it was pushed."""

    digest: str
    media_type: str
    content: bytes


@dataclass(slots=True)
class _Repository:
    manifests: dict[str, StoredManifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    # From each digest to its tags, so that deleting many thousands of them is fast.
    tags_on: dict[str, set[str]] = field(default_factory=dict)
    # From each digest to the manifests that name it as their subject, and to those that name it as a child.
    referrers: dict[str, set[str]] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=dict)
    # Manifests that were deleted by digest while their tags still serve them.
    only_tagged: dict[str, StoredManifest] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    ever_tagged: bool = False
    ever_had_blobs: bool = False


class Store:
    """All repositories of one registry. A blob's bytes are kept once, however many repositories link it."""

    def __init__(self) -> None:
        """Create a registry without repositories."""
        self._repositories: dict[str, _Repository] = {}
        self._content: dict[str, bytes] = {}

    # Reading

    def repositories(self) -> list[str]:
        """Return the names in the catalog, sorted; repositories that never had a blob are missing (2.8.2: `_layers`)."""
        return sorted(name for name, kept in self._repositories.items() if kept.ever_had_blobs)

    def tags(self, repository: str) -> list[str] | None:
        """Return the tags, unsorted but always in the same order; None: the repository never had a tag."""
        kept = self._repositories.get(repository)
        if kept is None or not kept.ever_tagged:
            return None
        return sorted(kept.tags, key=lambda tag: (crc32(tag.encode()), tag))

    def digest_of(self, repository: str, tag: str) -> str | None:
        """Return the digest that the tag points to; None: there is no such tag."""
        kept = self._repositories.get(repository)
        return kept.tags.get(tag) if kept else None

    def tags_on(self, repository: str, digest: str) -> frozenset[str]:
        """Return the tags that point to the digest."""
        kept = self._repositories.get(repository)
        return frozenset(kept.tags_on.get(digest, ())) if kept else frozenset()

    def manifest(self, repository: str, digest: str) -> StoredManifest | None:
        """Return the manifest with the digest; None: the repository does not have it."""
        kept = self._repositories.get(repository)
        return kept.manifests.get(digest) if kept else None

    def only_tagged(self, repository: str, digest: str) -> StoredManifest | None:
        """Return a manifest that was deleted by digest while its tags still serve it; None: there is no such manifest."""
        kept = self._repositories.get(repository)
        return kept.only_tagged.get(digest) if kept else None

    def digests(self, repository: str) -> frozenset[str]:
        """Return the digests of all manifests in the repository, tagged or not."""
        kept = self._repositories.get(repository)
        return frozenset(kept.manifests) if kept else frozenset()

    def referrers(self, repository: str, digest: str) -> list[StoredManifest]:
        """Return the manifests whose subject is the digest, sorted by digest. The subject itself may be absent."""
        kept = self._repositories.get(repository)
        return [kept.manifests[name] for name in sorted(kept.referrers.get(digest, ()))] if kept else []

    def is_child(self, repository: str, digest: str) -> bool:
        """Tell whether an index of the repository names the digest."""
        kept = self._repositories.get(repository)
        return bool(kept and kept.parents.get(digest))

    def blob(self, repository: str, digest: str) -> bytes | None:
        """Return the bytes of a blob; None: the repository does not link it, or they were collected as garbage."""
        kept = self._repositories.get(repository)
        return self._content.get(digest) if kept and digest in kept.blobs else None

    # Writing

    def put_blob(self, repository: str, content: bytes) -> str:
        """Store a blob and link it; return its digest."""
        digest = str(Digest.of(content))
        self._content[digest] = content
        kept = self._open(repository)
        kept.blobs.add(digest)
        kept.ever_had_blobs = True
        return digest

    def mount_blob(self, repository: str, digest: str, source: str) -> bool:
        """Link a blob of the repository `source`; return False if that does not have it."""
        content = self.blob(source, digest)
        if content is not None:
            self.put_blob(repository, content)
        return content is not None

    def delete_blob(self, repository: str, digest: str) -> bool:
        """Unlink a blob; return False if it was not linked."""
        if self.blob(repository, digest) is None:
            return False
        self._repositories[repository].blobs.discard(digest)
        return True

    def put_manifest(
        self, repository: str, reference: str, content: bytes, media_type: str, *, checks_parts: bool = True
    ) -> str:
        """Check a manifest as 2.8.2 does and store it under a tag or its digest; return the digest. Raises Refused.

        Without `checks_parts` the blobs of an image may be missing.
        """
        fields = _checked(content, media_type)
        digest = str(Digest.of(content))
        if ":" in reference and reference != str(_digest_like(reference, content)):
            raise Refused("DIGEST_INVALID")
        digest = reference if ":" in reference else digest
        missing = self._missing(repository, media_type, fields)
        if missing and (checks_parts or media_type in INDEX_TYPES):
            raise Refused("MANIFEST_BLOB_UNKNOWN", *missing)
        self.plant(repository, StoredManifest(digest, media_type, content), None if ":" in reference else reference)
        return digest

    def plant(self, repository: str, manifest: StoredManifest, tag: str | None = None) -> None:
        """Store a manifest unchecked, also one that a push would refuse, such as an index without its children."""
        kept = self._open(repository)
        _forget(kept, manifest.digest)
        kept.only_tagged.pop(manifest.digest, None)
        kept.manifests[manifest.digest] = manifest
        for users in _used_by(kept, manifest):
            users.add(manifest.digest)
        if tag is not None:
            self.tag(repository, tag, manifest.digest)

    def tag(self, repository: str, tag: str, digest: str) -> None:
        """Point a tag to a digest, unchecked. The manifest that it pointed to before stays, without this tag."""
        kept = self._open(repository)
        before = kept.tags.get(tag)
        if before is not None:
            kept.tags_on[before].discard(tag)
        kept.tags[tag] = digest
        kept.tags_on.setdefault(digest, set()).add(tag)
        kept.ever_tagged = True

    def delete_tag(self, repository: str, tag: str) -> bool:
        """Remove one tag and keep its manifest; return False if there was no such tag."""
        kept = self._repositories.get(repository)
        digest = kept.tags.pop(tag, None) if kept else None
        if kept is None or digest is None:
            return False
        kept.tags_on[digest].discard(tag)
        return True

    def delete_manifest(
        self, repository: str, digest: str, *, keeps_tags: bool = False, only: int | None = None
    ) -> bool:
        """Remove a manifest and its tags; return False if there was no such manifest.

        `keeps_tags`: the tags stay and still serve the manifest. `only`: remove only this many of its tags, like a
        registry that stops half-way.
        """
        kept = self._repositories.get(repository)
        manifest = kept.manifests.get(digest) if kept else None
        if kept is None or manifest is None:
            return False
        _forget(kept, digest)
        if keeps_tags:
            kept.only_tagged[digest] = manifest
            return True
        on = kept.tags_on.get(digest, set())
        for tag in sorted(on)[:only]:
            on.discard(tag)
            del kept.tags[tag]
        return True

    def collect_garbage(self) -> None:
        """Drop the bytes of all blobs that no manifest names, as `registry garbage-collect` and a restart do."""
        named = {
            digest
            for kept in self._repositories.values()
            for manifest in kept.manifests.values()
            for digest in blobs_of(json.loads(as_text(manifest.content)))
        }
        self._content = {digest: content for digest, content in self._content.items() if digest in named}

    def _open(self, repository: str) -> _Repository:
        return self._repositories.setdefault(repository, _Repository())

    def _missing(self, repository: str, media_type: str, fields: Mapping[str, object]) -> list[str]:
        if media_type not in INDEX_TYPES:
            return [digest for digest in blobs_of(fields) if self.blob(repository, digest) is None]
        # A blob passes for a child: 2.8.2 looks through the same two kinds of links as for deletion.
        children = [digest for digest, _ in children_of(fields)]
        return [
            digest
            for digest in children
            if self.manifest(repository, digest) is None and self.blob(repository, digest) is None
        ]


def blobs_of(fields: Mapping[str, object]) -> list[str]:
    """Return the digests of the configuration and the layers that an image manifest names."""
    config, layers = fields.get("config"), fields.get("layers")
    descriptors = [config, *(layers if isinstance(layers, list) else [])]
    return [str(entry["digest"]) for entry in descriptors if isinstance(entry, dict) and "digest" in entry]


def children_of(fields: Mapping[str, object]) -> list[tuple[str, Mapping[str, str]]]:
    """Return the digests and platforms of the manifests that an index names."""
    entries = fields.get("manifests")
    children = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [(str(entry.get("digest")), entry.get("platform") or {}) for entry in children]


def subject_of(fields: Mapping[str, object]) -> str | None:
    """Return the digest of the manifest that this one is attached to (image-spec manifest.md, `subject`), if any."""
    subject = fields.get("subject")
    return str(subject["digest"]) if isinstance(subject, dict) and "digest" in subject else None


def _used_by(kept: _Repository, manifest: StoredManifest) -> list[set[str]]:
    """Return the sets of users of the digests that a manifest names: of its subject, and of its children."""
    try:
        fields = json.loads(as_text(manifest.content))
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return []
    subject = subject_of(fields)
    attached = [kept.referrers.setdefault(subject, set())] if subject else []
    return attached + [kept.parents.setdefault(child, set()) for child, _ in children_of(fields)]


def _forget(kept: _Repository, digest: str) -> bool:
    manifest = kept.manifests.pop(digest, None)
    if manifest is None:
        return False
    for users in _used_by(kept, manifest):
        users.discard(digest)
    return True


def _digest_like(reference: str, content: bytes) -> Digest | None:
    try:
        return Digest.of(content, Digest(reference).algorithm)
    except InputError:
        return None


def as_text(content: bytes) -> str:
    """Decode a manifest as Go does: bytes that are not UTF-8 become the replacement character (encoding/json)."""
    return content.decode(errors="replace")


def _checked(content: bytes, media_type: str) -> Mapping[str, object]:
    """Parse and check as distribution v2.8.2 `UnmarshalManifest` and its four formats do. Raises Refused."""
    if len(content) > MAX_MANIFEST:
        raise Refused("MANIFEST_INVALID", "http: request body too large")
    try:
        fields = json.loads(as_text(content))
    except ValueError as error:
        raise Refused("MANIFEST_INVALID", {"Offset": getattr(error, "pos", 0)}) from None
    if media_type not in _PUT_TYPES or not isinstance(fields, dict):
        raise Refused("MANIFEST_INVALID", {})
    allowed = (media_type,) if media_type in _TYPE_IN_BODY else (media_type, "", None)
    # An OCI document with the fields of the other kind is ambiguous (CVE-2021-41190).
    of_other_kind = "manifests" if media_type == OCI_MANIFEST else "layers"
    if fields.get("mediaType") not in allowed or (media_type not in _TYPE_IN_BODY and of_other_kind in fields):
        raise Refused("MANIFEST_INVALID", {})
    if fields.get("schemaVersion") != 2:  # noqa: PLR2004 (the only version of these formats)
        raise Refused("UNKNOWN", {})
    return fields
