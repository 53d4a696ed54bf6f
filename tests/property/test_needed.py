"""Whatever an index names, in whatever form: no plan deletes what a kept manifest names."""

from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import (
    IMAGE_TYPES,
    MEDIA_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    Children,
    Manifest,
    Resolved,
    children,
    is_readable,
)
from bulkrm.model.plan import Plan
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.settings import Shared
from bulkrm.model.target import Source, Target
from bulkrm.planning.facts import RepositoryFacts, TagsRead
from bulkrm.planning.guards.rules import GuardRules
from bulkrm.planning.judge import judge
from tests.property.odd_indexes import named_in, odd_indexes

APP = Repository("r.example", "team/app")
DIGESTS = tuple(Digest.of(bytes([number])) for number in range(5))
_types = st.sampled_from([*(set(MEDIA_TYPES) - IMAGE_TYPES), "application/vnd.example+json", ""])


@given(odd_indexes(DIGESTS), _types)
def test_everything_that_is_named_is_needed(content: bytes, media_type: str) -> None:
    """An index that can be read names all that anybody could read in it; what is said to be an image has children too."""
    if is_readable(media_type, content):
        named = {name for name in named_in(content) if name in DIGESTS}
        assert named <= set(children(media_type, content).needed)
        assert named <= set(children(OCI_MANIFEST, content).needed)


@given(odd_indexes(DIGESTS), odd_indexes(DIGESTS), st.sampled_from(Shared))
def test_no_plan_deletes_it(content: bytes, inner: bytes, shared: Shared) -> None:
    """The list names every manifest of a repository by digest, and one tag stays: what it names stays, through others too."""
    if shared is Shared.DELETE_UNSEEN or not (is_readable(OCI_INDEX, content) and is_readable(OCI_INDEX, inner)):
        return
    outer, nested = (Manifest(Digest.of(text), OCI_INDEX, text) for text in (content, inner))
    # The nested one takes the place of a manifest that the outer one names, as if its digest were that.
    place = DIGESTS[0]
    indexes = {outer.digest: outer.resolved.children, place: nested.resolved.children}
    plan = _plan(outer, {digest: named for digest, named in indexes.items() if named is not None}, shared)

    kept = named_in(content)
    kept |= named_in(inner) if place in kept else set()
    assert not {item.digest for item in plan.deletions} & kept
    # What nothing kept names goes: the rule is no excuse to keep everything.
    assert {item.digest for item in plan.deletions} == set(DIGESTS) - kept


def _plan(kept: Manifest, indexes: dict[Digest, Children], shared: Shared) -> Plan:
    facts = RepositoryFacts(
        APP,
        tuple(
            (Target(DigestRef(APP, digest), Source("list", 1)), Resolved(digest, OCI_MANIFEST, 1)) for digest in DIGESTS
        ),
        TagsRead({"kept": kept.resolved}, indexes),
    )
    return judge([facts], GuardRules(shared, lambda _, __: None))


@given(st.binary(max_size=200) | odd_indexes(DIGESTS), st.sampled_from([*MEDIA_TYPES, "", "text/html"]))
def test_any_bytes(content: bytes, media_type: str) -> None:
    """Any bytes are an index that can be read, or not: nothing else happens."""
    named = children(media_type, content)

    assert set(named.indexes) <= set(named.manifests)
    assert not set(named.manifests) & set(named.parts)
    assert len(set(named.needed)) == len(named.needed)
    assert is_readable(media_type, content) or not named.needed
