"""What holds for every reference, digest and scope."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, ProtocolError
from bulkrm.model.reference import Reference, TagRef, is_path, is_tag, mask_credentials, parse_host, parse_reference
from bulkrm.model.scope import Scope
from tests.property import strategies as some


@given(some.references)
def test_a_printed_reference_reads_as_itself(reference: Reference) -> None:
    """parse(print(reference)) is the reference."""
    assert parse_reference(str(reference)) == reference


@given(some.almost_references | st.text(), st.none() | some.hosts, st.sampled_from([443, 80, 5000]))
def test_any_text_is_a_reference_or_an_input_error(text: str, default_host: str | None, port: int) -> None:
    """Any text parses or raises InputError; what parses is sound, and printing and reading it changes nothing."""
    with suppress(InputError):
        reference = parse_reference(text, default_host=default_host, default_port=port)
        printed = str(reference)

        assert is_path(reference.repository.path)
        assert {".", ".."}.isdisjoint(reference.repository.path.split("/"))
        assert not any(character.isspace() for character in printed)
        assert printed.count("@") <= 1
        assert not isinstance(reference, TagRef) or is_tag(reference.tag)
        if default_host is None or port == 443:
            assert parse_reference(printed, default_port=port) == reference


@given(st.text() | some.almost(some.hosts))
def test_the_normal_form_of_a_host_is_its_own(text: str) -> None:
    """Any text is a host or raises InputError, and a normal form stays as it is."""
    with suppress(InputError):
        host = parse_host(text)

        assert parse_host(host) == host


@given(some.references, st.text(st.characters(exclude_characters="@"), min_size=1))
def test_a_password_in_a_reference_is_never_shown(reference: Reference, password: str) -> None:
    """Whatever the password before the `@`, no message holds it."""
    marked = f"SECRET{password}SECRET"
    for text in (f"user:{marked}@{reference}", f"https://user:{marked}@{reference}"):
        assert marked not in mask_credentials(text)
        with pytest.raises(InputError) as caught:
            parse_reference(text)
        assert "SECRET" not in str(caught.value)


@given(st.text() | some.almost(some.digests.map(str)))
def test_any_text_is_a_digest_or_an_input_error(text: str) -> None:
    """Any text is a digest, the same text, or raises InputError."""
    with suppress(InputError):
        assert Digest(text) == text


@given(some.scopes)
def test_a_printed_scope_reads_as_itself(scope: Scope) -> None:
    """parse(print(scope)) is the scope, whatever the order of the actions."""
    assert Scope.parse(str(scope)) == scope


@given(st.text())
def test_any_text_is_a_scope_or_a_protocol_error(text: str) -> None:
    """Any text parses or raises ProtocolError."""
    with suppress(ProtocolError):
        Scope.parse(text)


@given(some.scopes, st.sets(st.sampled_from(["pull", "push", "delete", "*"])))
def test_merging_scopes_is_commutative_and_idempotent(scope: Scope, actions: set[str]) -> None:
    """The union of two scopes of one resource does not depend on order, covers both, and taken twice is the same."""
    other = Scope(scope.type, scope.name, frozenset(actions))
    merge_fresh = scope.merge(other)

    assert merge_fresh == other.merge(scope)
    assert merge_fresh.merge(scope) == merge_fresh
    assert scope.merge(scope) == scope
    assert merge_fresh.covers(scope)
    assert merge_fresh.covers(other)


@given(some.scopes, some.scopes, some.scopes)
def test_covering_is_reflexive_and_transitive(one: Scope, two: Scope, three: Scope) -> None:
    """A scope covers itself, and what is covered by what it covers."""
    assert one.covers(one)
    if one.covers(two) and two.covers(three):
        assert one.covers(three)


@given(some.starless_scopes, some.starless_scopes)
def test_covering_each_other_is_being_equal(one: Scope, two: Scope) -> None:
    """Without `*`, covering is a partial order: two scopes that cover each other are one."""
    assert (one.covers(two) and two.covers(one)) == (one == two)
