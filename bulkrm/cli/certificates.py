"""The certificates of Docker and podman for single registries, in folders called `certs.d/HOST[:PORT]`.

`*.crt` are CAs, `NAME.cert` with `NAME.key` is a client certificate with its key (docs.docker.com
engine/security/certificates, containers-certs.d(5)). They apply to that host and port. The first existing folder is used,
podman's before Docker's, as in containers/image (`docker/docker_client.go` `dockerCertDir`).
"""

from collections.abc import Iterator
from pathlib import Path

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.valueclass import valueclass

_ETC = Path("/etc")
_HTTPS = "443"


@valueclass
class Certificates:
    """The certificates in the folder of a registry. `cas`: CAs; `client`: a client certificate and its key."""

    folder: Path
    cas: tuple[Path, ...] = ()
    client: tuple[Path, Path] | None = None


def certificates_of(host: str, configuration: Path, etc: Path = _ETC) -> Certificates | None:
    """Return the certificates for a host (a normal form); None: there is no folder for it.

    `configuration`: the user's configuration folder (XDG). Raises InputError for a client certificate without its key, or
    a key without its certificate.
    """
    for base in (configuration / "containers", etc / "containers", etc / "docker"):
        for name in _names(host):
            files = _files(base / "certs.d" / name)
            if files is not None:
                return _sorted_out(base / "certs.d" / name, files)
    return None


def _names(host: str) -> Iterator[str]:
    """Yield the possible names of a host's folder: as it is, and with the default port."""
    yield host
    has_port = host.rpartition(":")[2].isdigit() and not host.endswith("]")
    if not has_port:
        yield f"{host}:{_HTTPS}"


def _files(folder: Path) -> list[Path] | None:
    """Return the files in a folder, sorted; None: it does not exist, or belongs to another user and may not be read."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        raise InputError(Problem(str(folder), f"cannot be read: {error.strerror}", "make it readable")) from error


def _sorted_out(folder: Path, files: list[Path]) -> Certificates:
    cas = tuple(path for path in files if path.suffix == ".crt")
    certificates = {path.stem: path for path in files if path.suffix == ".cert"}
    keys = {path.stem: path for path in files if path.suffix == ".key"}
    for stem in sorted(certificates.keys() ^ keys.keys()):
        if stem in keys:
            raise InputError(Problem(str(keys[stem]), "there is no certificate for this key", f"add {stem}.cert"))
        remedy = f"add {stem}.key; if it is a CA, its name has to end in .crt"
        raise InputError(Problem(str(certificates[stem]), "there is no key for this client certificate", remedy))
    first = next(iter(certificates), None)
    return Certificates(folder, cas, None if first is None else (certificates[first], keys[first]))
