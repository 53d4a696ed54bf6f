"""Damage to the files of a real registry, as disks, backups and half-done garbage collections leave it."""

import shutil
from pathlib import Path

from tests.support.real import RealRegistry

REVISION, BLOB, EMPTY_LINK, GARBAGE_LINK, NO_LINK = "revision", "blob", "empty-link", "garbage-link", "no-link"
LEADS_NOWHERE = (REVISION, BLOB, NO_LINK)  # 404
IS_BROKEN = (EMPTY_LINK, GARBAGE_LINK)  # 500, and no manifest of the repository can be deleted any more


def damage(server: RealRegistry, repository: str, tag: str, digest: str, what: str) -> None:
    """Damage a tag that leads to a digest, in the filesystem driver's layout (distribution, registry/storage/paths.go)."""
    root = server.data / "docker/registry/v2"
    manifests = root / "repositories" / repository / "_manifests"
    link = manifests / "tags" / tag / "current/link"
    name = digest.partition(":")[2]
    match what:
        case "revision":
            shutil.rmtree(manifests / "revisions/sha256" / name)
        case "blob":
            (root / "blobs/sha256" / name[:2] / name / "data").unlink()
        case "empty-link":
            link.write_text("")
        case "garbage-link":
            link.write_text("garbage")
        case _:
            link.unlink()


def exists(server: RealRegistry, repository: str, tag: str) -> bool:
    """Tell whether a registry has files for a tag."""
    return (Path(server.data) / "docker/registry/v2/repositories" / repository / "_manifests/tags" / tag).exists()
