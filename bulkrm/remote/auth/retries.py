"""What was done already about refused requests of one kind: theirs is one renewal and one extension, whoever sends them.

A request that must not be repeated is taken back when it is refused, and sent anew by somebody who has looked meanwhile.
The new one is none the wiser: without this it would renew its token again, and again.
"""

from dataclasses import dataclass, replace

from bulkrm.model.reference import Repository
from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.protocol.attempt import Attempt, BearerAuthorization
from bulkrm.protocol.message import Request


@dataclass(slots=True)
class _Done:
    """`renewed` is the token that took the place of a refused one, `extended` the scope that took that of a narrower."""

    renewed: Secret | None = None
    extended: Scope | None = None


class Retries:
    """By repository and method, until a request of that kind is answered with something else than 401."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self._done: dict[tuple[Repository | None, str], _Done] = {}

    def known_to(self, attempt: Attempt, token: Secret | None) -> Attempt:
        """Tell a request that was refused, with this token, what had been done already for this token and scope."""
        done = self._done.get(_kind(attempt.request))
        if done is None:
            return attempt
        renewed = attempt.renewed or (token is not None and token == done.renewed)
        scope = attempt.authorization.scope if isinstance(attempt.authorization, BearerAuthorization) else None
        return replace(
            attempt, renewed=renewed, extended=attempt.extended or (scope is not None and scope == done.extended)
        )

    def renewed(self, request: Request, token: Secret) -> None:
        """Note that this token took the place of a refused one."""
        self._done.setdefault(_kind(request), _Done()).renewed = token

    def extended(self, request: Request, scope: Scope) -> None:
        """Note that the scope was widened to this one."""
        self._done.setdefault(_kind(request), _Done()).extended = scope

    def settled(self, request: Request) -> None:
        """Note that a request was not refused for the want of a token."""
        if self._done:  # it hardly ever has anything, and every request comes by here
            self._done.pop(_kind(request), None)


def _kind(request: Request) -> tuple[Repository | None, str]:
    return request.repository, request.method
