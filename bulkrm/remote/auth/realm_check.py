"""Checks a realm before credentials are sent there, as `bulkrm.protocol.auth.realm` does, but with DNS names resolved."""

import socket
from urllib.parse import urlsplit

import anyio

from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.auth.realm import Realm, is_inward, refuse_realm


@valueclass
class RealmCheck:
    """Checks the realms that one registry announces. `base`: the registry's scheme and host."""

    base: str
    plain_http: bool

    async def __call__(self, realm: Realm) -> bool:
        """Return True. Raises RequestFailed if no credentials may be sent to the realm.

        A name counts as private if any of its addresses is. A name that does not resolve is accepted: a proxy may know it,
        and otherwise the connection fails.
        """
        registry = urlsplit(self.base)
        if realm.parts.netloc.lower() == registry.netloc.lower() and realm.parts.scheme == registry.scheme:
            return True
        registry_inward = await _inward(registry.hostname or "")
        why = refuse_realm(
            realm, registry_scheme=registry.scheme, registry_inward=registry_inward, plain_http=self.plain_http
        )
        if why is None and not registry_inward and await _inward(realm.parts.hostname or ""):
            why = "the registry is on a public address, but its token server's name leads to a private one"
        if why is not None:
            message = f"no credentials for {realm.host}: {why}"
            hint = "ask who runs the registry for a realm with HTTPS on a public name"
            raise RequestFailed(Failure(FailureCode.UNSAFE_REALM, message, None, hint, Reach.HOST))
        return True


async def _inward(name: str) -> bool:
    if is_inward(name):
        return True
    try:
        found = await anyio.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(is_inward(address[0]) for *_, address in found)
