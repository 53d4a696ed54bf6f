"""Whether a registry keeps its word: the first deletion of a place is looked at before anybody believes its answer.

`bulkrm.model.result.effect` has the theory. Costs for each place: HEAD of the digest, HEAD of a tag and one tag list; where only
digests go, one HEAD.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.effects import Effects
from bulkrm.engine.execute.first_alone import FirstAlone
from bulkrm.engine.execute.remains import Remains
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import PATIENCE, Removal, TagLook, TagState, place_of
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Outcome
from bulkrm.model.target import Target
from bulkrm.planning.remains import REMAIN, done, outcomes, unknown_effect


@dataclass(slots=True)
class _Place:
    """What was seen of one place. `key`: that of the turn of a deletion there.

    `manifests`: one was gone after its DELETE. `tags_go`: whether they go with their manifest; None: not seen yet.
    `stay_listed`: they lead nowhere then, and are listed still, so that the list has to tell of each.
    `untold`: a tag was there after its own DELETE was answered, so that none counts as taken off before its manifest.
    `against`: why nothing is deleted there, whatever is answered; `against_tagged`: why nothing that has tags is.
    """

    key: str
    manifests: bool = False
    tags_go: bool | None = None
    stay_listed: bool = False
    untold: bool = False
    against: Failure | None = None
    against_tagged: Failure | None = None

    def is_known(self, *, tagged: bool) -> bool:
        """Tell whether a clean answer is believed by now, or known to be worth nothing."""
        return self.tags_go is not None if tagged else self.manifests


Told = Iterable[tuple[Target, Outcome]]


class Proof:
    """What was seen of all places of a run."""

    def __init__(self, remains: Remains, context: RunContext, effects: Effects, first_alone: FirstAlone) -> None:
        """Begin with nothing seen. `effects` take what is not proved at once, and hear of all else."""
        self._effects = effects
        self._first_alone = first_alone
        self._remains = remains
        self._stop = context.stop
        self._clock = context.clock
        self._removed_ahead = context.removed_ahead
        self._places: dict[str, _Place] = {}
        self._of: dict[Repository, _Place] = {}

    def _place(self, repository: Repository) -> _Place:
        place = self._of.get(repository)
        if place is None:
            key = place_of(repository)
            place = self._of[repository] = self._places.setdefault(key, _Place(key))
        return place

    def has_tags(self, item: Item) -> bool:
        """Tell whether tags are to go with a manifest that were not taken off before."""
        return bool(self._still_on(item))

    def _still_on(self, item: Item) -> list[str]:
        if self._place(item.repository).untold:
            return list(item.tags)
        return [tag for tag in item.tags if not self._removed_ahead.is_gone(item.repository, tag)]

    def keys(self, item: Item, *, untagged_first: bool) -> tuple[str, ...]:
        """Return the keys of a deletion's turn: until one was seen to have its effect, it goes alone in its place.

        Those with tags prove more, so they have a key of their own beside that. `untagged_first`: the tags are taken off
        before the deletion.
        """
        place = self._place(item.repository).key
        return (place, _with_tags(place)) if self.has_tags(item) and not untagged_first else (place,)

    def against(self, item: Item) -> Failure | None:
        """Say why a deletion would come to nothing good, if that was found out."""
        place = self._place(item.repository)
        return place.against or (place.against_tagged if item.tags else None)

    async def prove(self, item: Item, targets: Collection[Target], removal: Removal) -> None:
        """Tell what a removal amounts to, or keep it until the tags of its repository are listed.

        Whoever calls this has the turn of `keys`.
        """
        told = await self._outcomes(item, removal)
        if told is None:
            self._effects.add(item, removal, tuple(targets), item.tags)
            return
        for target, outcome in told:
            if target in targets:
                self._effects.tell(item, (target,), outcome)

    async def _outcomes(self, item: Item, removal: Removal) -> Told | None:
        """Say what a deletion came to; None: the tag list of the repository has to tell."""
        if removal is Removal.WAS_GONE:
            return None
        place = self._place(item.repository)
        if not place.is_known(tagged=self.has_tags(item)):
            failure = await self._look(item, removal, place)
            if failure is not None:
                return [(target, Failed(failure)) for target in item.targets]
            self._open(place)
        if place.tags_go is False and self.has_tags(item):
            return await self._take_off(item, removal, place)
        listed_still = place.stay_listed or self._removed_ahead.is_doubtful(item.repository, item.tags)
        if removal is Removal.FOUND_GONE or listed_still:
            return None if item.tags else ((target, done(item, removal)) for target in item.targets)
        return ((target, done(item, removal)) for target in item.targets)

    def _open(self, place: _Place) -> None:
        """Let the others go, as far as something was seen."""
        if place.manifests:
            self._first_alone.open(place.key)
        if place.tags_go is not None:
            self._first_alone.open(_with_tags(place.key))

    async def _look(self, item: Item, removal: Removal, place: _Place) -> Failure | None:
        """Look at the first deletion of a place until it shows an effect; return why it failed, or cannot be told."""
        left = self._still_on(item)
        tag = next(iter(left or item.tags), None)
        # Where the tags were not listed, because the user does not want that, they are not listed now either.
        listed = not (isinstance(item.verdict, Delete) and item.verdict.also_removed is None)
        held, look = await self._until_gone(item, tag, listed=listed)
        cause = next((found for found in (held, look.held) if isinstance(found, Failure)), None)
        if cause is not None:
            return unknown_effect(cause)
        if self._stop and (held is not None or look.state.remains):
            return unknown_effect(_STOPPED)
        if held is not None:
            failure = _no_effect(item, tag)
            place.against = replace(failure, message=f"not sent: {failure.message}", unfinished=False)
            return failure
        place.manifests = True
        if look.state is TagState.SERVES:
            place.tags_go = False
            place.untold = not left
        elif look.state is TagState.DANGLING and removal is Removal.DELETED:
            place.tags_go = place.stay_listed = True
        elif look.state is TagState.GONE and left and removal is Removal.DELETED:
            place.tags_go = True
        return None

    async def _until_gone(
        self, item: Item, tag: str | None, *, listed: bool
    ) -> tuple[Digest | Failure | None, TagLook]:
        """Look at a digest and a tag until both are gone, or nobody would wait longer; return the last look."""
        remains = self._remains.anew()
        held, look = await _seen(remains, item, tag, listed=listed)
        for pause in PATIENCE:
            if isinstance(held, Failure) or not (held is not None or look.state.remains) or self._stop:
                break
            await self._clock.sleep(pause)
            held, look = await _seen(remains, item, tag, listed=listed)
            if tag is not None and held is None and look.state is TagState.SERVES and await self._goes(item, tag):
                break
        return held, look

    async def _goes(self, item: Item, tag: str) -> bool:
        """Tell whether a tag that outlives its manifest goes when it is deleted: then there is nothing to wait for."""
        return (await self._remains.take_off(item, [tag]))[tag].state is TagState.GONE

    async def _take_off(self, item: Item, removal: Removal, place: _Place) -> Told:
        """Take the tags off a manifest that is gone; where that does not work, no other image's tags are risked."""
        told = list(outcomes(item, removal, await self._remains.take_off(item, item.tags)))
        failed = next((outcome.failure for _, outcome in told if isinstance(outcome, Failed)), None)
        if failed is not None and failed.code is FailureCode.TAGS_REMAIN:
            what = f"not sent: this registry deletes manifests and not their tags, as was seen of {item.repository}@{item.digest}"
            place.against_tagged = Failure(FailureCode.TAGS_REMAIN, what, None, REMAIN)
        return told


async def _seen(
    remains: Remains, item: Item, tag: str | None, *, listed: bool
) -> tuple[Digest | Failure | None, TagLook]:
    """Look at a digest and a tag that were to go: by HEAD, and where that finds nothing, in the list if `listed`."""
    held = await remains.held(item.repository, item.digest)
    if held is not None or tag is None:
        return held, TagLook(TagState.GONE)
    look = await remains.look(item, tag, listed=False)
    if look.state is not TagState.GONE or not listed:
        return held, look
    names = await remains.listed(item.repository)
    if isinstance(names, Failure):
        # Who may not list the tags has chosen to delete without seeing them: then HEAD is all there is.
        return held, look if names.code in _NO_LIST else TagLook(TagState.UNKNOWN, names)
    return held, TagLook(TagState.DANGLING) if tag in names else look


_NO_LIST = frozenset({FailureCode.NOT_PERMITTED, FailureCode.NOT_A_REGISTRY, FailureCode.REFUSED})


def _no_effect(item: Item, tag: str | None) -> Failure:
    """Say that a deletion was answered and not carried out."""
    named = f"{item.repository}:{tag}" if tag is not None else f"{item.repository}@{item.digest}"
    what = f"the registry answered that it deletes, and {named} is still there after {sum(PATIENCE):.0f} s"
    code = FailureCode.UNCONFIRMED if tag is None else FailureCode.TAGS_REMAIN
    hint = "look into the registry's log; delete with its own tool, or `bulkrm resume` where it only takes its time"
    return Failure(code, what, None, hint, unfinished=True)


_STOPPED = Failure(FailureCode.UNCONFIRMED, "the run was stopped before the registry showed an effect")


def _with_tags(place: str) -> str:
    return f"{place} with tags"
