"""The order of the requests."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX, Children, Resolved
from bulkrm.model.plan import Delete, Item
from bulkrm.model.reference import Repository
from tests.support.steps import by_digest

HOST = "registry.example"


def digest(name: str) -> Digest:
    """The digest that stands for a name."""
    return Digest.of(name.encode())


def item(name: str, *children: str, repository: str = "app", host: str = HOST) -> Item:
    """A manifest that names these children."""
    resolved = Resolved(digest(name), OCI_INDEX, 3, Children(tuple(digest(child) for child in children)))
    return Item(Repository(host, repository), resolved, (), Delete())


def order(*items: Item) -> list[Digest]:
    """The digests in the order of their deletion."""
    return [step.item.digest for step in by_digest(items).get(HOST, ())]


def test_nothing() -> None:
    """Nothing to delete is no step."""
    assert by_digest([]) == {}


def test_hosts_apart() -> None:
    """Each host has steps of its own."""
    steps = by_digest([item("a"), item("b", host="other.example"), item("c")])

    assert {host: [step.item.digest for step in found] for host, found in steps.items()} == {
        HOST: [digest("a"), digest("c")],
        "other.example": [digest("b")],
    }


def test_repositories_in_turn() -> None:
    """The repositories of a host take turns, also when one has more to do."""
    items = [item(name, repository=name[0]) for name in ("a1", "a2", "a3", "b1", "c1", "c2")]

    assert order(*items) == [digest(name) for name in ("a1", "b1", "c1", "a2", "c2", "a3")]


@pytest.mark.parametrize("names", ["ixy", "xiy", "xyi"])
def test_an_index_before_its_children(names: str) -> None:
    """An index goes before its children, which wait for it, wherever the list has them."""
    items = {"i": item("i", "x", "y"), "x": item("x"), "y": item("y")}

    steps = by_digest([items[name] for name in names])[HOST]

    assert steps[0].item.digest == digest("i")
    assert [step.after for step in steps] == [(), (digest("i"),), (digest("i"),)]


def test_only_what_goes_is_waited_for() -> None:
    """Children that stay, and those in other repositories, are no reason to wait."""
    steps = by_digest([item("i", "stays", "x"), item("x", repository="other")])[HOST]

    assert [step.after for step in steps] == [(), ()]


def test_a_child_of_two() -> None:
    """A child of two indexes waits for both."""
    steps = by_digest([item("x"), item("i", "x"), item("j", "x")])[HOST]

    assert steps[-1].item.digest == digest("x")
    assert set(steps[-1].after) == {digest("i"), digest("j")}


@pytest.mark.parametrize("names", ["xji", "xij", "ijx", "jxi"])
def test_an_index_in_an_index(names: str) -> None:
    """Where two indexes name a child and one names the other, the outer one goes first, the child last."""
    items = {"i": item("i", "j", "x"), "j": item("j", "x"), "x": item("x")}

    assert order(*(items[name] for name in names)) == [digest("i"), digest("j"), digest("x")]


def test_what_was_not_read() -> None:
    """A manifest that was asked for by HEAD only has no children that are known."""
    unread = Item(Repository(HOST, "app"), Resolved(digest("i"), OCI_INDEX, 3), (), Delete())

    assert [step.after for step in by_digest([item("x"), unread])[HOST]] == [(), ()]


def test_an_index_that_names_itself() -> None:
    """An entry that claims to be its own child waits for nobody."""
    (step,) = by_digest([item("i", "i")])[HOST]

    assert step.after == ()


def test_a_long_chain() -> None:
    """Indexes in indexes, a thousand deep, are put in order without a deep recursion."""
    names = [str(number) for number in range(1000)]
    items = [item(name, following) for name, following in zip(names, [*names[1:], "end"], strict=True)]

    assert order(*reversed(items)) == [digest(name) for name in names]


def test_what_claims_to_be_a_circle() -> None:
    """Manifests that claim to name each other, which no digest allows, are still all there once."""
    assert sorted(order(item("a", "b"), item("b", "a"))) == sorted([digest("a"), digest("b")])


def test_not_through_all_repositories() -> None:
    """Of many repositories some take turns until one of them is finished: what was read of it is still young then."""
    names = [f"r{number}" for number in range(100)]
    items = [
        Item(Repository(HOST, name), Resolved(digest(f"{name}-{turn}"), OCI_INDEX, 3), (), Delete())
        for turn in range(5)
        for name in names
    ]
    places = [step.item.repository.path for step in by_digest(items)[HOST]]

    assert sorted(places) == sorted(names * 5)
    for name in names:
        turns = [number for number, place in enumerate(places) if place == name]
        assert 1 <= turns[1] - turns[0] <= 16
        assert turns[-1] - turns[0] <= 4 * 16
