"""The token server's answer (distribution docs, spec/auth/token.md)."""

from dataclasses import dataclass
from datetime import datetime

from bulkrm.model.errors import ProtocolError
from bulkrm.model.secret import Secret
from bulkrm.protocol.message import Answer

# "If omitted, this defaults to 60 seconds" (spec/auth/token.md); docker_auth and Quay omit it always.
DEFAULT_LIFE = 60.0
_ENDLESS = 1e12  # more is no time; beyond 1e308 it would not even be a float
_SHORTEST = 1.0  # one that ends at once would be renewed for ever and never sent
_MARGIN = 5.0
_MARGIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Token:
    """A Bearer token. `life` is in seconds, counted from its receipt."""

    secret: Secret
    life: float

    @property
    def margin(self) -> float:
        """How many seconds before its end it is renewed: 5, or a fifth of its life if that is less."""
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
    """Seconds from now on. `issued_at` counts only if it makes the token end sooner, but not in the past.

    A server whose clock is off would otherwise make every token look expired, or never (as regclient's auth does it).
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
