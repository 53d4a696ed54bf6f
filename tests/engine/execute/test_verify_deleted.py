"""`--verify` also looks at what the report says is gone."""

from bulkrm.sandbox import oci_image
from tests.engine.runs import APP, Runs, words


async def test_what_came_back_is_told(runs: Runs) -> None:
    """An image that was pushed again after its DELETE is a difference: the report says it is gone, and it is there."""
    digests = runs.fill(3)
    runs.keep()
    runs.on("DELETE", digests[2], lambda: runs.registry.push(APP, oci_image(1), "pr-1"))

    done = await runs.delete(verify=True, concurrency=1)

    assert set(words(done).values()) == {"deleted"}
    assert done.report.verification is not None
    place = f"{runs.registry.host}/{APP}"
    found = {difference.image for difference in done.report.verification.differences}
    assert found == {f"{place}:pr-1", f"{place}@{digests[1]}"}
    assert done.code == 1
