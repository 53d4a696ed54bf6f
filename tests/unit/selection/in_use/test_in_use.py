"""Files of what is in use: what each shape names, and what that holds.

pods.json and workloads.json are serialised from the models of the package `kubernetes` (make_fixtures.py beside them).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifests.details import Details
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import KeptReason
from bulkrm.selection.in_use.reading import read_in_use
from bulkrm.selection.in_use.references import InUseReferences, kept_in_use, normal_reference

HERE = Path(__file__).parent
A, B, C = ("sha256:" + letter * 64 for letter in "abc")
APP = Repository("registry.example.com", "shop/web")


def read(content: str | bytes | object, name: str = "file") -> tuple[str, ...]:
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    return read_in_use(content.encode() if isinstance(content, str) else content, name)


def test_pods() -> None:
    """Of pods the specification and the status count, of init and ephemeral containers too, and tags beside image IDs."""
    assert read((HERE / "pods.json").read_bytes()) == (
        "docker.io/library/busybox:latest",
        "localhost:5000/tool:latest",
        "registry.example.com/shop/migrate:7",
        f"registry.example.com/shop/migrate@{B}",
        "registry.example.com/shop/web:1.2",
        f"registry.example.com/shop/web@{A}",
        C,
    )


def test_workloads() -> None:
    """The templates of workloads count, those of replica sets without replicas too: a rollback goes back to them."""
    assert read((HERE / "workloads.json").read_bytes()) == (
        "docker.io/library/postgres:16",
        "registry.example.com/jobs/once:1",
        "registry.example.com/jobs/report:3",
        "registry.example.com/ops/log:2",
        "registry.example.com/shop/web:1.1",
        "registry.example.com/shop/web:1.3",
    )


def test_pods_of_two_clusters_in_one_file() -> None:
    """What was appended to a file counts as well."""
    both = (HERE / "pods.json").read_text() + (HERE / "workloads.json").read_text()

    assert set(read(both)) > set(read((HERE / "workloads.json").read_bytes()))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # docker ps --format json (docker 27): one object a line
        (
            (
                '{"Command":"\\"nginx\\"","ID":"3f57d9401f8d","Image":"nginx","Names":"web","State":"running"}\n'
                '{"ID":"aa57d9401f8d","Image":"a.b/c:1","Names":"c"}\n'
            ),
            ["a.b/c:1", "docker.io/library/nginx:latest"],
        ),
        ('{"ID":"x","Image":"3f57d9401f8d","Names":"lost"}\n', ["sha256:3f57d9401f8d"]),
        # docker inspect of a container, and of an image
        ([{"Id": "f" * 64, "Image": C, "Config": {"Image": "a.b/c:1"}}], ["a.b/c:1", C]),
        (
            [{"Id": C, "RepoTags": ["a.b/c:1", "<none>:<none>"], "RepoDigests": [f"a.b/c@{A}"], "Config": {}}],
            ["a.b/c:1", f"a.b/c@{A}", C],
        ),
        # crictl images -o json, crictl ps -o json
        (
            {"images": [{"id": C, "repoTags": ["a.b/c:1"], "repoDigests": [f"a.b/c@{A}"], "size": "1"}]},
            ["a.b/c:1", f"a.b/c@{A}", C],
        ),
        ({"containers": [{"id": "1", "image": {"image": C}, "imageRef": f"a.b/c@{A}"}]}, [f"a.b/c@{A}", C]),
        # compose, with an anchor
        ("services:\n  a: &a\n    image: a.b/c:1\n  b: *a\n  c:\n    build: .\n", ["a.b/c:1"]),
        # rendered manifests, with an empty document and one without images
        (
            (
                "---\napiVersion: v1\nkind: Service\nspec: {ports: []}\n---\n---\napiVersion: apps/v1\nkind: Deployment\n"
                "spec:\n  template:\n    spec:\n      containers:\n      - image: a.b/c:1\n"
            ),
            ["a.b/c:1"],
        ),
        ("apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - image: {reference: 'a.b/c:1'}\n", ["a.b/c:1"]),
        # lines
        (f"# comment\nnginx\r\na.b/c:1   # why\n{C}\n", ["a.b/c:1", "docker.io/library/nginx:latest", C]),
        ("\ufeffa.b/c:1\n", ["a.b/c:1"]),
    ],
)
def test_shapes(content: object, expected: list[str]) -> None:
    """Each shape is known by itself, and gives its references in their normal form."""
    assert read(content) == tuple(expected)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("# nothing\n", "names no image"),
        ('{"apiVersion": "v1", "kind": "List", "items": []}', "names no image"),
        ('{"a": 1}', "has an unknown format"),
        ("[1, 2]", "has an unknown format"),
        ("a: b\n", "has an unknown format"),
        ('{"apiVersion": "v1", ', "is not JSON"),
        ("a: [\n", "is not readable as YAML"),
        ("services: {a: {image: '${IMAGE}'}}\n", "which is not an image"),
        ("no image at all\n", "which is not an image"),
        (b"\xff\xfe", "is not UTF-8"),
        ("kind: Pod\napiVersion: v1\nspec: &s\n  self: *s\n", "is too large once"),
        (
            "a: &a [x]\n"
            + "".join(
                f"{n}: &{n} [{', '.join([f'*{p}'] * 10)}]\n" for p, n in zip("abcdefghi", "bcdefghij", strict=True)
            ),
            "is too large once",
        ),
    ],
)
def test_what_cannot_be_relied_on(content: object, what: str) -> None:
    """A file that is empty, of an unknown shape, or names nothing is an error: something else may be in use."""
    with pytest.raises(InputError) as caught:
        read(content)

    (problem,) = caught.value.problems
    assert problem.where == "file"
    assert what in problem.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("team/app:1", "docker.io/team/app:1"),
        ("index.docker.io/team/app", "docker.io/team/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("a.b:443/c", "a.b/c:latest"),
        (f"docker-pullable://a.b/c@{A}", f"a.b/c@{A}"),
        (f"docker://{C}", C),
        ("c" * 64, C),
        (f"a.b/c:1@{A}", f"a.b/c:1@{A}"),
        ("$IMAGE", None),
        ("", None),
    ],
)
def test_names_are_dockers(text: str, expected: str | None) -> None:
    """Short names are completed as Docker does it; a bare digest stays bare."""
    assert normal_reference(text) == expected


def held(
    texts: Sequence[str],
    tags: Mapping[str, str],
    *,
    with_config: Sequence[str] = (),
    children: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """What stays, and what the report says it rests on; those `with_config` have the configuration C."""
    named = {Digest(index): [Digest(child) for child in found] for index, found in (children or {}).items()}
    details = {Digest(digest): Details(config_digests=(Digest(C),)) for digest in with_config}
    used = InUseReferences.of([str(normal_reference(text)) for text in texts])
    found = kept_in_use(used, APP, {tag: Digest(name) for tag, name in tags.items()}, (), details, named)
    assert {kept.reason for kept in found.digests.values()} <= {KeptReason.IN_USE}
    return {str(digest): kept.because[0] for digest, kept in found.digests.items()}


def test_a_digest_holds_on_any_host_and_a_tag_on_its_own() -> None:
    """A mirror serves the same digests, but another registry's tag of that name is another image."""
    assert held([f"mirror.example.com/x@{A}"], {"1": A, "2": B}) == {A: A}
    assert held(["mirror.example.com/shop/web:1"], {"1": A}) == {}
    assert held([f"{APP}:1"], {"1": A, "2": B}) == {A: f"{APP}:1"}


def test_an_image_promoted_by_a_second_tag_stays() -> None:
    """What runs under one tag stays whatever other tag the list names: the digest is held."""
    assert held([f"{APP}:release"], {"release": A, "pr-1": A}) == {A: f"{APP}:release"}


def test_a_bare_digest_is_looked_for_as_both() -> None:
    """An image ID is a manifest's digest to some runtimes and a configuration's to others; a beginning counts as well."""
    assert held([A], {"1": A}) == {A: A}
    assert held([C], {"1": A, "2": B}, with_config=[A]) == {A: C}
    assert held(["cccccccccccc"], {"1": A, "2": B}, with_config=[A]) == {A: C}
    assert held([f"{APP}@{C}"], {"1": A}, with_config=[A]) == {}


def test_an_index_holds_its_children_and_a_child_its_indexes() -> None:
    """A node pulls a child and knows it by its own digest, so the index stays, and with it all that it names."""
    assert set(held([A], {"1": A}, children={A: [B]})) == {A, B}
    assert set(held([B], {"1": A}, children={A: [B, C]})) == {A, B, C}
