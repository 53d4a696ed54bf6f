"""What the question names, what can be looked at before the answer, and which answers count."""

import pytest

from bulkrm.cli.terminal.question import is_number
from bulkrm.cli.terminal.question_text import QuestionText
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Plan, Settled, Verdict
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.outcome import Gone, Kept, KeptReason
from bulkrm.model.target import Source, Target
from bulkrm.model.text.layout import cells
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from tests.cli.command import fill, sent, tags, terminal

OPEN = SandboxSettings(auth=Auth.NONE)
HOST = "registry.example.com"


def item(path: str, *names: str, verdict: Verdict | None = None, host: str = HOST) -> Item:
    """A manifest with these tags, all of them listed; one without any is listed by its digest."""
    repository, digest = Repository(host, path), Digest.of(f"{path}{names}".encode())
    found = verdict or Delete()
    targets = tuple(Target(TagRef(repository, name), Source("list.yaml", 1)) for name in names)
    also = [name.rpartition(":")[2] for name in found.also_removed or ()] if isinstance(found, Delete) else []
    return Item(
        repository,
        Resolved(digest, OCI_MANIFEST, 500),
        targets or (Target(DigestRef(repository, digest), Source("list.yaml", 1)),),
        found,
        (*names, *also),
    )


LONG = "platform/a-team-with-a-long-name/of-a-service/and-its-sidecar/that-nobody-can-pronounce-at-all"
PLAN = Plan(
    (
        *(item("team/app", f"pr-{number}") for number in range(1000)),
        *(item(f"team/web-{number}", "1", "2") for number in range(9)),
        *(item(LONG, f"b-{number}") for number in range(7)),
        item("team/loose"),
        item("app", "x", host="other.example.com:5000"),
        item("team/app", "y", verdict=Delete(tuple(f"{HOST}/team/app:also-{number}" for number in range(7)))),
        item("team/app", "k", "l", verdict=Kept(KeptReason.TOO_YOUNG)),
        item("team/app", "p", verdict=Kept(KeptReason.PROTECTED, ("*:p",))),
    ),
    (Settled(Target(TagRef(Repository(HOST, "team/app"), "gone"), Source("list.yaml", 2)), Gone()),),
    {Repository(HOST, "team/app"): 1024, Repository(HOST, LONG): 7},
)


@pytest.mark.parametrize("width", [80, 200])
def test_what_the_question_names(width: int) -> None:
    """Registries with the five repositories of which most goes, what goes along, and which rules keep how many."""
    lines = QuestionText(PLAN, width).opening.splitlines()

    text = " ".join(" ".join(lines).split())
    assert text.startswith(f"{HOST} team/app 1,008 of 1,024 tags {LONG} all 7 tags team/web-0 2 tags team/web-1 2 tags")
    assert "and 8 more repositories: 14 tags and untagged manifests" in text
    assert f"7 tags that the list does not name will go too: {HOST}/team/app:also-0" in text
    assert f"{HOST}/team/app:also-4 and 2 more" in text
    assert "4 listed images will not be touched: 1 protected, 2 too-young, 1 absent." in text
    assert lines[-1] == "? lists all of it, d shows the plan."
    assert [line for line in lines if cells(line) > width and len(line.split()) > 1] == []


def test_all_of_it() -> None:
    """`?` leaves nothing away: every repository has its line, and every tag that goes along has its own."""
    lines = QuestionText(PLAN, 80).everything

    assert {line.split()[0] for line in lines if line.startswith("  team/")} == {
        "team/app", "team/loose", *(f"team/web-{number}" for number in range(9)),
    }  # fmt: skip
    assert "1 manifest without a tag" in next(line for line in lines if "team/loose" in line)
    assert [line.strip() for line in lines if "also-" in line] == [f"{HOST}/team/app:also-{n}" for n in range(7)]
    assert lines[lines.index("other.example.com:5000") + 1].split() == ["app", "1", "tag"]


def test_nothing_is_left_to_list() -> None:
    """Where everything stands above the question already, `?` is not offered."""
    plan = Plan((item("team/app", "1"), item("team/app", "k", verdict=Kept(KeptReason.TOO_YOUNG))), (), {})

    assert QuestionText(plan, 80).opening.splitlines()[-1] == "d shows the plan."


@pytest.mark.parametrize(
    ("text", "counts"),
    [("20153", True), ("20,153", True), ("20.153", True), (" 20 153 ", True), ("20'153", True), ("20\u202f153", True)]
    + [(text, False) for text in ("20154", "2015", "201,53", "20,15,3", "y20153", "-20153", "", "y", "20153.0")],
)
def test_a_number_that_is_typed(text: str, counts: bool) -> None:  # noqa: FBT001
    """The number counts with and without separators of thousands, and nothing else does."""
    assert is_number(text, 20153) is counts


async def test_all_of_it_and_the_plan_before_the_answer() -> None:
    """`?` and `d` show more and ask again; a yes behind them deletes."""
    async with Sandbox(OPEN) as sandbox:
        for number in range(7):
            fill(sandbox, "a", repository=f"team/app-{number}", seed=number)
        async with terminal(f"{sandbox.host}/team/*:a", "-o", "json") as screen:
            await screen.until("[y/N] ")
            first = screen.seen
            screen.seen = ""
            screen.type("?\n")
            await screen.until("[y/N] ")
            everything, screen.seen = screen.seen, ""
            screen.type("d\n")
            await screen.until("q goes back to the question: ")
            plan, screen.seen = screen.seen, ""
            screen.type("q\n")
            await screen.until("[y/N] ")
            assert sent(sandbox) == []
            screen.type("y\n")
            result = await screen.end()

    assert "and 2 more repositories: 2 tags" in first
    assert [f"team/app-{number} " in everything for number in range(7)] == [True] * 7
    assert f"{sandbox.host}/team/app-5  (1 tag: 1 to go, 0 to stay)" in plan
    assert (result.code, set(result.statuses.values())) == (0, {"deleted"})


async def test_pages() -> None:
    """A list that is longer than the terminal stops at every screen; Enter shows more, q leads back to the question."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t-{number:03}" for number in range(60)))
        async with terminal(f"{sandbox.host}/team/app:*", "-o", "json") as screen:
            await screen.until("[y/N] ")
            screen.type("d\n")
            await screen.until("q goes back to the question: ")
            shown, screen.seen = screen.seen, ""
            screen.type("\n")
            await screen.until("q goes back to the question: ")
            more, screen.seen = screen.seen, ""
            screen.type("q\n")
            await screen.until("[y/N] ")
            screen.type("n\n")
            result = await screen.end()

    assert (":t-010 " in shown, ":t-030 " in shown) == (True, False)
    assert (":t-010 " in more, ":t-030 " in more) == (False, True)
    assert (result.code, sent(sandbox)) == (1, [])


@pytest.mark.parametrize(
    ("typed", "left"), [("4", set()), ("n", {"a", "b", "o-1", "o-2"}), ("2", {"a", "b", "o-1", "o-2"})]
)
async def test_above_the_limit_the_number_is_typed(typed: str, left: set[str]) -> None:
    """A bare yes does not delete; the number does, in which tags count that the list does not name."""
    async with Sandbox(OPEN) as sandbox:
        digest = fill(sandbox, "a", "b")["a"]
        for name in ("o-1", "o-2"):
            sandbox.store.tag("team/app", name, digest)
        images = [f"{sandbox.host}/team/app:{tag}" for tag in "ab"]
        async with terminal(*images, "--shared", "delete", "--confirm-above", "3", "-o", "json") as screen:
            await screen.until("Type the number (4) to go on: ")
            for answer in ("y\n", "yes\n"):
                screen.seen = ""
                screen.type(answer)
                await screen.until("Type the number (4) to go on: ")
                assert sent(sandbox) == []
            screen.type(f"{typed}\n")
            result = await screen.end()

        assert tags(sandbox) == left
    assert result.code == (0 if typed == "4" else 1)
    assert {image["reason"] for image in result.images} == ({None} if typed == "4" else {"declined"})


@pytest.mark.parametrize(("limit", "prompt"), [("0", "Type the number (1) to go on: "), ("1", "[y/N] ")])
async def test_limits(limit: str, prompt: str) -> None:
    """0 means that the number is always typed; what is just at the limit is confirmed by a yes."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")
        async with terminal(f"{sandbox.host}/team/app:a", "--confirm-above", limit, "-o", "json") as screen:
            await screen.until(prompt)
            screen.type("\x04")
            result = await screen.end()

    assert (result.code, sent(sandbox)) == (1, [])


async def test_yes_skips_the_number() -> None:
    """-y asks for no number either."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b")
        async with terminal(f"{sandbox.host}/team/app:*", "--confirm-above", "0", "-y", "-o", "json") as screen:
            result = await screen.end()

    assert (result.code, "Type the number" in result.err) == (0, False)


async def test_interrupt_while_a_list_is_shown() -> None:
    """Ctrl-C between two screens of a list ends the run: 130, nothing deleted."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t-{number:03}" for number in range(60)))
        async with terminal(f"{sandbox.host}/team/app:*", "-o", "json") as screen:
            await screen.until("[y/N] ")
            screen.type("d\n")
            await screen.until("q goes back to the question: ")
            screen.type("\x03")
            result = await screen.end()

    assert (result.code, sent(sandbox)) == (130, [])
    assert {image["reason"] for image in result.images} == {"interrupted"}
