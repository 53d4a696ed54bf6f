"""The tags under which a registry keeps what is attached to a manifest, where it has no referrers API, or had none."""

from bulkrm.model.digest import Digest

# cosign pkg/oci/remote/options.go: signatures, attestations, SBOMs; each is a manifest of its own under such a tag.
_SUFFIXES = (".sig", ".att", ".sbom")
_ALGORITHM, _ENCODED = 32, 64


def fallback_tag(digest: Digest) -> str:
    """Return the tag of the index of referrers (distribution-spec 1.1, "Referrers Tag Schema")."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:_ALGORITHM]}-{encoded[:_ENCODED]}"


def artifact_tags(digest: Digest) -> tuple[str, ...]:
    """Return all tags that belong to a manifest by their name, the index of referrers first."""
    base = fallback_tag(digest)
    return base, *(base + suffix for suffix in _SUFFIXES)
