"""The command word, and the question."""

from collections.abc import Sequence

import pytest

from bulkrm.cli.main import with_command
from bulkrm.cli.terminal.question_text import question_of, remarks
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Plan, Settled, Verdict
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.outcome import Gone, Kept, KeptReason
from bulkrm.model.target import Source, Target

APP, WEB = Repository("one.example", "app"), Repository("two.example", "web")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["delete"]),
        (["one.example/app:1"], ["delete", "one.example/app:1"]),
        (["-n", "schema"], ["delete", "-n", "schema"]),
        (["delete", "x"], ["delete", "x"]),
        (["schema"], ["schema"]),
        (["demo", "-h"], ["demo", "-h"]),
        (["deletes"], ["delete", "deletes"]),
    ],
)
def test_command_word(given: Sequence[str], meant: list[str]) -> None:
    """The command word is the first argument or none; without it, it is `delete`."""
    assert with_command(given) == meant


def target(repository: Repository, tag: str) -> Target:
    """A tag of the list."""
    return Target(TagRef(repository, tag), Source("argument", 1))


def item(repository: Repository, *tags: str, verdict: Verdict) -> Item:
    """A manifest with these listed tags."""
    resolved = Resolved(Digest.of(tags[0].encode()), OCI_MANIFEST, 3)
    return Item(repository, resolved, tuple(target(repository, tag) for tag in tags), verdict)


def test_one_of_each() -> None:
    """One image is one image."""
    plan = Plan((item(APP, "a", verdict=Delete()),))

    assert question_of(plan) == "Delete 1 image (1 manifest) in 1 repository of 1 registry?"


def test_many() -> None:
    """Images, manifests, repositories and registries are counted apart."""
    plan = Plan((item(APP, "a", "b", verdict=Delete()), item(WEB, "c", verdict=Delete())))

    assert question_of(plan) == "Delete 3 images (2 manifests) in 2 repositories of 2 registries?"


def test_what_stays() -> None:
    """Listed images that stay, for whatever reason, are counted before."""
    plan = Plan(
        (item(APP, "a", verdict=Delete()), item(APP, "b", "c", verdict=Kept(KeptReason.SHARED))),
        (Settled(target(APP, "gone"), Gone()),),
    )

    assert list(remarks(plan)) == ["3 listed images will not be touched: 2 shared, 1 absent."]


def test_what_goes_along() -> None:
    """Tags outside the list are named, five of them at most; what was not read is admitted."""
    also = tuple(f"one.example/app:{number}" for number in range(7))
    plan = Plan((item(APP, "a", verdict=Delete(also)), item(WEB, "b", verdict=Delete(None))))

    found = list(remarks(plan))

    assert found == [
        "The other tags of these images were not read (--shared delete-unseen): they go too.",
        f"7 tags that the list does not name will go too: {', '.join(also[:5])} and 2 more",
    ]
