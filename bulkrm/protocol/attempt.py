"""One request so far, how it was authorized, and what may be decided about it: the values of `exchange`."""

from dataclasses import dataclass

from bulkrm.model.result.failure import Failure
from bulkrm.model.scope import Scope
from bulkrm.protocol.auth.challenge import Challenge
from bulkrm.protocol.message import Answer, Request


@dataclass(frozen=True, slots=True)
class NoAuthorization:
    """The request was sent bare."""


@dataclass(frozen=True, slots=True)
class BasicAuthorization:
    """The request was sent with user and password."""


@dataclass(frozen=True, slots=True)
class BearerAuthorization:
    """The request was sent with a token that was asked for with this scope."""

    scope: Scope | None


@dataclass(frozen=True, slots=True)
class ReadyAuthorization:
    """The request was sent with a token that the user brought along, which nobody can renew or extend."""


Authorization = NoAuthorization | BasicAuthorization | BearerAuthorization | ReadyAuthorization


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request so far. `faults` counts sends that ended in a 5xx, 408 or no answer; `waited` is in seconds.

    `uncertain`: an earlier send may have taken effect although no proof of it came back. `renewed`: the token that it
    goes with, or its password, took the place of one that was refused; `extended`: the scope was widened already.
    """

    request: Request
    host: str
    authorization: Authorization = NoAuthorization()
    faults: int = 0
    uncertain: bool = False
    limited: int = 0
    waited: float = 0.0
    authorized: bool = False
    renewed: bool = False
    extended: bool = False

    @property
    def may_have_acted(self) -> bool:
        """Tell whether an earlier send may have taken effect; a limit that was answered by a proxy may hide that too."""
        return self.uncertain or self.limited > 0


@dataclass(frozen=True, slots=True)
class Accept:
    """Final: the caller judges the answer."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Authorize:
    """Send again with credentials for this challenge (None: the one remembered). `renew`: not the token just used."""

    challenge: Challenge | None
    scope: Scope | None
    renew: bool
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Wait:
    """Send again after `seconds` and up to `spread` more; `whole_host`: nobody sends to this host meanwhile."""

    seconds: float
    spread: float
    whole_host: bool
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Final: there will be no usable answer."""

    failure: Failure


Decision = Accept | Authorize | Wait | GiveUp
