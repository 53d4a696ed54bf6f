"""What a plan says will go, and what making it may ask of a registry."""

import pytest

from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_reader import read
from bulkrm.codec.plan_writer import write
from bulkrm.model.settings import Limit, Policy, Shared, Strategy
from bulkrm.sandbox import artifact, docker_list, oci_image, oci_index
from tests.engine.runs import APP, TAGS, Runs, words


async def test_planning_only_reads(runs: Runs) -> None:
    """A dry run sends GET and HEAD, and leaves everything where it is."""
    runs.fill(3)
    runs.keep()
    before = runs.registry.tags(APP)

    done = await runs.plan()

    assert words(done) == dict.fromkeys(("pr-0", "pr-1", "pr-2"), "would-delete")
    assert runs.registry.tags(APP) == before
    assert runs.registry.asked("DELETE", "PUT") == []


async def test_a_run_reads_what_its_dry_run_read(runs: Runs) -> None:
    """The reading before the first DELETE is the same, request for request, whether anything is deleted or not."""
    runs.fill(3)
    runs.keep()
    await runs.plan()
    planned = list(runs.registry.sent)
    runs.registry.sent.clear()

    await runs.delete()

    assert runs.registry.sent[: len(planned)] == planned


async def test_each_image_is_read_once(runs: Runs) -> None:
    """One listing for the glob and the guard together, one GET for each listed tag, one HEAD for each other one."""
    runs.fill(5)
    runs.keep("latest", "stable")

    await runs.plan(f"- {APP}:pr-*\n- {APP}:pr-1")

    sent = runs.registry.sent
    assert sorted(sent) == sorted(set(sent))
    assert [line for line in sent if "tags/list" in line] == [f"GET /v2/{APP}/tags/list?n=1000"]
    assert {line.rpartition("/")[2] for line in runs.registry.asked("GET") if "/manifests/" in line} == {
        f"pr-{number}" for number in range(5)
    }
    assert {line.rpartition("/")[2] for line in runs.registry.asked("HEAD")} == {"latest", "stable"}


async def test_the_order_of_the_list_does_not_matter(runs: Runs) -> None:
    """The same lines in another order give the same fate to each image."""
    runs.registry.push(APP, oci_image(1), "pr-1", "keep")
    runs.registry.push(APP, oci_index(2), "pr-2")
    runs.registry.push(APP, oci_index(2).children[0], "pr-3")
    lines = [f"- {APP}:pr-{number}\n" for number in (1, 2, 3)]

    there = await runs.plan("".join(lines))
    back = await runs.plan("".join(reversed(lines)))

    assert words(there) == words(back) == {"pr-1": "kept shared", "pr-2": "would-delete", "pr-3": "would-delete"}


@pytest.mark.parametrize("shared", [Shared.DELETE, Shared.DELETE_UNSEEN])
async def test_shared_digests_go_where_the_user_says_so(runs: Runs, shared: Shared) -> None:
    """With leave for it an unlisted tag goes with its digest; who does not want to see it does not pay for reading it."""
    runs.registry.push(APP, oci_image(1), "pr-1", "latest")

    done = await runs.plan(f"- {APP}:pr-1", shared=shared)

    assert words(done) == {"pr-1": "would-delete"}
    assert any("tags/list" in line for line in runs.registry.sent) == (shared is Shared.DELETE)


@pytest.mark.parametrize(("limit", "fate"), [("2", "kept limit"), ("3", "would-delete"), ("50%", "kept limit")])
async def test_more_than_the_limit_keeps_everything(runs: Runs, limit: str, fate: str) -> None:
    """Where more would go than --max-delete allows nothing goes, counted as tags or as their share."""
    runs.fill(3)
    runs.keep()

    done = await runs.plan(max_delete=Limit.parse(limit))

    assert set(words(done).values()) == {fate}


async def test_a_child_of_a_kept_index_stays(runs: Runs) -> None:
    """What an index needs that is not listed is kept, and the index is named."""
    index = docker_list(1)
    runs.registry.push(APP, index, "multi")
    runs.registry.push(APP, index.children[0], "pr-1")

    done = await runs.plan(f"- {APP}:pr-1")

    assert words(done) == {"pr-1": "kept needed"}
    assert done.images[0]["because"] == [f"{runs.registry.host}/{APP}@{index.digest}"]


@pytest.mark.parametrize("recursive", [False, True])
async def test_children_and_what_is_attached_go_only_if_asked_for(*, recursive: bool) -> None:
    """With -r the children of an index and its signature are lines of the report, each with its parent."""
    runs = Runs()
    index = oci_index(1)
    runs.registry.push(APP, index, "pr-1")
    signature = artifact(7, index)
    runs.registry.push(APP, signature, index.digest.replace(":", "-") + ".sig")

    done = await runs.plan(f"- {APP}:pr-1", recursive=recursive)

    assert words(done)["pr-1"] == "would-delete"
    extra = {image["digest"] for image in done.images if image["parent"]}
    assert extra == ({signature.digest, *(child.digest for child in index.children)} if recursive else set())


async def test_protection_wins_over_everything(runs: Runs) -> None:
    """A protected tag keeps its digest, whatever else the user allows."""
    runs.registry.push(APP, oci_image(1), "pr-1", "latest")

    done = await runs.plan(f'protect: ["*:latest"]\nimages:\n- {APP}:pr-1', shared=Shared.DELETE)

    assert words(done) == {"pr-1": "kept protected"}


async def test_the_strategy_is_asked_for_only_where_it_may_gain() -> None:
    """`auto` asks a registry whether it deletes tags where the repository is large, and not where it is small."""
    for number, asks in ((20, False), (150, True)):
        runs = Runs()
        runs.fill(number)
        runs.keep()

        await runs.plan(strategy=Strategy.AUTO)

        assert any("bulkrm-probe-" in line for line in runs.registry.sent) is asks


async def test_nothing_is_planned_from_nothing(runs: Runs) -> None:
    """Tags that are not there are absent, a repository that is not there is said to be none, and nobody is asked twice."""
    runs.keep()

    done = await runs.plan(f"- {APP}:gone\n- team/other:gone\n- {APP}:pr-*")

    assert done.statuses == {
        f"{APP}:gone": "absent",
        "team/other:gone": "absent no-repository",
        f"{APP}:pr-*": "no-match",
    }
    assert len(runs.registry.sent) == len(set(runs.registry.sent))


async def test_a_tag_that_is_named_twice_is_read_back_from_the_plan() -> None:
    """`app:pr-1` and `app:pr-1@DIGEST` are two lines of the report for one tag, in a saved plan too."""
    runs = Runs(TAGS)
    digest = runs.registry.push(APP, oci_image(1), "pr-1", "latest")

    done = await runs.plan(f"- {APP}:pr-1\n- {APP}:pr-1@{digest}", shared=Shared.UNTAG)

    assert done.plan is not None
    assert set(words(done).values()) == {"would-untag"}
    text = write(PlanDocument(done.plan, Policy(shared=Shared.UNTAG)))
    assert write(read(text, "plan.json")) == text
