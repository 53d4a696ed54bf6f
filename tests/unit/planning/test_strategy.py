"""Where tags go before their manifests: the number of tags to delete, of those that are there, and what was proved."""

from dataclasses import replace

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Order, Plan, Untag, UntagMethod, Verdict
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode, TagsOnly
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.settings import Strategy
from bulkrm.model.target import Source, Target
from bulkrm.planning.order.cost import requests_in
from bulkrm.planning.order.sequence import choose_orders, removable_ahead, repositories_to_probe, with_tags_only_hosts

APP = Repository("registry.example", "team/app")


def item(number: int, *more: str, verdict: Verdict | None = None, parents: tuple[Digest, ...] = ()) -> Item:
    """A manifest that the list names by one tag; `more` are tags that it does not name."""
    tag = f"pr-{number}"
    resolved = Resolved(Digest.of(tag.encode()), OCI_MANIFEST, 400)
    target = Target(TagRef(APP, tag), Source("list", number))
    return Item(APP, resolved, (target,), verdict or Delete(), (tag, *more), parents)


def plan(number: int, there: int | None = None) -> Plan:
    """So many manifests to delete, in a repository of so many tags."""
    return Plan(tuple(item(index) for index in range(number)), (), {APP: there or number})


@pytest.mark.parametrize(
    ("number", "there", "untag_method", "expected"),
    [
        (100, 100, UntagMethod.TAG, Order.DIGEST),
        (130, 130, UntagMethod.TAG, Order.TAGS_FIRST),
        (130, 100_000, UntagMethod.TAG, Order.TAGS_FIRST),
        (130, 130, UntagMethod.DECOY, Order.DIGEST),
        (320, 320, UntagMethod.DECOY, Order.DECOY),
        (320, 20_000, UntagMethod.DECOY, Order.DIGEST),
        (5000, 5000, None, Order.DIGEST),
        (5000, 5000, Failure(FailureCode.REFUSED, "no"), Order.DIGEST),
    ],
)
def test_auto(number: int, there: int, untag_method: UntagMethod | Failure | None, expected: Order) -> None:
    """Tags go first where that spares more than it costs: a decoy costs more, and its DELETE reads every tag there."""
    made = plan(number, there)

    found = choose_orders(made, Strategy.AUTO, lambda _: untag_method)

    assert found.get(APP, Order.DIGEST) is expected


def test_who_is_asked() -> None:
    """A registry is asked only where the answer matters; never for `digest`, always for `tags-first`."""
    assert list(repositories_to_probe(plan(20), Strategy.AUTO)) == []
    assert list(repositories_to_probe(plan(200), Strategy.AUTO)) == [APP]
    assert list(repositories_to_probe(plan(1), Strategy.TAGS_FIRST)) == [APP]
    assert list(repositories_to_probe(plan(5000), Strategy.DIGEST)) == []
    assert choose_orders(plan(1), Strategy.TAGS_FIRST, lambda _: UntagMethod.DECOY) == {APP: Order.DECOY}


def test_what_may_go_without_its_tags() -> None:
    """Not what is kept, not what waits for others, and nothing with a tag that the list does not name."""
    plain = item(1)
    items = [
        plain,
        item(2, "other"),
        item(3, verdict=Kept(KeptReason.SHARED)),
        item(4, parents=(plain.digest,)),
    ]

    assert list(removable_ahead(items)) == [plain]


def test_where_tags_have_to_go_first() -> None:
    """Such a host is not asked, and its order is tags-first, whatever the strategy and however small the repository."""
    made = replace(plan(3), untagged_first=frozenset({APP.host}))

    for strategy in Strategy:
        assert list(repositories_to_probe(made, strategy)) == []
        assert choose_orders(made, strategy, lambda _: None) == {APP: Order.TAGS_FIRST}


def test_the_cost_where_tags_have_to_go_first() -> None:
    """Each tag costs two requests more, also those that the list does not name, and those of an index's child."""
    items = [item(1), item(2, "other"), item(3, parents=(item(1).digest,)), item(4, verdict=Kept(KeptReason.SHARED))]

    assert requests_in(items, Order.TAGS_FIRST, untagged_first=True) == 3 + 2 * 4


WHY = TagsOnly(FailureCode.NOT_SUPPORTED, "tags only")


def test_where_tags_go_alone() -> None:
    """The listed tags go and say that the manifest stays, by another tag or by its digest; digests fail."""
    shared, both = item(2, "other"), item(3)
    by_digest = Target(DigestRef(APP, both.digest), Source("list", 9))
    both = replace(both, targets=(*both.targets, by_digest))
    made = Plan((item(1), shared, both, item(4, verdict=Kept(KeptReason.SHARED))))

    found = with_tags_only_hosts(made, {APP.host: WHY}).items

    one = item(1)
    assert [(entry.verdict, len(entry.targets)) for entry in found] == [
        (Untag((f"{APP}@{one.digest}",)), 1),
        (Untag((f"{APP}:other",)), 1),
        (Untag((f"{APP}@{both.digest}",)), 1),
        (Failed(WHY), 1),
        (Kept(KeptReason.SHARED), 1),
    ]
    assert with_tags_only_hosts(made, {"other.example": WHY}) == made
    assert with_tags_only_hosts(made, {}) is made


def test_what_is_attached_stays_with_it() -> None:
    """What only belongs to a manifest that stays is kept."""
    parent = DigestRef(APP, item(1).digest)
    attached = replace(item(5), targets=(Target(TagRef(APP, "pr-5"), None, parent=parent),))

    (found,) = with_tags_only_hosts(Plan((attached,)), {APP.host: WHY}).items

    assert found.verdict == Kept(KeptReason.NEEDED, (str(parent),))
