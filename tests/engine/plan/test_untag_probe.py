"""How a registry gives up a tag is asked by two DELETEs that cannot hit anything, once for a repository."""

from dataclasses import replace

from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Reply, oci_image
from tests.engine.runs import APP, TAGS, Runs, words
from tests.support.fake_registry import OPEN


def questions(runs: Runs) -> list[str]:
    """What the DELETEs named that only ask."""
    names = [line.rpartition("/")[2] for line in runs.registry.asked("DELETE")]
    return ["digest" if name.endswith("0" * 64) else "tag" for name in names if name not in runs.registry.deleted(APP)]


async def test_the_digest_is_asked_first() -> None:
    """A registry that deletes tags although it deletes nothing else is not mistaken for one that deletes."""
    runs = Runs(TAGS)
    runs.registry.push(APP, oci_image(1), "pr-1", "pr-2", "latest")

    done = await runs.delete(shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged"}
    assert questions(runs) == ["digest", "tag"]


async def test_where_nothing_is_deleted_no_tag_is_touched() -> None:
    """405 to the first question ends it: every image fails with that cause."""
    runs = Runs(replace(TAGS, delete_enabled=False))
    runs.registry.push(APP, oci_image(1), "pr-1", "latest")

    done = await runs.delete(shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "failed deletion-disabled"}
    assert questions(runs) == ["digest"]


async def test_no_way_without_leave_to_push() -> None:
    """A registry that deletes no tags and may not be pushed to keeps what is shared; nothing is pushed to find out."""
    runs = Runs()
    runs.registry.push(APP, oci_image(1), "pr-1", "latest")

    done = await runs.delete(shared=Shared.UNTAG)

    assert words(done) == {"pr-1": "kept shared"}
    assert runs.registry.asked("PUT") == []


async def test_a_registry_of_tags_only() -> None:
    """Where digests are refused and tags are not, the tags go if the user asks for it, and the manifests stay."""
    runs = Runs(replace(OPEN, tag_deletes=True, deletes_digests=False))
    digests = runs.fill(2)
    runs.registry.faults.add(Reply(405), method="DELETE", path="sha256:", times=None)

    done = await runs.delete(strategy=Strategy.TAGS_FIRST)

    assert set(words(done).values()) == {"untagged"}
    assert runs.registry.tags(APP) == {}
    assert set(digests) <= runs.registry.store.digests(APP)
    assert sorted(runs.registry.deleted(APP)) == ["pr-0", "pr-1"]
