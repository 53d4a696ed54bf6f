"""Whether a registry keeps its word is seen at its first deletion, and its traits are taken from there."""

from dataclasses import replace

import pytest

from bulkrm.model.settings import Strategy
from bulkrm.sandbox import Call, Drop, DropAfter, Reply, ServerRequest, oci_image
from tests.engine.runs import APP, LIST, Runs, words
from tests.support.fake_registry import OPEN

CRANE = replace(OPEN, tag_deletes=True, tags_survive_digest_delete=True)


async def test_tags_that_outlive_their_manifest_are_deleted_too() -> None:
    """Where a digest's DELETE leaves its tags, each tag gets one of its own, and nothing that answers is called deleted."""
    runs = Runs(CRANE)
    runs.fill(3, "too")
    kept = runs.keep()

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}
    assert len(runs.registry.deleted(APP)) == 9


async def test_tags_that_cannot_follow_are_a_failure() -> None:
    """Where the tags live on and cannot be deleted, one image shows it, and no other image's manifest is risked."""
    runs = Runs(CRANE)
    digests = runs.fill(3)
    runs.registry.faults.add(Reply(405), method="DELETE", path="manifests/pr-", times=None)

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert set(words(done).values()) == {"failed tags-remain"}
    assert len([name for name in runs.registry.deleted(APP) if name in digests]) == 1
    assert len(runs.registry.store.digests(APP)) == 2


async def test_silence_proves_nothing_about_tags() -> None:
    """A tag that is gone after a DELETE without an answer may have gone otherwise: the next deletion is looked at as well."""
    runs = Runs(CRANE)
    runs.fill(3)
    kept = runs.keep()

    async def stop_half_way(asked: ServerRequest) -> None:
        runs.registry.store.delete_manifest(APP, asked.path.rpartition("/")[2], only=1)

    runs.registry.faults.add(Call(stop_half_way), method="DELETE", path="sha256:[1-9a-f]")
    runs.registry.faults.add(Drop(), method="DELETE", path="sha256:[1-9a-f]")

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}


async def test_the_look_costs_three_requests_for_a_host_and_path(runs: Runs) -> None:
    """HEAD of digest and tag and one list, once for each first component of a path, however many images follow."""
    runs.fill(10)
    runs.keep()
    plan = await runs.plan(f"{LIST}\n- team/app:latest")
    planned = len(plan.sent)
    runs.registry.sent.clear()

    await runs.delete()

    assert len(runs.registry.sent) == planned + 10 + 3


@pytest.mark.parametrize(("tag_deletes", "word"), [(True, "deleted"), (False, "failed tags-remain")])
async def test_a_tag_that_moved_is_no_word_on_the_others(*, tag_deletes: bool, word: str) -> None:
    """Where the first tag holds somebody's push, the next one is looked at: it may live on."""
    runs = Runs(replace(CRANE, tag_deletes=tag_deletes))
    (digest,) = runs.fill(1, "too")
    new = runs.registry.push(APP, oci_image(50))
    runs.on("DELETE", digest, lambda: runs.registry.store.tag(APP, "pr-0", new))

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert words(done) == {"pr-0": "kept moved", "pr-0-too": word}
    assert runs.registry.tags(APP) == {"pr-0": new} | ({} if tag_deletes else {"pr-0-too": digest})


async def test_a_tag_that_moved_is_not_called_deleted(runs: Runs) -> None:
    """Where the look at a first deletion sees that a tag was pushed anew, and that the next one went, each is told as it was seen."""
    (digest,) = runs.fill(1, "too")
    new = runs.registry.push(APP, oci_image(50))
    runs.on("DELETE", digest, lambda: runs.registry.store.tag(APP, "pr-0", new))

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert words(done) == {"pr-0": "kept moved", "pr-0-too": "deleted"}
    assert runs.registry.tags(APP) == {"pr-0": new}


async def test_tags_that_all_moved_prove_nothing() -> None:
    """Where every tag of the first image holds somebody's push, the tags of the next one are looked at."""
    runs = Runs(replace(CRANE, tag_deletes=False))
    digests = runs.fill(2)
    new = runs.registry.push(APP, oci_image(50))
    runs.on("DELETE", digests[0], lambda: runs.registry.store.tag(APP, "pr-0", new))

    done = await runs.delete(strategy=Strategy.DIGEST, concurrency=1)

    assert words(done)["pr-1"] == "failed tags-remain"
    assert runs.registry.tags(APP) == {"pr-0": new, "pr-1": digests[1]}


@pytest.mark.parametrize("tag_deletes", [True, False])
async def test_a_failed_second_look_is_no_word_on_the_tag(*, tag_deletes: bool) -> None:
    """A tag that serves its manifest is not called moved, so its image not deleted, because the digest could not be read again."""
    runs = Runs(replace(CRANE, tag_deletes=tag_deletes))
    (digest,) = runs.fill(1)

    async def arm(_: object) -> None:
        runs.registry.faults.add(Reply(401), method="HEAD|GET", path=digest, skip=1, times=1)

    done = await runs.delete(strategy=Strategy.DIGEST, before_delete=arm)

    assert words(done) == {"pr-0": "failed unconfirmed"}
    assert runs.registry.tags(APP) == {"pr-0": digest}
    assert done.code == 1


async def test_a_tag_that_cannot_be_read_is_no_word_on_the_others() -> None:
    """Where one tag that outlives its manifest could not be read, so not deleted, nothing is said of it, and the others go."""
    runs = Runs(CRANE)
    digests = runs.fill(4)

    async def arm(_: object) -> None:
        runs.registry.faults.add(Reply(500), method="HEAD|GET", path="manifests/pr-1$", times=11)

    done = await runs.delete(strategy=Strategy.DIGEST, concurrency=1, before_delete=arm)

    assert words(done) == {"pr-1": "failed unconfirmed"} | dict.fromkeys(["pr-0", "pr-2", "pr-3"], "deleted")
    assert runs.registry.tags(APP) == {"pr-1": digests[1]}


async def test_a_listed_tag_that_answers_nothing_is_not_called_gone() -> None:
    """Where tags outlive digests, a tag that answers 404 before its DELETE may be listed still: the list tells, and it is deleted."""
    runs = Runs(CRANE)
    digests = runs.fill(3)
    kept = runs.keep()
    store = runs.registry.store
    runs.on("DELETE", digests[1], lambda: store.delete_manifest(APP, digests[1], only=0))
    runs.registry.faults.add(Drop(), method="DELETE", path=digests[1])

    done = await runs.delete(strategy=Strategy.DIGEST, concurrency=1)

    assert [word for tag, word in words(done).items() if tag in runs.registry.tags(APP)] == []
    assert runs.registry.tags(APP) == {"latest": kept}


async def test_a_tag_that_somebody_deletes_is_no_word_on_the_others() -> None:
    """Where one tag is gone after the first deletion and another tag of the image lives on, tags do not go with manifests."""
    runs = Runs(CRANE)
    digests = runs.fill(2, "too")
    kept = runs.keep()
    runs.on("DELETE", digests[0], lambda: runs.registry.store.delete_tag(APP, "pr-0"))

    done = await runs.delete(strategy=Strategy.DIGEST, concurrency=1)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}


async def test_a_tag_that_went_by_its_own_deletion_did_not_go_with_its_manifest() -> None:
    """Where that deletion has no answer, the place is known all the same: the tags of the other images are deleted too."""
    runs = Runs(CRANE)
    runs.fill(3)
    kept = runs.keep()
    runs.registry.faults.add(DropAfter(), method="DELETE", path="manifests/pr-0$")

    done = await runs.delete(strategy=Strategy.DIGEST, concurrency=1)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}
