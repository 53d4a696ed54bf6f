"""The references of images in use, as container tools write them, and the manifests and tags that they keep.

Short names are completed as Docker does (github.com/distribution/reference `normalize.go`): `nginx` is
`docker.io/library/nginx:latest`. A bare digest is an image ID, by which some container runtimes mean the digest of a
manifest and others that of a configuration.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifests.details import Details
from bulkrm.model.reference import HTTPS_PORT, DigestRef, Repository, TagRef, looks_like_host, parse_reference
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.model.valueclass import valueclass

_PREFIXES = ("docker-pullable://", "docker://", "containerd://", "cri-o://")
_HEX = 64
_SHORT = re.compile(r"(?:sha256:)?([0-9a-f]{12,63})")  # `docker ps` of an image whose name now belongs to another one


@valueclass
class InUseReferences:
    """The images in use. `digests`: they count on every host; `ids`: those of them that may be a configuration's digest.

    `short`: abbreviated ids, `sha256:` and 12 to 63 hex digits; `tags`: each in its repository; `hosts`: the registry
    hosts of all references.
    """

    digests: frozenset[Digest] = frozenset()
    ids: frozenset[Digest] = frozenset()
    short: frozenset[str] = frozenset()
    tags: frozenset[TagRef] = frozenset()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], default_port: int = HTTPS_PORT) -> "InUseReferences":
        """Parse references in the form that `normal_reference` returns."""
        digests: set[Digest] = set()
        ids: set[Digest] = set()
        short: set[str] = set()
        tags: set[TagRef] = set()
        hosts: set[str] = set()
        for text in texts:
            if is_digest(text):
                digests.add(Digest(text))
                ids.add(Digest(text))
                continue
            if _SHORT.fullmatch(text):
                short.add(text)
                continue
            reference = parse_reference(text, default_port=default_port)
            hosts.add(reference.repository.host)
            if isinstance(reference, DigestRef):
                digests.add(reference.digest)
                continue
            if reference.pin is not None:
                digests.add(reference.pin)
            tags.add(TagRef(reference.repository, reference.tag))
        return cls(frozenset(digests), frozenset(ids), frozenset(short), frozenset(tags), frozenset(hosts))

    def __bool__(self) -> bool:
        """Tell whether any image is in use."""
        return bool(self.digests or self.short or self.tags)

    @property
    def has_ids(self) -> bool:
        """Tell whether there are image IDs, for which the digests of configurations have to be read."""
        return bool(self.ids or self.short)

    def name_of(self, digest: Digest, details: Details | None) -> str | None:
        """Return the digest by which a manifest is in use, its own or that of a configuration; None: it is not in use."""
        if digest in self.digests:
            return digest
        candidates = (digest, *(details.config_digests if details is not None else ()))
        for candidate in candidates:
            if candidate in self.ids or any(candidate.startswith(beginning) for beginning in self.short):
                return candidate
        return None

    def tags_in(self, repository: Repository) -> Iterator[str]:
        """Yield the tags of a repository that are in use, sorted."""
        yield from sorted(reference.tag for reference in self.tags if reference.repository == repository)


@valueclass
class KeptInUse:
    """The manifests of one repository that are kept because they are in use, and the tags that are in use."""

    digests: Mapping[Digest, Kept] = field(default_factory=dict)
    tags: Mapping[str, Kept] = field(default_factory=dict)


def normal_reference(text: str, default_port: int = HTTPS_PORT) -> str | None:
    """Return a reference in normal form; None: the text is not a reference. A bare digest stays a bare digest."""
    text = text.strip()
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    bare = text.removeprefix("sha256:") if text.startswith("sha256:") else text
    if len(bare) == _HEX and is_digest(f"sha256:{bare}"):
        return f"sha256:{bare}"
    if is_digest(text):
        return text
    short = _SHORT.fullmatch(text)
    if short is not None:
        return f"sha256:{short[1]}"
    first, slash, _ = text.partition("/")
    full = text if slash and looks_like_host(first) else f"docker.io/{text}"
    last = full.rpartition("/")[2]
    if "@" not in last and ":" not in last:
        full += ":latest"
    try:
        return str(parse_reference(full, default_port=default_port))
    except InputError:
        return None


def kept_in_use(
    in_use: InUseReferences,
    repository: Repository,
    tags: Mapping[str, Digest],
    digests: Collection[Digest],
    details: Mapping[Digest, Details],
    children: Mapping[Digest, Collection[Digest]],
) -> KeptInUse:
    """Return the manifests and tags of a repository that are in use. `digests`: known manifests without a tag.

    `tags`, `details`: of the known tags and manifests; `children`: the children of each known index.

    An index in use keeps its children, and a child in use keeps the indexes that name it.
    """
    by_tag: dict[str, Kept] = {}
    held: dict[Digest, Kept] = {}
    for tag in in_use.tags_in(repository):
        by_tag[tag] = Kept(KeptReason.IN_USE, (f"{repository}:{tag}",))
        if tag in tags:
            held.setdefault(tags[tag], by_tag[tag])
    below = {child for found in children.values() for child in found}
    for digest in sorted({*tags.values(), *digests, *children, *below}):
        name = in_use.name_of(digest, details.get(digest))
        if name is not None:
            held.setdefault(digest, Kept(KeptReason.IN_USE, (str(name),)))
    _add_indexes_and_children(held, children)
    return KeptInUse(held, by_tag)


def _add_indexes_and_children(held: dict[Digest, Kept], children: Mapping[Digest, Collection[Digest]]) -> None:
    """Add the indexes that name a manifest in `held`, and then the children of all indexes in `held`."""
    changed = True
    while changed:
        changed = False
        for index in sorted(children):
            child = next((child for child in sorted(children[index]) if child in held), None)
            if index not in held and child is not None:
                held[index] = held[child]
                changed = True
    todo = [digest for digest in sorted(held) if digest in children]
    while todo:
        index = todo.pop()
        for child in children[index]:
            if child not in held:
                held[child] = held[index]
                todo += [child] if child in children else []
