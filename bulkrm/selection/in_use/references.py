"""References as container tools write them, and what they hold in a repository.

Docker's names are completed as Docker does it (github.com/distribution/reference `normalize.go`): `nginx` is
`docker.io/library/nginx:latest`. A bare digest is what container runtimes call an image ID: the digest of a manifest to
some, of a configuration to others.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bulkrm.model.details import Details
from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.errors import InputError
from bulkrm.model.reference import HTTPS_PORT, DigestRef, Repository, TagRef, looks_like_host, parse_reference
from bulkrm.model.result.outcome import Kept, KeptReason

_PREFIXES = ("docker-pullable://", "docker://", "containerd://", "cri-o://")
_HEX = 64
_SHORT = re.compile(r"(?:sha256:)?([0-9a-f]{12,63})")  # docker ps: of an image that lost its name


@dataclass(frozen=True, slots=True)
class InUseReferences:
    """What is in use. `digests`: on whatever host; `ids`: those that may be a configuration's.

    `short`: beginnings of such; `tags`: where they are; `hosts`: of all that is named with one.
    """

    digests: frozenset[Digest] = frozenset()
    ids: frozenset[Digest] = frozenset()
    short: frozenset[str] = frozenset()
    tags: frozenset[TagRef] = frozenset()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], default_port: int = HTTPS_PORT) -> "InUseReferences":
        """Take texts in the normal form of `normal`."""
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
        """Tell whether there is anything."""
        return bool(self.digests or self.short or self.tags)

    @property
    def by_id(self) -> bool:
        """Tell whether the digests of configurations have to be known."""
        return bool(self.ids or self.short)

    def names(self, digest: Digest, details: Details | None) -> str | None:
        """Return by which digest a manifest is named, its own or that of a configuration; None: by none."""
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


@dataclass(frozen=True, slots=True)
class HeldInUse:
    """What stays in one repository because it is in use, and the tags by which it is named there."""

    digests: Mapping[Digest, Kept] = field(default_factory=dict)
    tags: Mapping[str, Kept] = field(default_factory=dict)


def normal(text: str, default_port: int = HTTPS_PORT) -> str | None:
    """Return a reference in its normal form; None: it is none. A bare digest stays one."""
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


def held_in_use(
    used: InUseReferences,
    repository: Repository,
    tags: Mapping[str, Digest],
    digests: Collection[Digest],
    details: Mapping[Digest, Details],
    children: Mapping[Digest, Collection[Digest]],
) -> HeldInUse:
    """Return what is in use in a repository. `digests`: every manifest that is known there besides those with tags.

    An index in use holds its children, and a child in use the indexes that name it.
    """
    by_tag: dict[str, Kept] = {}
    held: dict[Digest, Kept] = {}
    for tag in used.tags_in(repository):
        by_tag[tag] = Kept(KeptReason.IN_USE, (f"{repository}:{tag}",))
        if tag in tags:
            held.setdefault(tags[tag], by_tag[tag])
    below = {child for found in children.values() for child in found}
    for digest in sorted({*tags.values(), *digests, *children, *below}):
        name = used.names(digest, details.get(digest))
        if name is not None:
            held.setdefault(digest, Kept(KeptReason.IN_USE, (str(name),)))
    _spread(held, children)
    return HeldInUse(held, by_tag)


def _spread(held: dict[Digest, Kept], children: Mapping[Digest, Collection[Digest]]) -> None:
    """Hold the indexes above what is held, and then all that they name."""
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
