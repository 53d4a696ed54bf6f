"""The token server's answer (distribution docs, spec/auth/token.md)."""

from dataclasses import dataclass
from datetime import datetime

from bulkrm.model.errors import ProtocolError
from bulkrm.model.secret import Secret
from bulkrm.protocol.message import Answer

# "If omitted, this defaults to 60 seconds" (spec/auth/token.md); docker_auth and Quay omit it always.
DEFAULT_LIFE = 60.0
_ENDLESS = 1e12  # a longer life is ignored; beyond 1e308 it would not even be a float
_SHORTEST = 1.0  # a token that expires at once would be renewed for ever and never sent
_MARGIN = 5.0
_MARGIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Token:
    """A Bearer token. `life` is in seconds, counted from its receipt."""

    secret: Secret
    life: float

    @property
    def margin(self) -> float:
        """Seconds before its expiry at which it is renewed: 5, or a fifth of its life if that is less."""
        return min(_MARGIN, self.life * _MARGIN_SHARE)


def parse_token(answer: Answer) -> Token:
    """Read a 200 of the token server. Raises ProtocolError when there is no usable token in it."""
    body = answer.json()
    if not isinstance(body, dict):
        raise ProtocolError("the token server's answer is no JSON object")
    # Where both stand they should be equal; crane, regctl and containerd prefer access_token.
    text = body.get("access_token") or body.get("token")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ProtocolError("the token server's answer holds no token")
    return Token(Secret(text), _life(body.get("expires_in"), body.get("issued_at"), answer.wall))


def _life(expires_in: object, issued_at: object, wall: float) -> float:
    """Return for how many seconds from now the token is good.

    `issued_at` counts only if it makes the token expire sooner, but not if it lies before its whole life: a server with
    a wrong clock would make every token look expired, or none (regclient's auth does the same).
    """
    good = isinstance(expires_in, int | float) and not isinstance(expires_in, bool) and 0 < expires_in < _ENDLESS
    life = float(expires_in) if good and isinstance(expires_in, int | float) else DEFAULT_LIFE
    age = wall - _timestamp(issued_at, wall)
    return max(_SHORTEST, life - age if 0 < age < life else life)


def _timestamp(text: object, default: float) -> float:
    if not isinstance(text, str):
        return default
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else default
    except (ValueError, OverflowError):
        return default
