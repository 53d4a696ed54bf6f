"""The tags under which a registry keeps what is attached to a manifest, where it has no referrers API, or had none."""

from collections.abc import Collection, Iterable

from bulkrm.model.digest import Digest

# cosign pkg/oci/remote/options.go: signatures, attestations, SBOMs; each is a manifest of its own under such a tag.
_SUFFIXES = (".sig", ".att", ".sbom")
_ALGORITHM, _ENCODED = 32, 64
_PREFIXES = ("sha256-", "sha512-")  # of the digests that there are


def fallback_tag(digest: Digest) -> str:
    """Return the tag of the index of referrers (distribution-spec 1.1, "Referrers Tag Schema")."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:_ALGORITHM]}-{encoded[:_ENCODED]}"


def named_after_digests(tags: Iterable[str]) -> frozenset[str]:
    """Return those tags that may belong to a manifest by their name: most repositories have none."""
    return frozenset(tag for tag in tags if tag.startswith(_PREFIXES))


def artifact_tags(digest: Digest, among: Collection[str] | None = None) -> tuple[str, ...]:
    """Return all tags that belong to a manifest by their name, the index of referrers first; of those only, if given."""
    if among is not None and not among:
        return ()
    base = fallback_tag(digest)
    tags = base, *(base + suffix for suffix in _SUFFIXES)
    return tags if among is None else tuple(tag for tag in tags if tag in among)
