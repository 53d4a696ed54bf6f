"""What has to go, worked out with sets from the rules as the manual has them. It shares nothing with bulkrm.planning."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bulkrm.sandbox import Image
from tests.stateful.worlds import State

SUFFIXES = (".sig", ".att", ".sbom")


@dataclass(frozen=True)
class Wish:
    """What a run is asked for. `can_untag`: the registry deletes tags, or a decoy is allowed. `held`: digests that stay."""

    tags: frozenset[str]
    digests: frozenset[str]
    protected: frozenset[str]
    shared: str
    recursive: bool
    can_untag: bool
    held: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Conditions:
    """What the one entry of a list says: a date, how many of the newest stay, and the tags of what runs."""

    before: str | None
    newest: int | None
    in_use: frozenset[str]


@dataclass(frozen=True)
class Fate:
    """What goes: manifests with all their tags, and single tags."""

    manifests: frozenset[str]
    tags: frozenset[str]


class Oracle:
    """Knows what manifests name: `children` of indexes, `subject` of what is attached."""

    def __init__(self, images: Mapping[str, Image], *, has_referrers: bool) -> None:
        bodies = {digest: json.loads(image.content) for digest, image in images.items()}
        self._has_referrers = has_referrers
        self._built = {digest: _built(image) for digest, image in images.items()}
        self.children = {
            digest: frozenset(entry["digest"] for entry in body.get("manifests", ())) for digest, body in bodies.items()
        }
        self._subject = {digest: body["subject"]["digest"] for digest, body in bodies.items() if "subject" in body}
        self._indexes = {digest for digest, body in bodies.items() if "manifests" in body}

    def below(self, roots: Iterable[str]) -> set[str]:
        """Everything that these name, directly or through indexes."""
        found: set[str] = set()
        todo = list(roots)
        while todo:
            new = self.children.get(todo.pop(), frozenset()) - found
            found |= new
            todo += new
        return found

    def created(self, digest: str) -> str | None:
        """When an image was built: of an index, the newest of its images; None if anything of that is not known."""
        if digest not in self._indexes:
            return self._built.get(digest)
        dates = [self.created(child) for child in self.children[digest]]
        known = [date for date in dates if date is not None]
        return max(known) if known else None

    def held(self, state: State, tags: frozenset[str], conditions: Conditions) -> frozenset[str]:
        """Return what stays by the conditions of an entry that names these tags."""
        named = {state.tags[tag] for tag in tags if tag in state.tags}
        held = {state.tags[tag] for tag in conditions.in_use if tag in state.tags}
        above = {index for index in self._indexes & state.manifests if self.below([index]) & held}
        held |= above | self.below(held | above)
        dates = {digest: self.created(digest) for digest in named}
        if conditions.before is not None:
            held |= {digest for digest, date in dates.items() if date is None or date >= conditions.before}
        if conditions.newest is not None:
            ranked = sorted((date for date in dates.values() if date is not None), reverse=True)
            last = ranked[: conditions.newest][-1:]
            held |= {digest for digest, date in dates.items() if date is None or [date] >= last}
        return frozenset(held)

    def fate(self, state: State, wish: Wish) -> Fate:
        """Return what goes of this state."""
        attached_tags: set[str] = set()
        attached: set[str] = set()
        while True:
            fate = self._judge(state, wish, attached_tags, attached)
            tags, digests = self._belonging(state, fate.manifests) if wish.recursive else (set(), set())
            listed = {state.tags[tag] for tag in wish.tags if tag in state.tags} | wish.digests
            digests -= listed
            if tags <= attached_tags | wish.tags and digests <= attached:
                return fate
            attached_tags |= tags - wish.tags
            attached |= digests

    def _judge(self, state: State, wish: Wish, attached_tags: set[str], attached: set[str]) -> Fate:
        going = {tag for tag in wish.tags | attached_tags if tag in state.tags}
        there = state.manifests.union(state.tags.values())  # a tag may lead nowhere
        on = {digest: {tag for tag, held in state.tags.items() if held == digest} for digest in there}
        listed = {state.tags[tag] for tag in going & wish.tags} | (wish.digests & state.manifests)
        candidates = listed | {state.tags[tag] for tag in going} | (attached & state.manifests)
        untagged: set[str] = set()
        deletions: set[str] = set()
        for digest in candidates:
            free = (on[digest] & going) - wish.protected
            if digest in wish.held:
                continue
            if wish.shared == "untag" and wish.can_untag and free and free != on[digest]:
                untagged |= free & wish.tags  # what only belongs to an image goes with its manifest or not at all
            elif not on[digest] & wish.protected and (
                on[digest] <= going or (wish.shared == "delete" and digest in listed)
            ):
                deletions.add(digest)
        while True:
            staying = ({*state.tags.values()} | candidates) - deletions
            kept = staying | self.below(staying)
            spared = {
                digest
                for digest in deletions
                if digest in self.below(staying) or (digest not in listed and self._subject.get(digest) in kept)
            }
            if not spared:
                return Fate(frozenset(deletions), frozenset(untagged))
            deletions -= spared

    def _belonging(self, state: State, deletions: frozenset[str]) -> tuple[set[str], set[str]]:
        tags: set[str] = set()
        digests: set[str] = set()
        fallbacks = {digest.replace(":", "-"): digest for digest in deletions}
        for digest in deletions:
            base = digest.replace(":", "-")
            tags |= {base + suffix for suffix in SUFFIXES if base + suffix in state.tags}
            if state.tags.get(base) in self._indexes:
                tags.add(base)
            if self._has_referrers:
                digests |= {other for other, subject in self._subject.items() if subject == digest}
            subjects = {fallbacks[tag] for tag, held in state.tags.items() if held == digest and tag in fallbacks}
            for child in self.children.get(digest, ()):
                if not subjects or self._subject.get(child) in subjects:
                    digests.add(child)
        return tags, digests & state.manifests


def _built(image: Image) -> str | None:
    """The date in the configuration of an image; those of the sandbox are all of the same form."""
    body = json.loads(image.content)
    config = body.get("config", {}).get("digest", "").removeprefix("sha256:")
    blob = next((blob for blob in image.blobs if hashlib.sha256(blob).hexdigest() == config), b"{}")
    date = json.loads(blob).get("created")
    return str(date) if date is not None and date > "1981" else None
