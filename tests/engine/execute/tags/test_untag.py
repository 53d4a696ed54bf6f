"""`--shared untag`: listed tags go, and the manifest stays under its other ones."""

from dataclasses import replace

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.plan import Plan
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Limit, Shared
from bulkrm.sandbox import DropAfter, Reply, oci_image
from tests.engine.runs import APP, TAGS, Runs, words
from tests.support.fake_registry import OPEN


def shared(runs: Runs) -> str:
    """One image under two listed tags and one other; return its digest."""
    return runs.registry.push(APP, oci_image(1), "pr-1", "pr-2", "latest")


async def test_only_the_listed_tags_go() -> None:
    """Each is deleted by its name, and the manifest is not touched."""
    runs = Runs(TAGS)
    digest = shared(runs)

    done = await runs.delete(shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged"}
    assert runs.registry.tags(APP) == {"latest": digest}
    assert sorted(runs.registry.deleted(APP)) == ["pr-1", "pr-2"]


async def test_a_tag_is_read_again_right_before_it_goes() -> None:
    """A tag that moved since the plan is kept, with what it holds now."""
    runs = Runs(TAGS)
    shared(runs)
    new = runs.registry.push(APP, oci_image(5))
    runs.on("DELETE", "manifests/pr-1$", lambda: runs.registry.store.tag(APP, "pr-2", new))

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert words(done) == {"pr-1": "untagged", "pr-2": "kept moved"}
    assert runs.registry.tags(APP)["pr-2"] == new


@pytest.mark.parametrize("fault", [DropAfter(), Reply(502)])
async def test_a_tag_whose_answer_is_lost_is_looked_at(fault: DropAfter | Reply) -> None:
    """Whatever became of its DELETE, the tag is gone afterwards and the manifest is there."""
    runs = Runs(TAGS)
    digest = shared(runs)
    runs.registry.faults.add(fault, method="DELETE", path="manifests/pr-1$")

    done = await runs.delete(shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged"}
    assert runs.registry.tags(APP) == {"latest": digest}


async def test_a_registry_that_takes_more_than_the_tag() -> None:
    """Where the DELETE of one tag takes the whole digest, its other tags are put back and no second tag is risked."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    digest = shared(runs)
    second = runs.registry.push(APP, oci_image(2), "pr-3", "stable")

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert words(done) == {
        "pr-1": "failed siblings-removed",
        "pr-2": "not-attempted fail-fast",
        "pr-3": "not-attempted fail-fast",
    }
    assert runs.registry.deleted(APP) == ["pr-1"]
    assert runs.registry.tags(APP) == {"latest": digest, "pr-2": digest, "pr-3": second, "stable": second}


async def test_what_has_no_other_tag_is_deleted() -> None:
    """Untagging is for what is shared; a digest of which all tags are listed goes as a whole."""
    runs = Runs(TAGS)
    shared(runs)
    alone = runs.registry.push(APP, oci_image(2), "pr-3")

    done = await runs.delete(shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged", "pr-3": "deleted"}
    assert alone not in runs.registry.store.digests(APP)


async def test_the_limit_counts_tags() -> None:
    """Two tags that would be untagged are more than --max-delete 1."""
    runs = Runs(TAGS)
    shared(runs)

    done = await runs.delete(shared=Shared.UNTAG, max_delete=Limit.parse("1"))

    assert set(words(done).values()) == {"kept limit"}
    assert runs.registry.deleted(APP) == []


async def test_a_protected_tag_does_not_hold_another() -> None:
    """A listed tag may leave a digest that a protected tag is on, and the protected one stays."""
    runs = Runs(replace(OPEN, tag_deletes=True))
    digest = shared(runs)

    done = await runs.delete(f'protect: ["*:pr-2"]\nimages:\n- {APP}:pr-*', shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "untagged", "pr-2": "kept protected"}
    assert runs.registry.tags(APP) == {"latest": digest, "pr-2": digest}


async def test_a_tag_that_wants_its_proof_is_not_judged_again() -> None:
    """Where the second tag grew too old, the first one, gone without an answer, is proved by the tag list and told once."""
    runs = Runs(TAGS)
    digest = shared(runs)
    runs.registry.faults.add(DropAfter(), method="DELETE", path="manifests/pr-1$")
    runs.on("HEAD", "manifests/pr-2$", lambda: runs.clock.skip(61), skip=2)

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert done.stop.bug is None
    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged"}
    assert runs.registry.tags(APP) == {"latest": digest}


@pytest.mark.parametrize("decoy", [False, True])
async def test_a_manifest_that_is_gone_is_no_word_on_its_tags(*, decoy: bool) -> None:
    """Where somebody deleted the digest and its tags live on, as on crane's registry, none of them is called absent."""
    runs = Runs(replace(TAGS, tags_survive_digest_delete=True, tag_deletes=not decoy))
    digest = shared(runs)
    new = runs.registry.push(APP, oci_image(5))

    async def somebody_deletes(_: Plan) -> None:
        runs.registry.store.delete_manifest(APP, digest, keeps_tags=True)
        runs.registry.store.tag(APP, "pr-2", new)

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=decoy, concurrency=1, before_delete=somebody_deletes)

    assert words(done) == {"pr-1": "failed tags-remain", "pr-2": "kept moved"}
    assert runs.registry.tags(APP) == {"latest": digest, "pr-1": digest, "pr-2": new}
    assert runs.registry.asked("PUT") == []


@pytest.mark.parametrize("unread", ["manifests/pr-1$", "manifests/pr-[12]$"])
async def test_others_are_put_back_whatever_is_known_of_the_tag(unread: str) -> None:
    """Where the DELETE takes the whole digest, and neither its answer nor the tag can be had, the other tags come back."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    digest = shared(runs)

    def refuse() -> None:
        runs.registry.faults.add(Reply(403), method="HEAD|GET", path=unread, times=None)

    runs.on("DELETE", "manifests/pr-1$", refuse)
    runs.registry.faults.add(DropAfter(), method="DELETE", path="manifests/pr-1$")

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert words(done)["pr-1"] == "failed siblings-removed"
    assert runs.registry.tags(APP)["latest"] == digest


async def test_others_are_put_back_where_somebody_pushed_the_tag_meanwhile() -> None:
    """A tag that holds something new behind a lost answer is no sign that the others are there."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    digest = shared(runs)
    new = oci_image(5)
    runs.registry.faults.add(DropAfter(), method="DELETE", path="manifests/pr-1$")

    def somebody_pushes() -> None:
        if digest not in runs.registry.store.digests(APP):
            runs.registry.push(APP, new, "pr-1")

    runs.on("HEAD", "manifests/pr-1$", somebody_pushes, times=None)

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert words(done)["pr-1"] == "failed siblings-removed"
    assert runs.registry.tags(APP) == {"latest": digest, "pr-1": new.digest, "pr-2": digest}


async def test_a_listed_tag_that_is_lost_is_no_untried_one() -> None:
    """Where nothing can be put back, each listed tag that went along fails as lost, and none is said to be untouched."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    shared(runs)
    runs.registry.faults.add(Reply(403), method="PUT", times=None)

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert words(done) == dict.fromkeys(["pr-1", "pr-2"], "failed siblings-removed")
    assert runs.registry.tags(APP) == {}
    assert all("LOST, push them again: latest, pr-2" in image["error"]["message"] for image in done.images)


async def test_a_listed_tag_that_may_be_lost_is_not_called_absent() -> None:
    """Where the other tags cannot be read after the first DELETE, a listed one may have gone with it, by this run."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    shared(runs)

    def refuse() -> None:
        runs.registry.faults.add(Reply(403), method="HEAD|GET", path="manifests/(pr-2|latest)$", times=2)

    runs.on("DELETE", "manifests/pr-1$", refuse)

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1)

    assert words(done) == dict.fromkeys(["pr-1", "pr-2"], "failed unconfirmed")
    assert runs.registry.tags(APP) == {}


async def test_a_listed_tag_is_no_untried_one_where_the_first_deletion_is_cut_off() -> None:
    """A second signal in the first DELETE of a tag: nobody looked whether the registry took the other tags with it."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    shared(runs)
    stop = Stop()

    def cut_off() -> None:
        for _ in range(2):
            stop.interrupt(Signal.INTERRUPT)

    runs.on("HEAD", "manifests/(pr-2|latest)$", cut_off, skip=4)

    done = await runs.delete(shared=Shared.UNTAG, concurrency=1, stop=stop)

    assert words(done) == dict.fromkeys(["pr-1", "pr-2"], "failed unconfirmed")
    assert runs.registry.tags(APP) == {}
