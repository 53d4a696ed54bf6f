"""How long the way of one tag is: what a reader has to follow does not grow unseen."""

from types import CodeType

import pytest

from tests.way.page import lines, modules, page, until_delete
from tests.way.recording import LATER_STATIONS, STATIONS, Growth, Way, growth, name_of, record

# Bounds, some per cent above what is there: on a slow machine the display is drawn and limits are asked more often.
FRAMES_IN_TASK = 9  # of ours, in the task that sends a DELETE, the transport included
FRAMES_FROM_MAIN = 14  # of ours, from `main` down to the transport, as a debugger shows them
FRAMES_ACROSS_TASKS = 14  # of ours, from the coroutine that `main` runs, through the tasks that wait, to the transport
MODULES_ON_THE_WAY = 38
LINES_ON_THE_WAY = 880
LINES_TO_THE_OUTCOME = 1028
MODULES_EXECUTED = 157  # of everything that runs in a run with one tag, down to the smallest helper
MODULES_FOR_EACH_TAG = 90  # in which anything runs for each further tag of a list, up to its DELETE
CALLS_FOR_EACH_TAG = 790  # of functions of ours


@pytest.fixture(scope="module")
def way() -> Way:
    """The way of one tag."""
    return record()


@pytest.fixture(scope="module")
def growth_by_a_tag() -> Growth:
    """What is called for each further tag of a list."""
    return growth()


def names(codes: list[CodeType]) -> str:
    """Functions, one a line."""
    return "\n".join(map(name_of, codes))


def test_frames(way: Way) -> None:
    """A traceback at the DELETE is short."""
    assert 0 < len(way.in_task) <= FRAMES_IN_TASK, names(way.in_task)
    assert len(way.in_task) < len(way.stack) <= FRAMES_FROM_MAIN, names(way.stack)
    assert len(way.in_task) < len(way.across_tasks) <= FRAMES_ACROSS_TASKS, names(way.across_tasks)


def test_size(way: Way) -> None:
    """Few modules and lines have to be read to follow a tag, and not many more have a part in it."""
    assert len(modules(way.functions)) <= MODULES_ON_THE_WAY
    assert lines(way.functions) <= LINES_ON_THE_WAY
    assert lines({**way.functions, **way.later}) <= LINES_TO_THE_OUTCOME
    assert len(modules(way.executed)) <= MODULES_EXECUTED


def test_each_further_tag(way: Way, growth_by_a_tag: Growth) -> None:
    """A further tag of a list needs few modules and calls: what holds for a repository or host is not looked up again for it."""
    each = until_delete(growth_by_a_tag, way)

    assert 0 < len(modules(each)) <= MODULES_FOR_EACH_TAG, sorted(modules(each))
    assert len(each) < sum(growth_by_a_tag.calls.values()) <= CALLS_FOR_EACH_TAG


def test_every_station_is_reached(way: Way) -> None:
    """The way goes by all that happens to a tag: what is not there any more, or has another name, is not missed silently."""
    for stations, codes in ((STATIONS, way.functions), (LATER_STATIONS, way.later)):
        seen = {name_of(code) for code in codes}
        for title, functions in stations:
            assert functions <= seen, title


def test_who_hands_over_is_on_the_way(way: Way) -> None:
    """A function that returns the coroutine of another one is on the way, before that one, although it has no frame."""
    order = [name_of(code) for code in way.functions]
    hands = (
        ("engine.execute.image_step:ImageStep._send", "engine.execute.deletion:Deletion.delete"),
        ("engine.gateway:RepositoryGateway.delete", "remote.registry:Registry._delete"),
        ("remote.registry:Registry.delete", "remote.registry:Registry._delete"),
        ("remote.host:Host.exchange", "remote.send_loop:SendLoop.run"),
        ("remote.host:Host.transmit", "remote.transport.sessions:Transport.send"),
    )

    for hand, taken in hands:
        assert order.index(hand) < order.index(taken), hand
        assert hand not in map(name_of, way.in_task), "it has a frame of its own"


def test_the_page(way: Way, growth_by_a_tag: Growth) -> None:
    """The page goes from the list file to the transport, with a line for each function that says what it does."""
    text = list(page(way, growth_by_a_tag))
    functions = [line for line in text if line[:5].strip().isdigit()]

    assert len(functions) == len(way.functions) + len(way.later)
    assert "read_list" in "".join(functions[:6])
    assert any("Deletion.delete " in line and "DELETE one manifest" in line for line in functions)
