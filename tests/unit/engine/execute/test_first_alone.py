"""Who goes alone, and until when."""

import anyio

from bulkrm.engine.execute.first_alone import DeletionGate, FirstAlone, GateKind

HOST, PLACE = DeletionGate("r.example"), DeletionGate("r.example/team", GateKind.MANIFEST)
TAGGED = DeletionGate("r.example/team", GateKind.TAGGED_MANIFEST)


async def test_one_at_a_time_until_it_is_open() -> None:
    """Until something was done at a host one goes at a time; then all go, and another host has a gate of its own."""
    first_alone, inside, most = FirstAlone(), 0, 0
    said: list[str] = []

    async def enter(word: str, *, opens: bool = False) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await anyio.lowlevel.checkpoint()
        inside -= 1
        said.append(word)
        if opens:
            first_alone.open(DeletionGate("r.example"))

    async def go(number: int) -> None:
        async with first_alone.turn(DeletionGate("r.example")) as is_alone:
            await (enter("first", opens=number == 1) if is_alone else enter("then"))

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(go, number)
        await anyio.wait_all_tasks_blocked()
        assert (most, said) == (2, ["first", "first", "then", "then"])

    async with first_alone.turn(DeletionGate("other.example")) as is_alone:
        assert is_alone


async def test_several_gates() -> None:
    """A turn passes two closed gates one after the other, and one that passes only the first waits at that."""
    first_alone, said = FirstAlone(), list[str]()
    first_alone.open(HOST)

    async def go(name: str, *gates: DeletionGate) -> None:
        async with first_alone.turn(*gates):
            said.append(f"{name} begins")
            await anyio.lowlevel.checkpoint()
            said.append(f"{name} ends")

    async with anyio.create_task_group() as group:
        group.start_soon(go, "tagged", HOST, PLACE, TAGGED)
        group.start_soon(go, "untagged", HOST, PLACE)

    assert said == ["tagged begins", "tagged ends", "untagged begins", "untagged ends"]


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    """A turn that is cancelled while it waits at its second gate gives the first one back."""
    first_alone = FirstAlone()
    async with first_alone.turn(TAGGED):
        with anyio.move_on_after(0):
            async with first_alone.turn(PLACE, TAGGED):
                raise AssertionError
        async with first_alone.turn(PLACE) as is_alone:
            assert is_alone
