"""Tags of the list that lead to no manifest are removed, where the registry removes tags, and nothing else is."""

from bulkrm.sandbox import Reply, oci_image
from tests.engine.runs import APP, TAGS, Runs, words

NOBODY = "sha256:" + "dead" * 16


async def test_a_listed_tag_that_leads_nowhere_goes_first() -> None:
    """It is read again right before, deleted by name ahead of every manifest, and reported without a digest."""
    runs = Runs(TAGS)
    digests = runs.fill(2)
    runs.keep()
    runs.registry.store.tag(APP, "pr-ghost", NOBODY)

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.deleted(APP) == ["pr-ghost", *digests]
    (ghost,) = [image for image in done.images if image["image"].endswith("pr-ghost")]
    assert ghost["digest"] is None
    assert list(runs.registry.tags(APP)) == ["latest"]


async def test_one_that_leads_somewhere_by_then_stays() -> None:
    """A tag that somebody pushed between plan and DELETE is not a damaged one any more."""
    runs = Runs(TAGS)
    runs.keep()
    runs.registry.store.tag(APP, "pr-ghost", NOBODY)
    new = runs.registry.push(APP, oci_image(5))

    async def push(_: object) -> None:
        runs.registry.store.tag(APP, "pr-ghost", new)

    done = await runs.delete(before_delete=push)

    assert words(done) == {"pr-ghost": "kept moved"}
    assert runs.registry.tags(APP)["pr-ghost"] == new


async def test_where_no_tag_is_deleted_it_is_kept(runs: Runs) -> None:
    """A registry that deletes no tags leaves it, and the report says so."""
    runs.keep()
    runs.registry.store.tag(APP, "pr-ghost", NOBODY)

    done = await runs.delete()

    assert words(done) == {"pr-ghost": "kept unreadable"}
    assert runs.registry.deleted(APP) == []


async def test_a_tag_that_cannot_be_read_holds_no_decoy_back(runs: Runs) -> None:
    """Where the read of a second tag is refused, the decoy under the first one is deleted all the same."""
    runs.keep()
    for tag in ("pr-1", "pr-2"):
        runs.registry.store.tag(APP, tag, NOBODY)

    async def refuse(_: object) -> None:
        runs.registry.faults.add(Reply(403), method="HEAD|GET", path="manifests/pr-2$", times=None)

    done = await runs.delete(allow_decoy=True, before_delete=refuse)

    assert words(done) == {"pr-1": "deleted", "pr-2": "failed not-permitted"}
    assert set(runs.registry.tags(APP)) == {"latest", "pr-2"}
