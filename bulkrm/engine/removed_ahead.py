"""Tags removed ahead of their manifest, with the digest each held. Later reads report them as present.

A repository may be read again before the manifest is deleted: because the plan grew old, or because the run is resumed. Without
this the guards would see an untagged manifest, and a tag list from which somebody seems to have removed tags. So a read of such
a tag returns the digest that it held, until the manifest is gone. The states of a tag:

- *may be gone*: its DELETE, or the push of a decoy over it, may have been sent. The next read of the tag finds out.
- *gone*, with the `Removal` that says how that is known: it was sent and answered, or a read found nothing, or only a decoy of
  this run. One that is `FOUND_GONE` may be listed although nothing answers under it, so the tag list has to be read before a
  report says that it is gone.
- none of these: somebody pushed it, or it never went.

What an image is whose tag is gone follows from what becomes of its manifest: `bulkrm.planning.image_outcome`.
"""

from collections.abc import Collection, Iterable, Mapping

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Absent, Resolution, Resolved
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.target import Target


class RemovedAhead:
    """The removed tags of a run: what each held, and whether it is certainly gone."""

    def __init__(self) -> None:
        """`_held` has all of them, `_gone` those that are known to be gone, and how that is known."""
        self._held: dict[Repository, dict[str, Digest]] = {}
        self._gone: dict[Repository, dict[str, Removal]] = {}
        self._of_digest: dict[tuple[Repository, Digest], set[str]] = {}  # the same, by what they held
        self._decoys: dict[Repository, set[Digest]] = {}

    def add_decoy(self, repository: Repository, decoy: Digest) -> None:
        """Note a decoy of this run: from now on a tag that holds it is read as one that is gone."""
        self._decoys.setdefault(repository, set()).add(decoy)

    def decoys(self, repository: Repository) -> frozenset[Digest]:
        """Return the decoys of this run in a repository."""
        return frozenset(self._decoys.get(repository, ()))

    def note_sent(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note the digest that a tag holds, before the DELETE or PUT that removes it is sent."""
        self._held.setdefault(repository, {})[tag] = digest

    def add(self, repository: Repository, tag: str, digest: Digest, removal: Removal) -> None:
        """Note that this run removed a tag, or pushed a decoy over it, and how it is known that the tag is gone."""
        self.note_sent(repository, tag, digest)
        self._gone.setdefault(repository, {})[tag] = removal
        self._of_digest.setdefault((repository, digest), set()).add(tag)

    def drop(self, repository: Repository, tag: str) -> None:
        """Note that a tag is there after all."""
        held = self._held.get(repository, {}).pop(tag, None)
        if held is not None:
            self._of_digest.get((repository, held), set()).discard(tag)
        self._gone.get(repository, {}).pop(tag, None)

    def of(self, repository: Repository) -> Mapping[str, Digest]:
        """Return the tags of a repository that are or may be gone, and what they held."""
        return self._held.get(repository, {})

    def is_gone(self, repository: Repository, tag: str) -> bool:
        """Tell whether a tag is known to be gone."""
        return tag in self._gone.get(repository, ())

    def gone(self, repository: Repository) -> Collection[str]:
        """Return the tags of a repository that are known to be gone."""
        return self._gone.get(repository, ())

    def any_found_gone(self, repository: Repository, tags: Iterable[str]) -> bool:
        """Tell whether any of these tags is gone without a clean answer, so that the tag list has to be read."""
        gone = self._gone.get(repository)
        return gone is not None and any(gone.get(tag) is Removal.FOUND_GONE for tag in tags)

    def held_before(self, repository: Repository, tag: str, found: Resolution) -> Digest | None:
        """Return the digest that a removed tag held; None: it was not removed, or leads to another manifest now.

        `found` is what the tag holds now. It is noted: the tag is gone (nothing, or a decoy of this run), or there after all.
        """
        held = self.of(repository).get(tag)
        if held is None:
            return None
        match found:
            case Absent():
                self._add_found(repository, tag, held)
            case Resolved(digest) if digest in self._decoys.get(repository, ()):
                self._add_found(repository, tag, held)
            case Resolved():
                self.drop(repository, tag)
                return None
            case _:
                return None
        return held

    def _add_found(self, repository: Repository, tag: str, held: Digest) -> None:
        """Note that a reading found a tag gone, which is no better and no worse proof than there was."""
        self.add(repository, tag, held, self._gone.get(repository, {}).get(tag, Removal.FOUND_GONE))

    def as_listed_before(self, repository: Repository, listed: Iterable[str]) -> tuple[str, ...]:
        """Return a tag list with these tags in it, as it was before they went."""
        return tuple(dict.fromkeys((*listed, *self.of(repository))))

    def manifest_of(self, target: Target) -> Digest | None:
        """Return the manifest that a removed tag of an image held; None: no tag of it is known to be gone."""
        reference = target.reference
        if isinstance(reference, DigestRef):
            return reference.digest if self._of_digest.get((reference.repository, reference.digest)) else None
        return (
            self.of(reference.repository)[reference.tag] if self.is_gone(reference.repository, reference.tag) else None
        )
