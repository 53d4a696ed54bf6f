"""The input and the results of `decision.decide`: a request with its earlier sends, and what to do next."""

from bulkrm.model.result.failure import Failure
from bulkrm.model.scope import Scope
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.auth.challenge import Challenge
from bulkrm.protocol.message import Answer, Request


@valueclass
class NoAuthorization:
    """The request was sent without credentials."""


@valueclass
class BasicAuthorization:
    """The request was sent with user and password."""


@valueclass
class BearerAuthorization:
    """The request was sent with a token of the token server; `scope`: the scope it was requested for, None: without one."""

    scope: Scope | None


@valueclass
class ReadyAuthorization:
    """The request was sent with a token from the user's own configuration, which cannot be renewed or extended."""


Authorization = NoAuthorization | BasicAuthorization | BearerAuthorization | ReadyAuthorization


@valueclass
class Attempt:
    """A request to `host`, and the results of its earlier sends. `authorization`: that of the last send.

    `faults`: how many sends ended in a 5xx, a 408 or without an answer; `limited`: how many in a rate limit; `waited`:
    seconds of waiting that the host asked for. `authorized`: credentials were added after a challenge; `renewed`: a
    refused token or password was replaced; `extended`: the scope of the token was widened.
    """

    request: Request
    host: str
    authorization: Authorization = NoAuthorization()
    faults: int = 0
    limited: int = 0
    waited: float = 0.0
    authorized: bool = False
    renewed: bool = False
    extended: bool = False


@valueclass
class Accept:
    """The answer is final, and the caller interprets it."""

    answer: Answer


@valueclass
class Authorize:
    """Send again with credentials for this challenge (None: the last one of the host), with a token for `scope`.

    `renew`: with a new token or password, not the one that was just refused. `attempt`: the attempt from now on.
    """

    challenge: Challenge | None
    scope: Scope | None
    renew: bool
    attempt: Attempt


@valueclass
class Wait:
    """Send again after `seconds` and a random part of `spread` seconds. `attempt`: the attempt from now on.

    `whole_host`: until then no request is sent to the host.
    """

    seconds: float
    spread: float
    whole_host: bool
    attempt: Attempt


@valueclass
class GiveUp:
    """The request failed for good."""

    failure: Failure


Decision = Accept | Authorize | Wait | GiveUp
