"""`--verify`: afterwards every kept tag still leads where it led, and what was deleted is gone."""

from bulkrm.sandbox import oci_index
from tests.engine.runs import APP, REAL, Runs, words


async def test_nothing_is_different(runs: Runs) -> None:
    """After a run that did what it said there is no difference, for tags and for the children of a kept index."""
    runs.fill(2)
    runs.keep()
    runs.registry.push(APP, oci_index(5), "multi")

    done = await runs.delete(verify=True)

    assert done.code == 0
    assert done.report.verification is not None
    assert done.report.verification.differences == ()
    assert runs.registry.asked("HEAD").count(f"HEAD /v2/{APP}/manifests/latest") == 2


async def test_a_kept_tag_that_vanished_is_told(runs: Runs) -> None:
    """A tag that somebody else deleted meanwhile is a difference, and the run fails."""
    runs.fill(2)
    runs.keep()
    runs.on("DELETE", REAL, lambda: runs.registry.store.delete_tag(APP, "latest"))

    done = await runs.delete(verify=True)

    assert (done.code, set(words(done).values())) == (1, {"deleted"})
    assert done.report.verification is not None
    assert [found.image for found in done.report.verification.differences] == [f"{runs.registry.host}/{APP}:latest"]


async def test_a_child_of_a_kept_index_that_vanished_is_told(runs: Runs) -> None:
    """An index whose child is gone answers as before, and cannot be pulled."""
    runs.fill(2)
    index = oci_index(5)
    runs.registry.push(APP, index, "multi")
    child = index.children[0].digest
    runs.on("DELETE", REAL, lambda: runs.registry.store.delete_manifest(APP, child))

    done = await runs.delete(verify=True)

    assert done.code == 1
    assert done.report.verification is not None
    assert [found.image for found in done.report.verification.differences] == [f"{runs.registry.host}/{APP}@{child}"]
