"""Labels, annotations and platform choose among the images that an entry names; the rest is not in the report."""

from bulkrm.sandbox import built_image, docker_list
from tests.engine.runs import APP, Runs, words


def labelled(stage: str) -> dict[str, object]:
    """A configuration with a label."""
    return {"os": "linux", "architecture": "amd64", "config": {"Labels": {"stage": stage}}}


async def test_only_what_has_the_label_is_chosen(runs: Runs) -> None:
    """What another stage made is neither deleted nor a line of the report."""
    runs.registry.push(APP, built_image(labelled("dev-1")), "pr-1")
    runs.registry.push(APP, built_image(labelled("prod")), "pr-2")

    done = await runs.delete(f"- image: {APP}:pr-*\n  labels: {{stage: 'dev*'}}")

    assert words(done) == {"pr-1": "deleted"}
    assert list(runs.registry.tags(APP)) == ["pr-2"]


async def test_an_annotation_costs_no_configuration(runs: Runs) -> None:
    """It stands in the manifest, which is read anyway."""
    runs.registry.push(APP, built_image(labelled("dev"), {"team": "a"}), "pr-1")
    runs.registry.push(APP, built_image(labelled("dev"), {"team": "b"}), "pr-2")

    done = await runs.delete(f"- image: {APP}:pr-*\n  annotations: {{team: a}}")

    assert words(done) == {"pr-1": "deleted"}
    assert not any("/blobs/" in line for line in runs.registry.sent)


async def test_an_index_is_never_chosen_by_its_platform(runs: Runs) -> None:
    """`platform` is for single images."""
    runs.registry.push(APP, built_image(labelled("dev")), "pr-1")
    runs.registry.push(APP, docker_list(3), "pr-2")

    done = await runs.delete(f"- image: {APP}:pr-*\n  platform: linux/amd64")

    assert words(done) == {"pr-1": "deleted"}


async def test_nothing_chosen_is_one_line(runs: Runs) -> None:
    """An entry that chooses nothing is a pattern without a match, not a list of images that stay."""
    runs.fill(3)

    done = await runs.delete(f"- image: {APP}:pr-*\n  labels: {{stage: none}}")

    assert list(done.statuses.values()) == ["no-match"]
    assert len(runs.registry.tags(APP)) == 3
