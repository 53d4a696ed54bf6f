"""A tag that another run has covered with its decoy is that run's business: this one waits a little and leaves it."""

from bulkrm.model.settings import Shared
from bulkrm.sandbox import oci_image
from tests.engine.runs import APP, Runs, words


async def test_another_runs_decoy_is_left_alone(runs: Runs) -> None:
    """Two runs that take off the same tags at once lose nothing, and the second one overwrites nothing of the first."""
    digest = runs.registry.push(APP, oci_image(1), "pr-1", "latest")
    second: list[dict[str, str]] = []

    async def other(_: object) -> None:
        second.append(words(await runs.delete(shared=Shared.UNTAG, allow_decoy=True)))

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True, before_delete=other)

    assert second == [{"pr-1": "untagged"}]
    assert words(done)["pr-1"] in ("untagged", "absent")
    assert runs.registry.tags(APP) == {"latest": digest}
    assert runs.registry.store.digests(APP) == {digest}
