"""Tags removed ahead of their manifest, with the digest each held. Later reads report them as present.

A repository may be read again before the manifest is deleted: because the plan grew old, or because the run is resumed. Without
this the guards would see an untagged manifest, and a tag list from which somebody seems to have removed tags. So a read of such
a tag returns the digest that it held, until the manifest is gone. The states of a tag:

- *sent*: its DELETE, or the push of a decoy over it, is about to be sent, or an earlier part of the run intended it. The next
  read of the tag finds out.
- *may be gone* (`MayBeGone`): its DELETE was sent, and whether it took effect is not known.
- *under a decoy* (`UnderDecoy`): a decoy of this run was, or may have been, pushed over it, which is deleted later.
- *gone* (`GoneAhead`), with the `Removal` that says how that is known: it was sent and answered, or a read found nothing.
- none of these: somebody pushed it, or it never went. But it *may be gone* all the same if another tag of its manifest was
  deleted: some registries delete the whole image then. That ends where the tag is read again, and in a place (`place_of`)
  where a tag was read to be there after another one of its manifest had gone.

A tag in one of the last three states counts as gone: it is not removed again. Unless a clean answer proves that it is gone,
it may be listed although nothing answers under it, so the tag list has to be read before a report says that it is gone.

What an image is whose tag is gone follows from what becomes of its manifest: `bulkrm.planning.image_outcome`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Absent, Resolution, Resolved
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.result.effect import Removal, place_of
from bulkrm.model.target import Target
from bulkrm.planning.image_outcome import GoneAhead, MayBeGone, RemovedTag, UnderDecoy, Unlisted


class RemovedAhead:
    """The removed tags of a run: what each held, and whether it is certainly gone."""

    def __init__(self) -> None:
        """`_held` has all of them, `_gone` those that count as gone."""
        self._held: dict[Repository, dict[str, Digest]] = {}
        self._gone: dict[Repository, dict[str, RemovedTag]] = {}
        self._of_digest: dict[tuple[Repository, Digest], set[str]] = {}  # the same, by what they held
        self._decoys: dict[Repository, set[Digest]] = {}
        self._unlisted: dict[tuple[Repository, Digest], Sequence[str]] = {}
        # Tags that were there when another tag of their manifest was deleted, and that nobody has read since.
        self._left_behind: dict[Repository, dict[str, Digest]] = {}
        self._one_by_one: set[str] = set()  # places in which the DELETE of a tag takes no other one

    def add_decoy(self, repository: Repository, decoy: Digest) -> None:
        """Note a decoy of this run: from now on a tag that holds it is read as one that is gone."""
        self._decoys.setdefault(repository, set()).add(decoy)

    def decoys(self, repository: Repository) -> frozenset[Digest]:
        """Return the decoys of this run in a repository."""
        return frozenset(self._decoys.get(repository, ()))

    def note_sent(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note the digest that a tag holds, before the DELETE or PUT that removes it is sent."""
        self._held.setdefault(repository, {})[tag] = digest

    def note_unlisted(self, repository: Repository, digest: Digest, tags: Sequence[str]) -> None:
        """Note which tags of a manifest the list does not name, before any goes ahead of it: lines of other tags name them."""
        self._unlisted[repository, digest] = tags

    def unlisted(self, repository: Repository, digest: Digest) -> Unlisted:
        """Return the unlisted tags of a manifest that count as gone."""
        gone, tags = self._gone.get(repository, {}), self._unlisted.get((repository, digest), ())
        known = {f"{repository}:{tag}": isinstance(gone[tag], GoneAhead) for tag in tags if tag in gone}
        return Unlisted(
            tuple(name for name, is_certain in known.items() if is_certain),
            tuple(name for name, is_certain in known.items() if not is_certain),
        )

    def add(self, repository: Repository, tag: str, digest: Digest, removal: Removal) -> None:
        """Note that this run removed a tag, and how it is known that the tag is gone."""
        self._note(repository, tag, GoneAhead(digest, removal))

    def doubt(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a tag may be gone: its DELETE was sent, and nobody has seen what it did."""
        self._note(repository, tag, MayBeGone(digest))

    def note_left_behind(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a tag was there when the DELETE of another one of its manifest was sent."""
        if place_of(repository) not in self._one_by_one and not self.is_gone(repository, tag):
            self.note_sent(repository, tag, digest)
            self._left_behind.setdefault(repository, {})[tag] = digest

    def is_left_behind(self, repository: Repository, tag: str) -> bool:
        """Tell whether another tag of its manifest was deleted, and nobody has read the tag since."""
        return tag in self._left_behind.get(repository, ())

    def note_there(self, repository: Repository, tag: str) -> None:
        """Note that a tag was read and is there: if another tag of its manifest was deleted, that did not remove this one."""
        if self._left_behind.get(repository, {}).pop(tag, None) is not None:
            self._one_by_one.add(place_of(repository))

    def cover(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Note that a decoy of this run is, or may be, over a tag."""
        self._note(repository, tag, UnderDecoy(digest))

    def _note(self, repository: Repository, tag: str, removed: RemovedTag) -> None:
        self.note_sent(repository, tag, removed.held)
        self._gone.setdefault(repository, {})[tag] = removed
        self._left_behind.get(repository, {}).pop(tag, None)
        self._of_digest.setdefault((repository, removed.held), set()).add(tag)

    def drop(self, repository: Repository, tag: str) -> None:
        """Note that a tag is there after all."""
        self._left_behind.get(repository, {}).pop(tag, None)
        held = self._held.get(repository, {}).pop(tag, None)
        if held is not None:
            self._of_digest.get((repository, held), set()).discard(tag)
        self._gone.get(repository, {}).pop(tag, None)

    def of(self, repository: Repository) -> Mapping[str, Digest]:
        """Return the tags of a repository that are or may be gone, and what they held."""
        return self._held.get(repository, {})

    def is_gone(self, repository: Repository, tag: str) -> bool:
        """Tell whether a tag counts as gone: it is, or may be, or is under a decoy of this run."""
        return tag in self._gone.get(repository, ())

    def gone(self, repository: Repository) -> Collection[str]:
        """Return the tags of a repository that count as gone."""
        return self._gone.get(repository, ())

    def any_found_gone(self, repository: Repository, tags: Iterable[str]) -> bool:
        """Tell whether any of these tags counts as gone without a clean answer, so that the tag list has to be read."""
        gone = self._gone.get(repository)
        return gone is not None and any(tag in gone and not _is_proved(gone[tag]) for tag in tags)

    def held_before(self, repository: Repository, tag: str, found: Resolution) -> Digest | None:
        """Return the digest that a removed tag held; None: it was not removed, or leads to another manifest now.

        `found` is what the tag holds now. It is noted: the tag is gone (nothing), under a decoy of this run, or there after
        all.
        """
        held = self.of(repository).get(tag)
        if held is None:
            return None
        match found:
            case Absent():
                self.add_found(repository, tag, held)
            case Resolved(digest) if digest in self._decoys.get(repository, ()):
                self.cover(repository, tag, held)
            case Resolved():
                self.drop(repository, tag)
                return None
            case _:
                return None
        return held

    def any_of(self, repository: Repository, digest: Digest) -> bool:
        """Tell whether a tag of a manifest counts as gone. Its DELETE may have removed the manifest and its other tags too."""
        return bool(self._of_digest.get((repository, digest)))

    def add_found(self, repository: Repository, tag: str, held: Digest) -> None:
        """Note that a reading found a tag gone, which is no better and no worse proof than there was."""
        if not isinstance(self._gone.get(repository, {}).get(tag), GoneAhead):
            self.add(repository, tag, held, Removal.FOUND_GONE)

    def as_listed_before(self, repository: Repository, listed: Iterable[str]) -> tuple[str, ...]:
        """Return a tag list with these tags in it, as it was before they went."""
        return tuple(dict.fromkeys((*listed, *self.of(repository))))

    def removed(self, target: Target) -> RemovedTag | None:
        """Return the tag of an image that counts as gone; of a digest one that is gone, if any is. None: there is none.

        It has the unlisted tags of its manifest that count as gone too.
        """
        removed, repository = self._removed(target), target.reference.repository
        if removed is None or (repository, removed.held) not in self._unlisted:
            return removed
        return replace(removed, unlisted=self.unlisted(repository, removed.held))

    def _removed(self, target: Target) -> RemovedTag | None:
        reference = target.reference
        gone = self._gone.get(reference.repository, {})
        if not isinstance(reference, DigestRef):
            return gone.get(reference.tag) or self._may_be_taken(reference.repository, reference.tag)
        removed = [gone[tag] for tag in self._of_digest.get((reference.repository, reference.digest), ())]
        return next((each for each in removed if isinstance(each, GoneAhead)), removed[0] if removed else None)

    def _may_be_taken(self, repository: Repository, tag: str) -> MayBeGone | None:
        digest = self._left_behind.get(repository, {}).get(tag)
        return MayBeGone(digest) if digest is not None and place_of(repository) not in self._one_by_one else None


def _is_proved(removed: RemovedTag) -> bool:
    return isinstance(removed, GoneAhead) and removed.removal is not Removal.FOUND_GONE
