"""Artifact tags: the tags of signatures, attestations and SBOMs on registries that have no referrers API, or had none."""

from collections.abc import Collection, Iterable

from bulkrm.model.digest import Digest

# Signatures, attestations, SBOMs (cosign pkg/oci/remote/options.go); each tag leads to a manifest of its own.
_SUFFIXES = (".sig", ".att", ".sbom")
_ALGORITHM, _ENCODED = 32, 64
_PREFIXES = ("sha256-", "sha512-")  # one for each registered digest algorithm


def fallback_tag(digest: Digest) -> str:
    """Return the tag of the index of a manifest's referrers, which clients maintain (distribution-spec 1.1)."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:_ALGORITHM]}-{encoded[:_ENCODED]}"


def named_after_digests(tags: Iterable[str]) -> frozenset[str]:
    """Return the tags whose names begin like a digest: they may be artifact tags. Most repositories have none."""
    return frozenset(tag for tag in tags if tag.startswith(_PREFIXES))


def artifact_tags(digest: Digest, among: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the artifact tags of a manifest, that of the index of referrers first. `among`: return only tags in it."""
    if among is not None and not among:
        return ()
    base = fallback_tag(digest)
    tags = base, *(base + suffix for suffix in _SUFFIXES)
    return tags if among is None else tuple(tag for tag in tags if tag in among)
