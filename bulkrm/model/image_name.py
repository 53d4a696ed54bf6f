"""Names of images as text, as reports and records have them: references in normal form, and patterns."""

from bulkrm.model.digest import Digest, is_digest


def repository_part(image: str) -> str:
    """Return host and repository: the tag, or a pattern of tags, begins at the last colon after the last slash."""
    name = image.partition("@")[0]
    colon = name.rfind(":")
    return name[:colon] if colon > name.rfind("/") else name


def shortened(image: str) -> str:
    """Cut a digest in a name down to what people compare; the full one is in the JSON report."""
    name, at, digest = image.partition("@")
    return f"{name}@{Digest(digest).short}" if at and is_digest(digest) else image
