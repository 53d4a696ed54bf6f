"""Injected faults of a registry or its token server: the action, the requests that it applies to, and how often."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bulkrm.model.valueclass import valueclass
from bulkrm.sandbox.wire import ServerRequest


@valueclass
class Reply:
    """Send this answer instead of processing the request."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@valueclass
class Drop:
    """Close the connection before the request has any effect."""


@valueclass
class DropAfter:
    """Let the request take effect, then close the connection instead of answering."""


@valueclass
class Delay:
    """Wait for `seconds`, then process the request."""

    seconds: float


@valueclass
class Call:
    """Await a function, then process the request: to change the state before it, or to wait for an event."""

    hook: Callable[[ServerRequest], Awaitable[None]]


@valueclass
class LieAboutDigest:
    """Answer with another `Docker-Content-Digest`; None: without one."""

    digest: str | None


@valueclass
class LieAboutBody:
    """Answer with another body, and the right headers."""

    body: bytes


Action = Reply | Drop | DropAfter | Delay | Call | LieAboutDigest | LieAboutBody


def redirect(status: int, location: str) -> Reply:
    """Return a redirect to `location`."""
    return Reply(status, {"Location": location})


@dataclass(slots=True)
class FaultRule:
    """A fault and the requests that it applies to. `seen` counts the requests that matched, `fired` those that it hit."""

    action: Action
    method: re.Pattern[str]
    path: re.Pattern[str]
    times: int | None
    every: int
    skip: int
    seen: int = 0
    fired: int = 0

    def hits(self, request: ServerRequest) -> bool:
        """Count the request if it matches, and tell whether this one is hit."""
        if self.times is not None and self.fired >= self.times:
            return False
        if not (self.method.fullmatch(request.method) and self.path.search(request.target)):
            return False
        self.seen += 1
        due = self.seen > self.skip and (self.seen - self.skip) % self.every == 0
        self.fired += due
        return due


class Faults:
    """The fault rules of a server, applied in the order in which they were added.

    After Delay, Call and the lies the next rule is applied too; the first Reply or Drop ends the request.
    """

    def __init__(self) -> None:
        """`before`: a hook that is awaited for every request; None at first."""
        self._rules: list[FaultRule] = []
        self.before: Callable[[ServerRequest], Awaitable[None]] | None = None

    def add(
        self,
        action: Action,
        *,
        method: str = ".*",
        path: str = "",
        times: int | None = 1,
        every: int = 1,
        skip: int = 0,
    ) -> FaultRule:
        """Add a fault for requests whose method matches as a whole and whose `path?query` contains a match.

        It skips the first `skip` such requests, and then hits every `every`th, `times` times (None: for ever).
        """
        rule = FaultRule(action, re.compile(method), re.compile(path), times, every, skip)
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove all rules and the hook."""
        self._rules.clear()
        self.before = None

    def due(self, request: ServerRequest) -> list[Action]:
        """Count a request, and return the actions for it in order."""
        actions: list[Action] = []
        for rule in self._rules:
            if rule.hits(request):
                actions.append(rule.action)
                if isinstance(rule.action, Reply | Drop | DropAfter):
                    break
        return actions
