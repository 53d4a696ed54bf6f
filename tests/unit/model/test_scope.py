"""Token scopes."""

import pytest

from bulkrm.model.errors import ProtocolError
from bulkrm.model.scope import CATALOG, Scope


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("repository:team/app:pull", Scope("repository", "team/app", frozenset({"pull"}))),
        ("repository:a:pull,delete,pull", Scope("repository", "a", frozenset({"pull", "delete"}))),
        ("repository:host:5000/app:pull", Scope("repository", "host:5000/app", frozenset({"pull"}))),
        ("repository(plugin):a:pull", Scope("repository(plugin)", "a", frozenset({"pull"}))),
        ("repository:a:", Scope("repository", "a", frozenset())),
        ("registry:catalog:*", CATALOG),
    ],
)
def test_reading_a_scope(text: str, scope: Scope) -> None:
    """The first and the last colon cut, and actions are a set."""
    assert Scope.parse(text) == scope


@pytest.mark.parametrize("text", ["", "repository", "repository:a", ":a:pull", "repository::pull", "::"])
def test_what_is_no_scope(text: str) -> None:
    """Without a type, a name and actions it is a ProtocolError."""
    with pytest.raises(ProtocolError, match="not a token scope"):
        Scope.parse(text)


def test_the_text_is_canonical() -> None:
    """Actions are sorted, whatever their order was."""
    assert str(Scope.repository("team/app", "pull", "delete")) == "repository:team/app:delete,pull"


def test_covering() -> None:
    """More actions cover fewer, `*` covers all, another resource nothing."""
    both = Scope.repository("a", "pull", "delete")
    one = Scope.repository("a", "pull")

    assert both.covers(one)
    assert not one.covers(both)
    assert Scope.repository("a", "*").covers(both)
    assert not Scope.repository("b", "*").covers(both)
    assert not Scope("registry", "a", frozenset({"*"})).covers(both)


def test_merging() -> None:
    """The actions on one resource are united; another resource changes nothing."""
    one = Scope.repository("a", "pull")

    assert one.merge(Scope.repository("a", "delete")) == Scope.repository("a", "pull", "delete")
    assert one.merge(Scope.repository("b", "delete")) == one
