"""Decoys: how tags are removed on a registry that deletes manifests only.

A decoy is an OCI index that names nothing, so that no blob is needed to push it, with an annotation that makes it unlike any
other manifest. DELETE of its digest removes the tags that lead to it, and nothing else: regclient does the same with a dummy
image (scheme/reg/tag.go there). Whatever the tags held before, a decoy lives like this:

1. *Made* for some tags of one repository, and journalled with them before anything is pushed (`Decoys.make`, which lets the
   next one of the repository be made when its block is left).
2. *Pushed* over a tag that still holds what it held when the change was decided (`push`): one `Change` like any other. From
   then on the tag is under the decoy, also where the push failed and may have acted (`Effect`).
3. *Deleted* by one DELETE of its digest, with all tags under it (`remove`, which does the rest too). It is sent whatever
   the host refused before: a refused read of one tag must not leave a decoy under another.
4. *Proved* by the tag list after that DELETE: what it does not have is gone. What it has is asked for by HEAD, because it may
   hold the decoy, what it held before, somebody's push, or nothing where the registry stopped half-way. As a registry may
   work in the background, both are repeated after 1, 3 and 9 seconds, as long as the first tag in question shows no end of it.
5. *Put back*: a tag that holds the decoy all the same gets what it held, if that was anything, and is read once more.

`decoy_proof` says what each look at a tag means. Three kinds of tags are removed so: tags of a manifest that stays
(`untag_by_decoy`), all tags of the manifests that are deleted afterwards (`tags_first`), and tags that lead nowhere
(`dangling`). `execute.leftover_tags` pushes a decoy over tags that a deletion left behind; the look that found them proves it.

A stop ends the pushing; deletion, proof and putting back are done to their end. Where the process is killed, the journal
names the decoy and its tags. `resume` goes on at step 3 (`EarlierDecoy`), so that no tag keeps a decoy unseen; `undo` takes
a tag that holds it for one that is gone; a later run finds an empty index under the tag, which it deletes like any other
manifest. Another run's decoy is none of ours: `other_decoys`. Two decoys of one repository are never alive at once, because
distribution cannot delete a manifest while a tag is being written (it reads all of them: registry/storage/tagstore.go
`Lookup`): `make` waits for the end of the one before.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import anyio

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.cut_off import CutOff
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy_proof import DecoyRemoval, lingers
from bulkrm.engine.execute.tags.tag_change import Change, none_if_damaged
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.pauses import Pauses
from bulkrm.engine.workers import run_jobs_unstopped
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest, empty_index
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure
from bulkrm.planning.tag_state import GONE, Changed, TagLook, TagState, may_be_made, tag_state
from bulkrm.remote.sending import Permission, Sending


class Decoys:
    """Makes the decoys of a phase, one at a time in each repository. Whoever makes any in that phase uses the same one."""

    def __init__(
        self,
        gateway: Gateway,
        in_flight: RequestsInFlight,
        context: RunContext,
        alive: dict[Repository, anyio.Lock] | None = None,
    ) -> None:
        """`in_flight`: has each push while it may take effect. `alive`: the locks of each repository, shared with others."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._context = context
        self._changer = TagChanger(gateway, in_flight, context.clock)
        self._alive: dict[Repository, anyio.Lock] = {} if alive is None else alive

    def through(self, gateway: Gateway) -> "Decoys":
        """Return a copy that sends its requests through another gateway, and shares the locks."""
        return Decoys(gateway, self._in_flight, self._context, self._alive)

    def lock(self, repository: Repository) -> anyio.Lock:
        """Return the lock that whoever makes a decoy of the repository holds as long as that decoy is alive."""
        return self._alive.setdefault(repository, anyio.Lock())

    @asynccontextmanager
    async def make(self, repository: Repository, tags: Collection[str]) -> AsyncIterator["Decoy"]:
        """Take the lock, and make a decoy for these tags, which is alive until the block is left. Raises StateError."""
        async with self.lock(repository):
            yield await self.make_under_lock(repository, tags)

    async def make_under_lock(self, repository: Repository, tags: Collection[str]) -> "Decoy":
        """Make a decoy for these tags, and have it journalled before it is pushed; the caller holds the lock.

        Raises StateError.
        """
        context = self._context
        manifest = empty_index(uuid4().hex, context.recorder.run)
        await context.recorder.decoy(repository, list(tags), manifest)
        context.removed_ahead.add_decoy(repository, manifest.digest)
        return Decoy(repository, manifest, self._gateway, self._changer, context)

    def earlier(self, repository: Repository, digest: Digest, under: Mapping[str, Digest | None]) -> "EarlierDecoy":
        """Return a decoy that an earlier part of this run made, known by its digest.

        `under`: the tags that it may be under, and what each held before (None: nothing).
        """
        return EarlierDecoy(repository, digest, self._gateway, self._changer, self._context, under)


class EarlierDecoy:
    """A decoy of this run that is, or may be, under some tags.

    `under`: these tags, and what each held before (None: nothing).
    """

    @property
    def effect(self) -> Effect:
        """What its pushes may have done."""
        return Effect.OPEN if self.under else Effect.NONE

    def __init__(
        self,
        repository: Repository,
        digest: Digest,
        gateway: Gateway,
        changer: TagChanger,
        context: RunContext,
        under: Mapping[str, Digest | None],
    ) -> None:
        """`digest`: that of the decoy."""
        self.repository = repository
        self.digest = digest
        self.under = dict(under)
        self._gateway = gateway
        self._changer = changer
        self._context = context

    async def delete(self) -> Removal | Failure:
        """DELETE the decoy, and with it all tags that are under it; it is sent whatever failures are remembered."""
        gateway = self._gateway.repository(self.repository)
        if gateway.known_failure is not None:
            gateway = self._gateway.with_fresh_memory().repository(self.repository)
        return await gateway.delete(self.digest, Sending())

    async def remove(self, archive: Mapping[Digest, Manifest] | None = None) -> DecoyRemoval:
        """DELETE the decoy, find out what each tag under it holds, and put back the manifest of a tag that still holds it.

        `archive`: the manifests of these tags, as far as they are at hand; the others are read from the registry.
        """
        return await self._proved(await self.delete(), archive or {})

    async def remove_if_there(self, archive: Mapping[Digest, Manifest]) -> DecoyRemoval:
        """Do the same, but send no DELETE where the decoy is gone: that is no word on its tags, which may hold it still."""
        gone = await self._changer.read(self.repository, self.digest) is None
        return await self._proved(Removal.WAS_GONE if gone else await self.delete(), archive)

    async def _proved(self, deleted: Removal | Failure, archive: Mapping[Digest, Manifest]) -> DecoyRemoval:
        # Remembered failures do not count here: the tags have to be read and put back in any case.
        looks = _DecoyLooks(self, archive, self._gateway.workers, self._changer.with_fresh_memory(), self._context)
        names = await looks.look(deleted)
        await looks.put_back()
        return DecoyRemoval(self.digest, deleted, names, looks.looks)

    async def put_back(self, tag: str, archived: Manifest) -> Digest | Failure | None:
        """Push the archived manifest under a tag that holds the decoy; return what the tag holds then."""
        return await self._changer.put_back(self.repository, tag, self.digest, archived)


class Decoy(EarlierDecoy):
    """A decoy that was made just now, and is under the tags that it was pushed over."""

    def __init__(
        self, repository: Repository, manifest: Manifest, gateway: Gateway, changer: TagChanger, context: RunContext
    ) -> None:
        """`manifest`: the decoy itself, which is pushed."""
        super().__init__(repository, manifest.digest, gateway, changer, context, {})
        self._manifest = manifest

    def change(self, tag: str, before: Digest | None, permission: Permission, *, damaged: bool = False) -> Change:
        """Return the change that puts the decoy on a tag which holds `before` (None: nothing); the rest as in `Change`."""
        return Change(self.repository, tag, before, self.digest, permission, damaged)

    async def push(self, change: Change) -> Changed:
        """Push the decoy over a tag that holds still what it held before."""
        with CutOff(change, self.under.__setitem__, change.tag, change.before):
            changed = await self._changer.put(change, self._manifest)
        if may_be_made(changed):
            self.under[change.tag] = change.before
        return changed


class _DecoyLooks:
    """Reads the tags of one decoy after its DELETE, and keeps what was seen of each in `looks`."""

    def __init__(
        self,
        decoy: EarlierDecoy,
        archive: Mapping[Digest, Manifest],
        workers: Callable[[str], int],
        changer: TagChanger,
        context: RunContext,
    ) -> None:
        self.looks: dict[str, TagLook] = {}
        self._decoy = decoy
        self._archive = archive
        self._repository = decoy.repository
        self._workers = workers
        self._changer = changer
        self._lister = changer.with_fresh_memory()  # a refused list says nothing of the tags
        self._context = context

    async def look(self, deleted: Removal | Failure) -> Collection[str] | Failure:
        """Read the tag list and the tags in it until all are certain, or no more `Pauses` are left; return the last list."""
        pauses = Pauses(self._context.clock, self._context.stop)
        left = list(self._decoy.under)
        while True:
            names = await self._lister.listed(self._repository)
            left = await self._in_question(self._without_gone(left, names))
            waits = left and not isinstance(names, Failure) and lingers(self.looks[left[0]], deleted)
            if not waits or not await pauses.take():
                break
        await self._each(left[1:], self._see)
        return names

    def _without_gone(self, tags: Iterable[str], names: Collection[str] | Failure) -> list[str]:
        """Return the tags that are listed, or may be; the others are gone."""
        if isinstance(names, Failure):
            return list(tags)
        listed: list[str] = []
        for tag in tags:
            if tag in names:
                listed.append(tag)
            else:
                self.looks[tag] = GONE
        return listed

    async def _in_question(self, tags: list[str]) -> list[str]:
        """Read tags in order until one holds the decoy, or nothing; return that tag and those after it."""
        for number, tag in enumerate(tags):
            await self._see(tag)
            if self.looks[tag].state is TagState.DANGLING:
                return tags[number:]
        return []

    async def _see(self, tag: str) -> None:
        self._note(tag, await self._changer.read(self._repository, tag))

    def _note(self, tag: str, held: Digest | Failure | None) -> None:
        before = self._decoy.under[tag]
        held = none_if_damaged(held) if before is None else held
        # The tag is listed, or may be, so a 404 does not prove that it is gone.
        self.looks[tag] = TagLook(tag_state(before, held, listed=True, decoys={self._decoy.digest}), held)

    async def put_back(self) -> None:
        """Push the former manifest of each tag that still holds the decoy."""
        left = [tag for tag, look in self.looks.items() if look.held == self._decoy.digest]
        await self._each(left, self._put_back)

    async def _put_back(self, tag: str) -> None:
        before = self._decoy.under[tag]
        if before is None:
            return
        archived = self._archive.get(before) or await self._changer.whole(self._repository, before)
        if isinstance(archived, Manifest):
            self._note(tag, await self._decoy.put_back(tag, archived))

    async def _each(self, tags: Collection[str], work: Callable[[str], Awaitable[None]]) -> None:
        """Do this for each tag, many at once, also in a run that is stopped."""
        await run_jobs_unstopped({self._repository.host: tags}, self._workers, work)
