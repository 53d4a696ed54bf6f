"""The authorization of one send, with its header and its secrets."""

from collections.abc import Mapping

from bulkrm.model.settings import Credential
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.attempt import Authorization, BasicAuthorization
from bulkrm.remote.auth.token_cache import HeldToken, TokenKey, secrets_of


@valueclass
class Grant:
    """The authorization of one send. `login`: its credentials; None: anonymous. `header`: the value of `Authorization`.

    `key`, `held`: those of a token of the token server, which expires; None for any other authorization.
    """

    authorization: Authorization
    login: Credential | None = None
    header: str | None = None
    key: TokenKey | None = None
    held: HeldToken | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The header to send, if any."""
        return {"Authorization": self.header} if self.header else {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must be masked in case the answer repeats them."""
        if self.header is None:
            return ()
        sent = self.header.partition(" ")[2]
        return (sent, *secrets_of(self.login)) if isinstance(self.authorization, BasicAuthorization) else (sent,)
