"""Remembers renewed tokens and widened scopes, so that requests of one kind share one renewal and one extension.

A change that must not be repeated is withdrawn when it is refused, and sent in a new exchange after the tag was read again.
The new exchange knows nothing about the old one: without this memory each would renew its token once more, without end.
"""

from dataclasses import dataclass, replace

from bulkrm.model.reference import Repository
from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.protocol.attempt import Attempt, BearerAuthorization
from bulkrm.protocol.message import Request


@dataclass(slots=True)
class _Done:
    """`renewed`: the token that replaced a refused one; `extended`: the scope that replaced a narrower one."""

    renewed: Secret | None = None
    extended: Scope | None = None


class Retries:
    """The renewals and extensions by repository and method, each until a request of that kind is answered without a 401."""

    def __init__(self) -> None:
        """`renewed` and `extended` note what was done, `settled` forgets it."""
        self._done: dict[tuple[Repository | None, str], _Done] = {}

    def known_to(self, attempt: Attempt, token: Secret | None) -> Attempt:
        """Return a refused attempt, marked as renewed or extended if that was done for its token or scope already."""
        done = self._done.get(_kind(attempt.request))
        if done is None:
            return attempt
        renewed = attempt.renewed or (token is not None and token == done.renewed)
        scope = attempt.authorization.scope if isinstance(attempt.authorization, BearerAuthorization) else None
        return replace(
            attempt, renewed=renewed, extended=attempt.extended or (scope is not None and scope == done.extended)
        )

    def renewed(self, request: Request, token: Secret) -> None:
        """Note that this token replaced a refused one."""
        self._done.setdefault(_kind(request), _Done()).renewed = token

    def extended(self, request: Request, scope: Scope) -> None:
        """Note that the scope was widened to this one."""
        self._done.setdefault(_kind(request), _Done()).extended = scope

    def settled(self, request: Request) -> None:
        """Note that a request was answered without a 401."""
        if self._done:  # for speed: it is nearly always empty, and every request calls this
            self._done.pop(_kind(request), None)


def _kind(request: Request) -> tuple[Repository | None, str]:
    return request.repository, request.method
