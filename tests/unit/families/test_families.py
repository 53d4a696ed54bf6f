"""The registry families, and how they are found."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.families.family import Family, families, traits_of, with_detected_traits
from bulkrm.model.result.failure import FailureCode
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import STANDARD, Traits

KNOWN = [
    "ACR", "distribution", "Docker Hub", "GHCR", "Gitea, Forgejo", "Google Artifact Registry", "Harbor", "Quay", "zot",
]  # fmt: skip


def test_discovery() -> None:
    """Every file of the package is found, by the order of their names; there may be more of them."""
    names = [family.name for family in families() if family.name in KNOWN]

    assert names == KNOWN


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_every_family_says_what_to_do(family: Family) -> None:
    """A refusal that a family explains has a hint, and a status that is one."""
    for refusal in family.traits.refusals:
        assert refusal.hint
        assert 400 <= refusal.status < 500


def test_any_host() -> None:
    """A host of no known name has the standard's traits and the refusals that hold everywhere."""
    traits = traits_of("registry.example:5000")

    assert traits.actions == STANDARD.actions
    assert {refusal.error for refusal in traits.refusals} >= {
        "REGISTRY_DISALLOWED_OPERATION",
        "GOOGLE_MANIFEST_DANGLING_TAG",
        "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE",
        "VIOLATE_FOREIGN_KEY_CONSTRAINT",
        "PRECONDITION",
        "DENIED",
        "MANIFEST_INVALID",
    }


@pytest.mark.parametrize("host", ["quay.io", "quay.io:8443"])
def test_quay(host: str) -> None:
    """Quay is asked for what it challenges with, to the letter, on any port."""
    assert traits_of(host).actions is None


@pytest.mark.parametrize("host", ["notquay.io", "quay.io.example", "ghcr.io.example", "mydocker.io"])
def test_similar_names(host: str) -> None:
    """A name that only looks like a known one is not treated as that."""
    assert traits_of(host) == traits_of("registry.example")


@pytest.mark.parametrize(
    ("host", "codes"),
    [
        ("ghcr.io", [FailureCode.NOT_SUPPORTED]),
        ("docker.io", [FailureCode.REFUSED, FailureCode.NOT_SUPPORTED]),
    ],
)
def test_its_own_refusals_come_first(host: str, codes: list[FailureCode]) -> None:
    """What a family says by name is looked at before what holds everywhere."""
    assert [refusal.code for refusal in traits_of(host).refusals[: len(codes)]] == codes


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("gcr.io", True),
        ("eu.gcr.io", True),
        ("europe-west1-docker.pkg.dev", True),
        ("docker.io", True),
        ("gcr.io.example", False),
        ("mygcr.io", False),
        ("docker.pkg.dev", False),
        ("quay.io", False),
        ("registry.example:5000", False),
    ],
)
def test_where_tags_go_first(host: str, *, expected: bool) -> None:
    """Google's registries and Docker Hub delete only what has no tag, and are known by name."""
    assert traits_of(host).untagged_first is expected


@pytest.mark.parametrize("host", ["gcr.io", "registry.example"])
def test_google_behind_another_name(host: str) -> None:
    """Its refusals are understood everywhere, each once, and the one about tags says that tags go first."""
    named = [refusal for refusal in traits_of(host).refusals if str(refusal.error).startswith("GOOGLE")]

    assert [refusal.tagged for refusal in named] == [True, False]


DISTRIBUTION = [("Docker-Distribution-Api-Version", "registry/2.0")]
BEARER = "WWW-Authenticate"
REALM = 'Bearer realm="https://git.example/v2/token"'
DENIED = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}'
BARE = b'{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: unauthorized"}]}'


def pinged(status: int, body: bytes, *headers: tuple[str, str]) -> Answer:
    """What a registry answers to `GET /v2/`."""
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers)), body)


@pytest.mark.parametrize(
    ("answer", "restorable"),
    [
        (pinged(401, b"", (BEARER, f'{REALM},service="container_registry",scope="*"')), False),
        (pinged(401, b"", (BEARER, REALM), (BEARER, "Basic")), False),
        (pinged(401, b"", (BEARER, f"{REALM}, Basic")), False),
        (
            pinged(
                401,
                b"",
                (BEARER, f'{REALM},service="container_registry",scope="*"'),
                (BEARER, 'Basic realm="Gitea Container Registry"'),
            ),
            False,
        ),
        # GitLab, Google, and somebody's token server with such a path.
        (pinged(401, DENIED, (BEARER, 'Bearer realm="https://a/jwt/auth",service="container_registry"')), True),
        (pinged(401, b"", (BEARER, 'Bearer realm="https://gcr.io/v2/token",service="gcr.io"')), True),
        (pinged(401, b"", (BEARER, REALM)), True),
        (pinged(401, b"", (BEARER, "Basic")), True),
        (pinged(200, b"{}", *DISTRIBUTION), True),
    ],
)
def test_gitea(answer: Answer, *, restorable: bool) -> None:
    """Gitea and Forgejo are known by their challenge, under any name: what is deleted there cannot be put back."""
    assert with_detected_traits("git.example", traits_of("git.example"), answer).restorable is restorable
    assert traits_of("codeberg.org").restorable is False


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (pinged(200, b"{}", *DISTRIBUTION), True),
        (pinged(401, DENIED, *DISTRIBUTION, (BEARER, 'Bearer realm="https://a/token",service="s"')), True),
        (pinged(401, DENIED, *DISTRIBUTION, (BEARER, 'Basic realm="basic-realm"')), True),
        (pinged(200, b"{}"), False),  # no header
        (pinged(200, b"", *DISTRIBUTION), False),  # crane registry serve, Gitea
        (pinged(200, b"true", *DISTRIBUTION), False),  # Quay
        (pinged(401, BARE, *DISTRIBUTION, (BEARER, 'Bearer realm="https://a/t",service="harbor-registry"')), False),
        (pinged(401, DENIED, *DISTRIBUTION, ("Gitlab-Container-Registry-Version", "4")), False),
        (pinged(401, DENIED, *DISTRIBUTION, ("X-JFrog-Version", "Artifactory/7")), False),
        (pinged(401, DENIED, *DISTRIBUTION, ("Server", "Nexus/3.81.1-01 (COMMUNITY)")), False),
        (pinged(401, b"<html>", *DISTRIBUTION), False),
        (pinged(401, b'{"errors": "no"}', *DISTRIBUTION), False),
        (pinged(401, b'{"errors": [1]}', *DISTRIBUTION), False),
        (pinged(200, b"[]", *DISTRIBUTION), False),
    ],
)
def test_distribution(answer: Answer, *, expected: bool) -> None:
    """distribution is known by what it answers, not by a header that everybody sends; what is built on it is not it."""
    assert (
        with_detected_traits("registry.example", traits_of("registry.example"), answer).collected_by_command is expected
    )


def test_a_public_service_is_known_by_name() -> None:
    """Docker Hub answers like distribution, and is what its name says."""
    known = traits_of("docker.io")

    assert with_detected_traits("docker.io", known, pinged(401, DENIED, *DISTRIBUTION)) == known
    assert isinstance(known, Traits)
