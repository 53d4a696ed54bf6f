"""The TLS contexts: one for all hosts, and one for each host that has certificates of its own."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from yarl import URL

from bulkrm.families.family import address_of
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.limits import RAISE_LIMIT, is_exhausted
from bulkrm.model.settings import Connection


def tls_of(connection: Connection) -> ssl.SSLContext | bool:
    """Return the TLS context of a connection; True: aiohttp's default context, which verifies certificates.

    Raises InputError for unusable files.
    """
    if not (connection.insecure or connection.ca_file or connection.client_cert or connection.further_cas):
        return True
    context = ssl.create_default_context()
    if connection.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for path in (connection.ca_file, *connection.further_cas):
        if path is not None:
            _load_cas(context, path, "--ca-file" if path is connection.ca_file else str(path))
    if connection.client_cert is not None:
        try:
            context.load_cert_chain(connection.client_cert, connection.client_key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            remedy = "give PEM files of a certificate and its key without a passphrase"
            raise _unusable("--client-cert", connection.client_cert, error, remedy) from error
    return context


class OwnTls:
    """The TLS contexts of single hosts, by the host and port of a URL."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        """Read the TLS files of each host (a normal form). Raises InputError for unusable files."""
        self._contexts: dict[tuple[str | None, int | None], ssl.SSLContext | bool] = {}
        for host, connection in connections.items():
            address = URL(f"https://{address_of(host)}")
            self._contexts[address.host, address.port] = tls_of(connection)

    def of(self, url: URL) -> ssl.SSLContext | bool:
        """Return the TLS context for the host of a URL; True: the context for all hosts."""
        return self._contexts.get((url.host, url.port), True)


def _load_cas(context: ssl.SSLContext, path: Path, named: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(named, path, error, "give a PEM file with one or more CERTIFICATE blocks") from error


def _no_password() -> str:
    """Refuse an encrypted key instead of letting OpenSSL ask on the terminal."""
    return ""


def _unusable(named: str, path: Path, error: OSError, remedy: str) -> InputError:
    is_read = isinstance(error, ssl.SSLError) or not error.strerror
    what = "it is no usable PEM file" if is_read else error.strerror
    file = "the file" if named == str(path) else str(path)
    return InputError(Problem(named, f"{file} cannot be used: {what}", RAISE_LIMIT if is_exhausted(error) else remedy))
