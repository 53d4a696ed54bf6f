"""Strategies for indexes as nobody should write them, and what they name for whoever reads them as widely as possible."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_TYPES = (
    OCI_INDEX,
    OCI_INDEX.upper(),
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
    "application/vnd.cncf.oras.artifact.manifest.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/json",
    "text/html",
    "",
)
_junk = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
_Pairs = list[tuple[str, str]]


def _key(name: str) -> st.SearchStrategy[str]:
    folded = name.replace("s", "\u017f")  # which Go's parser takes for an s
    return st.sampled_from([name] * 12 + [name.upper(), name.title(), folded, "x"])


def _object(pairs: Sequence[tuple[str, str]]) -> str:
    """A JSON object, in which a key may stand twice."""
    return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"


@st.composite
def _entries(draw: st.DrawFn, digests: Sequence[str], *, whole: bool) -> str:
    """One entry of an index."""
    if not whole and draw(st.integers(0, 15)) == 0:
        return json.dumps(draw(_junk))
    pairs: _Pairs = []
    for _ in range(draw(st.sampled_from([1] * 10 + [2] + ([] if whole else [0])))):
        named = st.sampled_from(digests)
        value = draw(named if whole else st.one_of(*[named] * 12, _junk, st.just("blake3:" + "a" * 64)))
        pairs.append((draw(_key("digest")), json.dumps(value)))
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(_TYPES) if whole else st.one_of(*[st.sampled_from(_TYPES)] * 9, _junk))
        pairs.append((draw(_key("mediaType")), json.dumps(kind)))
    return _object(draw(st.permutations(pairs)))


@st.composite
def odd_indexes(draw: st.DrawFn, digests: Sequence[str], *, whole: bool = False) -> bytes:
    """The bytes of an index that names some of these digests; `whole`: no junk among them."""
    lists = []
    for _ in range(draw(st.sampled_from([1] * 8 + [0, 2]))):
        if not whole and draw(st.integers(0, 15)) == 0:
            lists.append((draw(_key("manifests")), json.dumps(draw(_junk))))
        else:
            entries = draw(st.lists(_entries(digests, whole=whole), max_size=4))
            lists.append((draw(_key("manifests")), f"[{', '.join(entries)}]"))
    pairs = [("schemaVersion", "2"), ("mediaType", json.dumps(OCI_INDEX)), *lists]
    text = _object(draw(st.permutations(pairs))).encode()
    return text[:-1] + b', "annotations": {"a": "\xff"}}' if draw(st.booleans()) else text


def named_in(content: bytes) -> set[str]:
    """Every digest that stands in some `manifests` of these bytes under some `digest`: read with other means than ours."""
    return set(_named(json.loads(content.decode(errors="replace"), object_pairs_hook=_Read)))


class _Read(list[tuple[str, Any]]):
    """An object as its pairs."""


def _named(body: object) -> Iterator[str]:
    for key, value in body if isinstance(body, _Read) else ():
        if key.casefold() == "manifests" and isinstance(value, list) and not isinstance(value, _Read):
            for entry in value:
                pairs = entry if isinstance(entry, _Read) else ()
                yield from (name for field, name in pairs if field.casefold() == "digest" and isinstance(name, str))
