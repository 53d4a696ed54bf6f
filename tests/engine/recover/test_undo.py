"""What a run deleted is put back from the bytes that were kept: children first, tags last, and looked at."""

from pathlib import Path

import pytest

from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import DropAfter, Reply, oci_image, oci_index
from tests.engine.runs import APP, TAGS, Runs
from tests.integration.engine import lost


async def test_everything_comes_back_under_its_tags(runs: Runs, tmp_path: Path) -> None:
    """After a run and its undo the repository is what it was."""
    runs.fill(3, "too")
    runs.registry.push(APP, oci_index(9), "pr-multi")
    before = runs.registry.tags(APP)
    await runs.delete(state=tmp_path, recursive=True)
    assert runs.registry.tags(APP) == {}

    told = await runs.undo(lost(tmp_path))

    assert set(told.values()) == {"restored"}
    assert runs.registry.tags(APP) == before


async def test_children_are_pushed_before_their_index(runs: Runs, tmp_path: Path) -> None:
    """A registry refuses an index without its children, so those come first."""
    index = oci_index(9)
    runs.registry.push(APP, index, "pr-multi")
    await runs.delete(state=tmp_path, recursive=True)
    runs.registry.sent.clear()

    await runs.undo(lost(tmp_path))

    pushed = [line.rpartition("/")[2] for line in runs.registry.asked("PUT")]
    children = [pushed.index(child.digest) for child in index.children]
    assert max(children) < min(number for number, name in enumerate(pushed) if name in (index.digest, "pr-multi"))


async def test_a_tag_that_leads_elsewhere_is_left_alone(runs: Runs, tmp_path: Path) -> None:
    """What somebody pushed since under the same tag stays."""
    runs.fill(2)
    await runs.delete(state=tmp_path)
    new = runs.registry.push(APP, oci_image(50), "pr-0")

    told = await runs.undo(lost(tmp_path))

    assert (told["pr-0"], told["pr-1"]) == ("kept moved", "restored")
    assert runs.registry.tags(APP)["pr-0"] == new


async def test_what_is_there_already_is_not_pushed(runs: Runs, tmp_path: Path) -> None:
    """A second undo finds everything unchanged, and sends no PUT."""
    runs.fill(2)
    await runs.delete(state=tmp_path)
    await runs.undo(lost(tmp_path))
    runs.registry.sent.clear()

    told = await runs.undo(lost(tmp_path))

    assert set(told.values()) == {"unchanged"}
    assert runs.registry.asked("PUT") == []


@pytest.mark.parametrize("fault", [DropAfter(), Reply(502)])
async def test_a_push_without_an_answer_is_looked_at(runs: Runs, tmp_path: Path, fault: DropAfter | Reply) -> None:
    """Whether it is back is read, and not guessed."""
    runs.fill(2)
    before = runs.registry.tags(APP)
    await runs.delete(state=tmp_path)
    runs.registry.faults.add(fault, method="PUT", path="pr-1$")

    told = await runs.undo(lost(tmp_path))

    assert set(told.values()) == {"restored"}
    assert runs.registry.tags(APP) == before


async def test_after_a_garbage_collection_it_is_told(runs: Runs, tmp_path: Path) -> None:
    """An image whose blobs the registry dropped cannot come back, and no tag is pushed for it."""
    runs.fill(2)
    await runs.delete(state=tmp_path)
    runs.registry.store.collect_garbage()

    told = await runs.undo(lost(tmp_path))

    assert {word.partition(" ")[0] for word in told.values()} == {"failed"}
    assert runs.registry.tags(APP) == {}


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
async def test_untagged_tags_come_back_too(tmp_path: Path, strategy: Strategy) -> None:
    """A tag that was taken off an image which stayed is put back onto it."""
    runs = Runs(TAGS)
    runs.registry.push(APP, oci_image(1), "pr-1", "pr-2", "latest")
    before = runs.registry.tags(APP)
    await runs.delete(state=tmp_path, shared=Shared.UNTAG, strategy=strategy)
    assert set(runs.registry.tags(APP)) == {"latest"}

    told = await runs.undo(lost(tmp_path))

    assert told == {"pr-1": "restored", "pr-2": "restored"}
    assert runs.registry.tags(APP) == before
