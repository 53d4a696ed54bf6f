"""Tags that are listed and lead nowhere: which go, which stay and why, and what two judgements agree on."""

from dataclasses import replace

import pytest

from bulkrm.model.manifests.manifest import Absent, Resolution, Unresolved
from bulkrm.model.plan import Dangling, Delete, Plan, Settled, UntagMethod
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.settings import Limit
from bulkrm.planning.dangling import NOWHERE, agreed
from bulkrm.planning.facts import RepositoryFacts, Unreadable
from bulkrm.planning.recheck import recheck
from tests.unit.planning.test_guards import APP, ONE, facts, plan, protects, target

BROKEN = Failure(FailureCode.SERVER_ERROR, "HTTP 500", 500)


def nowhere(
    *listed: tuple[str, Resolution], untag_method: UntagMethod | Failure | None = UntagMethod.TAG
) -> RepositoryFacts:
    """A repository whose tag `bad` leads nowhere."""
    return replace(facts(listed, {"good": ONE}), dangling=frozenset({"bad"}), untag_method=untag_method)


@pytest.mark.parametrize("found", [Absent(), Unresolved(BROKEN)])
@pytest.mark.parametrize("untag_method", UntagMethod)
def test_it_goes(found: Resolution, untag_method: UntagMethod) -> None:
    """It goes in the way that there is, beside what else goes, and counts as a tag."""
    made = plan(nowhere(("bad", found), ("good", ONE), untag_method=untag_method))

    assert made.dangling == (Dangling(target("bad"), untag_method),)
    assert [item.verdict for item in made.items] == [Delete()]
    assert (made.settled, made.tags_seen, made.touched) == ((), 2, {APP})


def test_only_what_is_listed() -> None:
    """A tag that the registry does not list is absent or failed, as ever."""
    made = plan(nowhere(("gone", Absent()), ("lost", Unresolved(BROKEN))))

    assert [entry.outcome for entry in made.settled] == [Gone(), Failed(BROKEN)]
    assert made.dangling == ()


def test_why_it_stays() -> None:
    """It stays where it is protected, pinned, where nothing can delete a tag, and where nothing is deleted at all."""
    listed = ("bad", Absent())
    protected = plan(nowhere(listed), protection=protects("bad"))
    pinned = plan(nowhere((f"bad@{ONE.digest}", Absent()), listed))
    without = plan(nowhere(listed, untag_method=None))
    refused = plan(nowhere(listed, untag_method=BROKEN))

    assert [entry.outcome for entry in protected.settled] == [Kept(KeptReason.PROTECTED, ("*:bad",))]
    why = Kept(KeptReason.UNREADABLE, (f"{NOWHERE}, so it cannot be told whether it holds {ONE.digest}",))
    assert [entry.outcome for entry in pinned.settled] == [why, why]
    assert [entry.outcome for entry in without.settled] == [Kept(KeptReason.UNREADABLE, (NOWHERE,))]
    assert [entry.outcome for entry in refused.settled] == [Failed(BROKEN)]
    assert not any(made.dangling for made in (protected, pinned, without, refused))


def test_a_limit() -> None:
    """It counts against a limit, and is kept with everything else."""
    made = plan(nowhere(("bad", Absent()), ("good", ONE)), limit=Limit(1))

    kept = Kept(KeptReason.LIMIT, ("2 would disappear, --max-delete is 1",))
    assert (made.dangling, made.settled) == ((), (Settled(target("bad"), kept),))
    assert [item.verdict for item in made.items] == [kept]


def test_in_a_repository_that_cannot_be_read() -> None:
    """Another tag that cannot be read does not hold it: nothing depends on what leads nowhere."""
    made = plan(replace(nowhere(("bad", Absent()), ("good", ONE)), tags=Unreadable("why")))

    assert [entry.target for entry in made.dangling] == [target("bad")]
    assert [type(item.verdict) for item in made.items] == [Kept]


def test_two_judgements() -> None:
    """It goes if both say so; else the fresh one says what became of it, and one that leads somewhere now has moved."""
    saved = [Dangling(target(name)) for name in ("bad", "good", "gone", "kept")]
    kept = Kept(KeptReason.PROTECTED, ("*:kept",))
    fresh = replace(
        plan(nowhere(("bad", Absent()), ("good", ONE), untag_method=UntagMethod.DECOY)),
        settled=(Settled(target("kept"), kept),),
    )

    both = agreed(saved, fresh)

    assert both.dangling == (Dangling(target("bad"), UntagMethod.DECOY),)
    assert {entry.target: entry.outcome for entry in both.settled} == {
        target("good"): Kept(KeptReason.MOVED, (f"{APP}:good@{ONE.digest}",)),
        target("gone"): Gone(),
        target("kept"): kept,
    }


def test_what_was_a_manifest_before() -> None:
    """A tag of an image that leads nowhere by the second judgement is not deleted as if it had been so all along."""
    before = plan(facts([("bad", ONE)], {"bad": ONE}))

    again = recheck(before.changed_items, plan(nowhere(("bad", Absent()))))

    assert (again.items, again.dropped) == ((), (Settled(target("bad"), Gone()),))


def test_nothing_to_agree_on() -> None:
    """Where nothing dangles there is nothing to say."""
    assert agreed((), Plan(())) == agreed([], plan(nowhere(("bad", Absent()))))
