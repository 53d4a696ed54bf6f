"""The token server's answer (distribution docs/spec/auth/token.md)."""

from datetime import datetime

from bulkrm.model.errors import ProtocolError
from bulkrm.model.secret import Secret
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.message import Answer

# "If omitted, this defaults to 60 seconds" (docs/spec/auth/token.md); docker_auth and Quay always omit `expires_in`.
DEFAULT_LIFE = 60.0
_ENDLESS = 1e12  # seconds; a longer life is ignored, because `float` raises beyond 1e308
_SHORTEST = 1.0  # a token that expires at once would be renewed for ever and never sent
_MARGIN = 5.0
_MARGIN_SHARE = 0.2


@valueclass
class Token:
    """A Bearer token. `life`: seconds from its receipt to its expiry."""

    secret: Secret
    life: float

    @property
    def margin(self) -> float:
        """Seconds before its expiry at which it is renewed: 5, or a fifth of its life if that is less."""
        return min(_MARGIN, self.life * _MARGIN_SHARE)


def parse_token(answer: Answer) -> Token:
    """Parse a 200 of the token server. Raises ProtocolError if it has no usable token."""
    body = answer.json()
    if not isinstance(body, dict):
        raise ProtocolError("the token server's answer is no JSON object")
    # If the answer has both, they should be equal; crane, regctl and containerd prefer access_token.
    text = body.get("access_token") or body.get("token")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ProtocolError("the token server's answer holds no token")
    return Token(Secret(text), _life(body.get("expires_in"), body.get("issued_at"), answer.wall))


def _life(expires_in: object, issued_at: object, wall: float) -> float:
    """Return the life of a token in seconds from `wall`, which is now.

    `issued_at` is only used if it makes the token expire sooner, but not at once: with the wrong clock of a server every
    token would seem to have expired already, or never to expire (regclient's auth does the same).
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
