"""Tags taken off a manifest that lives on: who goes, who stays, and what a second judgement makes of it."""

from dataclasses import replace

from bulkrm.cli.terminal.question_text import question_of
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_fields import totals
from bulkrm.model.plan import Delete, Plan, Untag, UntagMethod
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.settings import Limit, Policy, Shared
from bulkrm.model.steps import DeleteManifest, UntagManifest
from bulkrm.planning.facts import FindPattern, RepositoryFacts, Unreadable
from bulkrm.planning.guards.rules import GuardRules
from bulkrm.planning.judge import enforce_limit, judge
from bulkrm.planning.order.sequence import steps_of
from bulkrm.planning.recheck import recheck
from bulkrm.reports.plan_view import view
from tests.unit.planning.test_guards import APP, ONE, TWO, facts, protects, target, unprotected

DISABLED = Failure(FailureCode.DELETION_DISABLED, "HTTP 405")


def untag(found: RepositoryFacts, protection: FindPattern = unprotected, limit: Limit | None = None) -> Plan:
    """The plan with --shared untag."""
    judged = judge([found], GuardRules(Shared.UNTAG, protection))
    return enforce_limit(judged, limit) if limit is not None else judged


def verdicts(plan: Plan) -> dict[str, object]:
    """The verdict on each target, by what is written behind the repository."""
    return {str(entry.reference).removeprefix(str(APP)): item.verdict for item in plan.items for entry in item.targets}


def test_listed_tags_go() -> None:
    """A digest with a tag outside the list loses the listed ones; one without is deleted as ever."""
    plan = untag(facts([("a", ONE), ("b", ONE), ("c", TWO)], {"a": ONE, "b": ONE, "z": ONE, "c": TWO}))

    off = Untag((f"{APP}:z",))
    assert verdicts(plan) == {":a": off, ":b": off, ":c": Delete()}


def test_a_digest_is_no_tag() -> None:
    """A digest in the list beside listed tags is kept, and names the tags that stay, not those that go."""
    plan = untag(facts([("a", ONE), (f"@{ONE.digest}", ONE)], {"a": ONE, "z": ONE}))

    assert verdicts(plan) == {
        ":a": Untag((f"{APP}:z",)),
        f"@{ONE.digest}": Kept(KeptReason.SHARED, (f"{APP}:z",)),
    }


def test_a_protected_tag_stays_alone() -> None:
    """A protected tag protects its digest, and another listed tag may still be taken off it."""
    plan = untag(facts([("a", ONE), ("b", ONE)], {"a": ONE, "b": ONE}), protects("b"))

    assert verdicts(plan) == {":a": Untag((f"{APP}:b",)), ":b": Kept(KeptReason.PROTECTED, ("*:b",))}


def test_all_protected() -> None:
    """Where every listed tag is protected, nothing is done."""
    plan = untag(facts([("a", ONE)], {"a": ONE, "z": ONE}), protects("a"))

    assert verdicts(plan) == {":a": Kept(KeptReason.PROTECTED, ("*:a",))}


def test_no_way() -> None:
    """Where tags can be removed in no way, the digest is shared; where nothing is deleted at all, it fails."""
    found = facts([("a", ONE)], {"a": ONE, "z": ONE})

    assert verdicts(untag(replace(found, untag_method=None))) == {":a": Kept(KeptReason.SHARED, (f"{APP}:z",))}
    assert verdicts(untag(replace(found, untag_method=DISABLED))) == {":a": Failed(DISABLED)}
    assert verdicts(untag(replace(found, untag_method=UntagMethod.DECOY))) == {
        ":a": Untag((f"{APP}:z",), UntagMethod.DECOY)
    }


def test_unreadable() -> None:
    """What could not be read keeps everything, in this mode too."""
    plan = untag(facts([("a", ONE)], Unreadable("why")))

    assert verdicts(plan) == {":a": Kept(KeptReason.UNREADABLE, ("why",))}


def test_the_limit_counts_the_tags_that_go() -> None:
    """Two tags of a digest with three count as two."""
    found = facts([("a", ONE), ("b", ONE)], {"a": ONE, "b": ONE, "z": ONE})

    assert isinstance(untag(found, limit=Limit(2)).items[0].verdict, Untag)
    (held,) = untag(found, limit=Limit(1)).items
    assert held.verdict == Kept(KeptReason.LIMIT, ("2 would disappear, --max-delete is 1",))


def test_a_tag_named_twice_is_one_tag() -> None:
    """With its digest and without: the limit, the question, the plan and its view count it once."""
    plan = untag(facts([("a", ONE), (f"a@{ONE.digest}", ONE)], {"a": ONE, "z": ONE}), limit=Limit(1))
    document = PlanDocument(plan, Policy(Shared.UNTAG))

    assert len(plan.items[0].targets) == 2
    assert question_of(plan) == "Remove 1 tag from images that stay in 1 repository of 1 registry?"
    assert totals(document)["tags_removed"] == 1
    assert "(2 tags: 1 to go, 1 to stay)" in view(document, None)


def test_a_doomed_digest_that_got_a_tag() -> None:
    """What was to be deleted and would only be untagged by now is kept: the plan said something else."""
    old = untag(facts([("a", ONE)], {"a": ONE}))

    result = recheck(old.changed_items, untag(facts([("a", ONE)], {"a": ONE, "new": ONE})))

    assert result.items == ()
    assert [entry.outcome for entry in result.dropped] == [Kept(KeptReason.SHARED, (f"{APP}:new",))]


def test_a_digest_that_lost_its_other_tags() -> None:
    """What was to be untagged and would be deleted by now is untagged: that is what both do."""
    old = untag(facts([("a", ONE)], {"a": ONE, "z": ONE}))

    (item,) = recheck(old.changed_items, untag(facts([("a", ONE)], {"a": ONE}))).items

    assert item.verdict == Untag((f"{APP}:z",))
    assert item.targets == (target("a"),)


def test_a_tag_that_became_protected() -> None:
    """Protection that came since holds."""
    found = facts([("a", ONE)], {"a": ONE, "z": ONE})

    result = recheck(untag(found).changed_items, untag(found, protects("a")))

    assert [entry.outcome for entry in result.dropped] == [Kept(KeptReason.PROTECTED, ("*:a",))]


def test_tags_go_first() -> None:
    """Removals come before the deletions of their repository, and wait for nothing."""
    plan = untag(facts([("c", TWO), ("a", ONE)], {"a": ONE, "z": ONE, "c": TWO}))

    (steps,) = steps_of(plan).values()

    removal, deletion = (
        plan.changed_items
        if isinstance(next(plan.changed_items).verdict, Untag)
        else reversed(list(plan.changed_items))
    )
    assert steps == (UntagManifest(removal), DeleteManifest(deletion))
