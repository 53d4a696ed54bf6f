"""What the requests of one method to one repository are authorized with, and what was done after their 401s.

An `Access` is found once for each request, and has all that a send needs: nothing else is looked up as long as its grant is
good. It is made for the whole run, but what follows from the challenge of the host is replaced with that (`Authorizer`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.attempt import Attempt, Authorization, BasicAuthorization, BearerAuthorization
from bulkrm.remote.auth.login_state import LoginState
from bulkrm.remote.auth.token_cache import HeldToken, TokenKey, secrets_of


@valueclass
class Grant:
    """The authorization of one send. `login`: the state of its credentials; `headers`: the header `Authorization`, if any.

    `key`, `held`: those of a token of the token server, which expires; None for any other authorization.
    """

    authorization: Authorization
    login: LoginState
    headers: Mapping[str, str] = field(default_factory=dict)
    key: TokenKey | None = None
    held: HeldToken | None = None

    @property
    def is_password(self) -> bool:
        """Tell whether a password is sent."""
        return isinstance(self.authorization, BasicAuthorization)

    @property
    def goes_alone(self) -> bool:
        """Tell whether no other request may be sent with it at the same time: a password that was not accepted yet."""
        return self.is_password and not self.login.accepted

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must be masked in case the answer repeats them."""
        sent = tuple(header.partition(" ")[2] for header in self.headers.values())
        return (*sent, *secrets_of(self.login.credential)) if self.is_password else sent


@dataclass(slots=True, eq=False)
class Access:
    """The requests of one method to one repository, or to the host itself.

    `authorization`: that of their first sends; None: it is not known yet. `grant`: the last one for it, which may have
    expired. `round`: the round of challenges that these two belong to. `renewed`: the token that replaced a refused one;
    `extended`: the scope that replaced a narrower one; both until a request is answered without a 401.

    A change that must not be repeated is withdrawn when it is refused, and sent in a new exchange after the tag was read
    again. The new exchange knows nothing about the old one: without this memory each would renew its token once more,
    without end.
    """

    authorization: Authorization | None = None
    grant: Grant | None = None
    round: int = 0
    renewed: Secret | None = None
    extended: Scope | None = None

    def marked(self, attempt: Attempt, token: Secret | None) -> Attempt:
        """Return an attempt that got a 401, marked as renewed or extended if its token or scope came of that already."""
        renewed = attempt.renewed or (token is not None and token == self.renewed)
        scope = attempt.authorization.scope if isinstance(attempt.authorization, BearerAuthorization) else None
        extended = attempt.extended or (scope is not None and scope == self.extended)
        return replace(attempt, renewed=renewed, extended=extended)

    def settled(self) -> None:
        """Note that a request was answered without a 401."""
        self.renewed = self.extended = None
