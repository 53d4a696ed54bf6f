"""Names of images as the text of reports and records: references in normal form, and patterns."""

from bulkrm.model.digest import Digest, is_digest


def repository_part(image: str) -> str:
    """Return `host/path` of a reference or pattern: its tag begins at the last colon after the last slash."""
    name = image.partition("@")[0]
    colon = name.rfind(":")
    return name[:colon] if colon > name.rfind("/") else name


def shortened(image: str) -> str:
    """Shorten the digest in a name, as `Digest.short` does; the JSON report has it in full."""
    name, at, digest = image.partition("@")
    return f"{name}@{Digest(digest).short}" if at and is_digest(digest) else image
