"""How one request is authorized."""

from collections.abc import Mapping
from dataclasses import dataclass

from bulkrm.model.settings import Credential
from bulkrm.protocol.attempt import Authorization, BasicAuthorization
from bulkrm.remote.auth.token_cache import HeldToken, TokenKey, secrets_of


@dataclass(frozen=True, slots=True)
class Grant:
    """How one send is authorized, for whom, and until when (`held` and its key, for a Bearer token)."""

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
        """What must not be seen of it, should the answer repeat it."""
        if self.header is None:
            return ()
        sent = self.header.partition(" ")[2]
        return (sent, *secrets_of(self.login)) if isinstance(self.authorization, BasicAuthorization) else (sent,)
