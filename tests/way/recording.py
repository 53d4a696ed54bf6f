"""One tag goes its way, from `--from-file` to its outcome, and the functions that it comes by are noted.

A real run of the command, in this process, on the sandbox in a thread of its own, with tokens and a recorded run. The
profiler of the interpreter tells of every function of ours that begins or returns, in the main thread only. Nothing of the
command is replaced.

What is counted. A *station* is where something happens to the tag: it is read, asked for, judged, written down, deleted
(`STATIONS`). A function is *on the way* if it is in progress when a station is reached: it is in the stack of the task
there, or of a task that waits for that one. It is on the way too if it handed over such a function, that is, returned its
coroutine for somebody else to await: it has no frame then, and has to be read all the same. So the way is what one has to
read to follow the tag from hand to hand, in that order. Its lines are those of its functions, each line once, without blank
lines and docstrings: the page prints the first line of each docstring.

What is not counted: how options are parsed; and functions that came back before the next station, such as the parsing of
a reference, the making of a value, the opening of the display. They are counted apart, as executed. Most of those run
once for a whole run: what runs for each further tag of a list is counted apart too, as `growth`, with how often it runs.
The number of those calls is a price of an image that does not depend on the machine.
"""

import inspect
import io
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any
from weakref import WeakKeyDictionary

import anyio

import bulkrm
from bulkrm.cli.main import main
from bulkrm.planning.guards.rules import GUARDS
from bulkrm.sandbox import SandboxSettings, oci_image, put_image
from tests.cli.command import environment, served

PACKAGE = Path(bulkrm.__file__).parent
_OURS, _NOT = f"{PACKAGE}{os.sep}", f"{PACKAGE / 'sandbox'}{os.sep}"
_WRITTEN, _RECORDED = "the journal is written", "its outcome is recorded"
# Where something happens to the tag: what it is called on the page, and the functions that do it. In the order of the way.
STATIONS: Sequence[tuple[str, frozenset[str]]] = (
    ("the list is read", frozenset({"selection.listfile.document:read_list"})),
    ("its line becomes a tag", frozenset({"engine.plan.expand:expand"})),
    ("it is read", frozenset({"engine.plan.resolver:Resolver.resolve"})),
    ("a request is sent", frozenset({"remote.transport.sessions:Transport.send"})),
    ("an answer is decided about", frozenset({"protocol.decision:decide"})),
    ("its bytes are archived", frozenset({"state.archive:Archive.add"})),
    ("it is judged", frozenset({"planning.judge:judge"})),
    ("its guards are asked", frozenset(f"planning.guards.rules:{guard.__name__}" for guard in GUARDS)),
    (_WRITTEN, frozenset({"state.journal.file:Journal.append"})),
    ("its step is ordered", frozenset({"planning.order.sequence:steps_of"})),
    ("what comes next is decided", frozenset({"planning.next_step:next_step"})),
    (
        "a first deletion goes alone",
        frozenset({"engine.execute.proof:Proof.gates", "engine.execute.first_alone:Turn.take"}),
    ),
    ("its judgement may be too old", frozenset({"engine.execute.staleness:Staleness.is_stale"})),
    ("what is against it is looked up", frozenset({"engine.execute.obstacles:Obstacles.of"})),
)
# What happens to it after its DELETE.
LATER_STATIONS: Sequence[tuple[str, frozenset[str]]] = (
    ("its DELETE is proved", frozenset({"engine.execute.proof:Proof.prove"})),
    (_RECORDED, frozenset({"engine.outcomes:Outcomes.record"})),
)
_STATION = {name: title for title, names in (*STATIONS, *LATER_STATIONS) for name in names}
_BEGIN = "cli.commands.deletion:delete_images"  # the options are parsed


def is_ours(code: CodeType) -> bool:
    """Tell whether a function is the command's."""
    return code.co_filename.startswith(_OURS) and not code.co_filename.startswith(_NOT)


def module_of(code: CodeType) -> str:
    """The module of a function of ours, without `bulkrm.`."""
    return code.co_filename[len(_OURS) : -len(".py")].replace(os.sep, ".")


def name_of(code: CodeType) -> str:
    """Module and name of a function."""
    return f"{module_of(code)}:{code.co_qualname}"


@dataclass
class Way:
    """What was noted.

    Of the moment in which the DELETE reaches the transport: `in_task` are the frames of ours in the task that sends it,
    `above` those of each task that waits for it, `below_main` those of `main` down to the event loop. `functions` are
    those on the way to it, in the order in which they were first seen, with the station at which they were; `later` those
    that are on the way only after it. `executed` are all that ran from the parsed options to the DELETE.
    """

    in_task: list[CodeType] = field(default_factory=list)
    above: list[list[CodeType]] = field(default_factory=list)
    below_main: list[CodeType] = field(default_factory=list)
    functions: dict[CodeType, str] = field(default_factory=dict)
    later: dict[CodeType, str] = field(default_factory=dict)
    executed: dict[CodeType, None] = field(default_factory=dict)
    code: object = None
    is_sent: bool = False
    is_over: bool = False

    @property
    def stack(self) -> list[CodeType]:
        """The frames from `main` down to the transport, as a debugger shows them: the waiting tasks are not among them."""
        return self.below_main + self.in_task

    @property
    def across_tasks(self) -> list[CodeType]:
        """The frames from the coroutine that `main` gives to the event loop down to the transport."""
        return [code for chain in reversed(self.above) for code in chain] + self.in_task


class Recording:
    """Notes the way of one tag. Used as the interpreter's profile function."""

    def __init__(self) -> None:
        self.way = Way()
        self._begun = False
        self._handed_over = HandedOver()

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if self.way.is_over or not is_ours(code):
            return
        if event == "return" and isinstance(value, CoroutineType):
            self._handed_over.note(code, value)
        if event != "call":
            return
        name = name_of(code)
        self._begun = self._begun or name == _BEGIN
        if not self._begun:
            return
        if not self.way.is_sent and not _is_loading(frame):
            self.way.executed.setdefault(code)
        if name in _STATION:
            self._note(frame, _STATION[name])

    def _note(self, frame: FrameType, station: str) -> None:
        task, outside = _split(frame)
        above = _waiting()
        way, handed = self.way, self._handed_over
        names = [name_of(each.f_code) for each in outside]
        parsed = outside[names.index(_BEGIN) :] if _BEGIN in names else []
        for chain in (parsed, *reversed(above), task):
            for code in handed.with_hands(chain):
                if not way.is_sent:
                    way.functions.setdefault(code, station)
                elif code not in way.functions:
                    way.later.setdefault(code, station)
        if frame.f_locals.get("method") == "DELETE" and not way.is_sent:
            way.in_task, way.above, way.below_main = codes_of(task), list(map(codes_of, above)), codes_of(outside)
            way.is_sent = True
        way.is_over = way.is_sent and station == _WRITTEN and _RECORDED in way.later.values()


def _is_loading(frame: FrameType) -> bool:
    """Tell whether this is the body of a module or class, or a function that a module calls while it is loaded."""
    by = frame.f_back
    return not frame.f_code.co_flags & inspect.CO_OPTIMIZED or (by is not None and by.f_code.co_name == "<module>")


class HandedOver:
    """The functions that returned a coroutine which others await, by that coroutine."""

    def __init__(self) -> None:
        self._by: WeakKeyDictionary[CoroutineType[Any, Any, Any], list[CodeType]] = WeakKeyDictionary()

    def note(self, code: CodeType, coroutine: "CoroutineType[Any, Any, Any]") -> None:
        """Note that a function returned a coroutine; if several hand it on, the last one to return it is the outermost."""
        self._by.setdefault(coroutine, []).insert(0, code)

    def with_hands(self, frames: Sequence[FrameType]) -> Iterator[CodeType]:
        """Yield the functions of frames, and before each one those that handed over its coroutine."""
        hands = {coroutine.cr_frame: by for coroutine, by in self._by.items()}
        for frame in frames:
            yield from hands.get(frame, ())
            yield frame.f_code


def codes_of(frames: Sequence[FrameType]) -> list[CodeType]:
    """The functions of frames."""
    return [frame.f_code for frame in frames]


def _split(frame: FrameType) -> tuple[list[FrameType], list[FrameType]]:
    """The frames of ours of the task that runs, and those of whoever runs the event loop; outermost first."""
    stack: list[FrameType] = []
    task: list[FrameType] | None = None
    at: FrameType | None = frame
    while at is not None:
        if task is None and at.f_code.co_filename.endswith(f"asyncio{os.sep}events.py"):
            task, stack = stack, []
        elif is_ours(at.f_code):
            stack.append(at)
        at = at.f_back
    if task is None:
        return [], stack[::-1]
    return task[::-1], stack[::-1]


def _waiting() -> list[list[FrameType]]:
    """The frames of ours of the tasks that wait for the one that runs: its parent's, its parent's parent's, and so on."""
    try:
        tasks = {info.id: info for info in anyio.get_running_tasks()}
        parent = anyio.get_current_task().parent_id
    except (RuntimeError, anyio.NoEventLoopError):
        return []  # no event loop runs yet
    found = []
    while parent in tasks:
        found.append([frame for frame in _chain(tasks[parent].coro) if is_ours(frame.f_code)])
        parent = tasks[parent].parent_id
    return found


def _chain(coroutine: object) -> Iterator[FrameType]:
    """The frame of a task's coroutine, and those of what it awaits."""
    while isinstance(coroutine, CoroutineType) and coroutine.cr_frame is not None:
        yield coroutine.cr_frame
        coroutine = coroutine.cr_await


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def record() -> Way:
    """Delete one of two tags of a repository, by a list file with one line; return its way."""
    recording = Recording()
    recording.way.code = _delete_tags(1, recording)
    return recording.way


@dataclass(frozen=True, slots=True)
class Growth:
    """How much more is called for each further tag of a list: by function, as a mean."""

    calls: Mapping[CodeType, float]

    @property
    def functions(self) -> list[CodeType]:
        """The functions that are called at least once for each further tag."""
        return [code for code, calls in self.calls.items() if calls >= 1]


def growth(few: int = 2, many: int = 22) -> Growth:
    """Delete `few` tags and then `many`, each of a manifest of its own in one repository, and count the calls of ours."""
    counted = []
    for tags in (few, many):
        calls: Counter[CodeType] = Counter()

        def count(frame: FrameType, event: str, _: Any, calls: Counter[CodeType] = calls) -> None:
            if event == "call" and is_ours(frame.f_code) and not _is_loading(frame):
                calls[frame.f_code] += 1

        _delete_tags(tags, count)
        counted.append(calls)
    less, more = counted
    return Growth({code: (calls - less[code]) / (many - few) for code, calls in more.items()})


def _delete_tags(count: int, profile: Callable[[FrameType, str, Any], None]) -> object:
    """Delete all tags of a repository but one, each by a line of its own; return the exit code."""
    with served(SandboxSettings()) as sandbox, tempfile.TemporaryDirectory() as folder:
        tags = [str(number) for number in range(1, count + 2)]
        for number, tag in enumerate(tags):
            put_image(sandbox.store, "team/app", [tag], oci_image(number))
        listed = Path(folder) / "images.yaml"
        listed.write_text("".join(f"- {sandbox.host}/team/app:{tag}\n" for tag in tags[:-1]), encoding="utf-8")
        login = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin", "BULKRM_STATE_DIR": f"{folder}/state"}
        code: object = None
        with _environment(environment(login)), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            before = sys.getprofile()
            sys.setprofile(profile)
            try:
                main(["--from-file", str(listed), "--yes", "--quiet"])
            except SystemExit as end:
                code = end.code
            finally:
                sys.setprofile(before)
        left = sandbox.store.tags("team/app")
    if list(left or ()) != tags[-1:]:
        raise RuntimeError(f"the tags did not go their way: {code}, {left}")
    return code
