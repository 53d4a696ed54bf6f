"""Certificates that docker and podman keep for single registries, in folders called `certs.d/HOST[:PORT]`.

`*.crt` are CAs, `NAME.cert` with `NAME.key` is a client certificate with its key (docs.docker.com
engine/security/certificates, containers-certs.d(5)). They are for that host and port. The first of podman's and Docker's
folders that is there holds, as containers/image has it (`docker/docker_client.go` `dockerCertDir`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bulkrm.model.errors import InputError, Problem

_ETC = Path("/etc")
_HTTPS = "443"


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a folder holds for a registry: CAs, and a client certificate with its key."""

    folder: Path
    cas: tuple[Path, ...] = ()
    client: tuple[Path, Path] | None = None


def certificates_of(host: str, configuration: Path, etc: Path = _ETC) -> Certificates | None:
    """Return the certificates for a host (a normal form); None where there is no folder for it.

    `configuration` is the user's configuration folder of the XDG specification. Raises InputError where a client
    certificate has no key, or a key no certificate.
    """
    for base in (configuration / "containers", etc / "containers", etc / "docker"):
        for name in _names(host):
            files = _files(base / "certs.d" / name)
            if files is not None:
                return _sorted_out(base / "certs.d" / name, files)
    return None


def _names(host: str) -> Iterator[str]:
    """Yield how the folder of a host may be called: with the port that need not be written, too."""
    yield host
    has_port = host.rpartition(":")[2].isdigit() and not host.endswith("]")
    if not has_port:
        yield f"{host}:{_HTTPS}"


def _files(folder: Path) -> list[Path] | None:
    """Return what is in a folder, in order; None where it is not there. One that may not be read is somebody else's."""
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
