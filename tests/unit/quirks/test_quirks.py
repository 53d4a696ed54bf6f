"""The registry families, and how they are found."""

import pytest

from bulkrm.model.failure import FailureCode
from bulkrm.protocol.manners import STANDARD
from bulkrm.quirks.quirk import Quirk, manners_of, quirks


def test_discovery() -> None:
    """Every file of the package is found, by the order of their names."""
    names = [quirk.name for quirk in quirks()]

    assert names == ["ACR", "Docker Hub", "GHCR", "Google Artifact Registry", "Harbor", "Quay", "zot"]


@pytest.mark.parametrize("quirk", quirks(), ids=lambda quirk: quirk.name)
def test_every_quirk_says_what_to_do(quirk: Quirk) -> None:
    """A refusal that a family explains has a hint, and a status that is one."""
    for refusal in quirk.manners.refusals:
        assert refusal.hint
        assert 400 <= refusal.status < 500


def test_any_host() -> None:
    """A host of no known name has the standard's manners and the refusals that hold everywhere."""
    manners = manners_of("registry.example:5000")

    assert manners.actions == STANDARD.actions
    assert {refusal.error for refusal in manners.refusals} == {
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
    assert manners_of(host).actions is None


@pytest.mark.parametrize("host", ["notquay.io", "quay.io.example", "ghcr.io.example", "mydocker.io"])
def test_similar_names(host: str) -> None:
    """A name that only looks like a known one is not treated as that."""
    assert manners_of(host) == manners_of("registry.example")


@pytest.mark.parametrize(
    ("host", "codes"),
    [
        ("ghcr.io", [FailureCode.NOT_SUPPORTED]),
        ("docker.io", [FailureCode.REFUSED, FailureCode.NOT_SUPPORTED]),
    ],
)
def test_its_own_refusals_come_first(host: str, codes: list[FailureCode]) -> None:
    """What a family says by name is looked at before what holds everywhere."""
    assert [refusal.code for refusal in manners_of(host).refusals[: len(codes)]] == codes
