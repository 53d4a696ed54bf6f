"""Messages on where the credentials and certificates for a host come from: the source and its key, never a secret."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bulkrm.model.settings import Credential, IdentityToken, Login, RegistryToken, Settings

if TYPE_CHECKING:
    from bulkrm.remote.credentials import Credentials
    from bulkrm.remote.credentials.lookup import Found


def origins(hosts: tuple[str, ...], credentials: "Credentials", settings: Settings) -> Iterator[str]:
    """Yield a line for each source that has credentials or certificates for one of these hosts."""
    for host in hosts:
        found = list(credentials.origins(host))
        for one in found:
            yield f"credentials for {host}: {kind_of(one.credential)}, from {one}"
        asked = credentials.deferred_sources(host)
        for name in asked:
            yield f"credentials for {host}: {name} is asked for each repository"
        if not found and not asked:
            yield f"credentials for {host}: none were found, so the requests are anonymous"
        yield from certificates(host, settings)


def certificates(host: str, settings: Settings) -> Iterator[str]:
    """Yield a line with the certificates that are used for this host only, if there are any."""
    own = settings.own_connections.get(host)
    if own is not None:
        files = (own.ca_file, *own.further_cas, own.client_cert)
        yield f"certificates for {host}: {', '.join(str(path) for path in files if path is not None)}"


def described(found: "Found | None") -> Iterator[tuple[str, str]]:
    """Yield the properties of the credentials that were found: a name, and its value."""
    if found is None:
        yield "source", "none was found: the requests are anonymous"
        return
    yield "source", found.source
    if found.key:
        yield "key", found.key
    if found.helper:
        yield "helper", f"docker-credential-{found.helper}"
    yield "holds", kind_of(found.credential)


def kind_of(credential: Credential) -> str:
    """Return the kind of credentials, and their user; never their secret."""
    match credential:
        case Login(username, _):
            return f"the password of {username}"
        case IdentityToken():
            return "an identity token, which the token server exchanges"
        case RegistryToken():
            return "a token for the registry itself"
