"""Values for hypothesis: valid ones, and some with one mistake in them."""

import string

from hypothesis import strategies as st

from bulkrm.model.digest import Digest
from bulkrm.model.reference import DigestRef, Reference, Repository, TagRef, hub_path
from bulkrm.model.scope import Scope

_LOWER = string.ascii_lowercase + string.digits
_HEX = "0123456789abcdef"

components = st.from_regex(r"[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,6}){0,2}", fullmatch=True)
paths = st.lists(components, min_size=1, max_size=4).map("/".join)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)
artifact_tags = st.builds(
    "{}-{}{}".format,
    st.sampled_from(["sha256", "sha512"]),
    st.text(_HEX, min_size=64, max_size=64),
    st.sampled_from(["", ".sig", ".att"]),
)
digests = st.one_of(
    st.text(_HEX, min_size=64, max_size=64).map(lambda digits: Digest(f"sha256:{digits}")),
    st.binary(max_size=8).map(lambda content: Digest.of(content, "sha512")),
)
_names = st.one_of(
    st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,3})?(\.[a-z]{1,5}){1,2}", fullmatch=True),
    st.sampled_from(["localhost", "docker.io", "127.0.0.1", "[::1]", "[2001:db8::1]"]),
)
_ports = st.integers(1, 65535).filter(lambda port: port != 443)
hosts = st.one_of(
    _names,
    st.builds("{}:{}".format, _names, _ports),
    st.sampled_from(["registry:443", "registry:5000"]),
)
repositories = st.builds(lambda host, path: Repository(host, hub_path(host, path)), hosts, paths)
references: st.SearchStrategy[Reference] = st.one_of(
    st.builds(TagRef, repositories, tags, st.none() | digests),
    st.builds(DigestRef, repositories, digests),
)

_odd = st.sampled_from(
    [*"@:/. \t\n\\\0*?[]{},-_~%A\u00e9\u2028", "..", "//", "@sha256:", "user:pw@", "http://", ":443"],
)


@st.composite
def almost(draw: st.DrawFn, valid: st.SearchStrategy[str]) -> str:
    """Take a valid text and put something odd into it, or cut a piece out."""
    text = draw(valid)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 3)))
    return text[:start] + draw(st.just("") | _odd) + text[end:]


reference_texts = references.map(str)
almost_references = almost(reference_texts)

_pieces = st.one_of(
    st.text(_LOWER, min_size=1, max_size=3),
    st.sampled_from(["*", "?", "**", "[a-f]", "[!0-9]", "{a,b}", "{,x}", "{1..3}", "{a*,{b,c?}}", "-", ".", "_"]),
)
tag_patterns = st.lists(_pieces, min_size=1, max_size=5).map("".join)
path_patterns = st.lists(tag_patterns, min_size=1, max_size=3).map("/".join)
glob_texts = st.builds("{}/{}:{}".format, hosts, path_patterns, tag_patterns)
almost_patterns = almost(st.one_of(tag_patterns, path_patterns, glob_texts))

# What patterns are made of, so that some of them match.
near_tags = st.one_of(tags, st.text("abcfx123._-", min_size=1, max_size=8), artifact_tags)

_actions = st.sets(st.sampled_from(["pull", "push", "delete"]))
_resources = st.tuples(st.sampled_from(["repository", "registry"]), st.sampled_from(["a", "team/app", "host:5000/app"]))
starless_scopes = st.builds(
    lambda resource, actions: Scope(resource[0], resource[1], frozenset(actions)), _resources, _actions
)
scopes = st.builds(
    lambda scope, star: Scope(scope.type, scope.name, scope.actions | {"*"}) if star else scope,
    starless_scopes,
    st.booleans(),
)
