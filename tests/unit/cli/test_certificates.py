"""Certificates that docker and podman keep for single registries."""

from pathlib import Path

import pytest

from bulkrm.cli.certificates import Certificates, certificates_of
from bulkrm.model.errors import InputError


def put(folder: Path, *names: str) -> Path:
    """Make a folder with these files."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("")
    return folder


def found(tmp_path: Path, host: str = "r.example:5000") -> Certificates | None:
    """Look where a test has its folders."""
    return certificates_of(host, tmp_path / "config", tmp_path / "etc")


def test_nothing(tmp_path: Path) -> None:
    """Where there is no folder for the host there are no certificates."""
    put(tmp_path / "etc/docker/certs.d/other.example", "ca.crt")

    assert found(tmp_path) is None


@pytest.mark.parametrize("place", ["config/containers/certs.d", "etc/containers/certs.d", "etc/docker/certs.d"])
def test_the_first_folder_holds(tmp_path: Path, place: str) -> None:
    """Podman's folder of the user, the system's, then Docker's: the first that is there, and none after it."""
    places = ["config/containers/certs.d", "etc/containers/certs.d", "etc/docker/certs.d"]
    for other in places[places.index(place) :]:
        put(tmp_path / other / "r.example:5000", "ca.crt", "b.crt", "client.cert", "client.key", "notes.txt")

    folder = tmp_path / place / "r.example:5000"
    assert found(tmp_path) == Certificates(
        folder, (folder / "b.crt", folder / "ca.crt"), (folder / "client.cert", folder / "client.key")
    )


def test_an_empty_folder_holds_too(tmp_path: Path) -> None:
    """The first folder that is there ends the search, whatever is in it."""
    folder = put(tmp_path / "etc/containers/certs.d/r.example:5000")
    put(tmp_path / "etc/docker/certs.d/r.example:5000", "ca.crt")

    assert found(tmp_path) == Certificates(folder)


@pytest.mark.parametrize("name", ["r.example", "r.example:443"])
def test_the_port_that_need_not_be_written(tmp_path: Path, name: str) -> None:
    """The folder of a host without a port may have it, and a host with another port has none of it."""
    folder = put(tmp_path / "etc/docker/certs.d" / name, "ca.crt")

    assert found(tmp_path, "r.example") == Certificates(folder, (folder / "ca.crt",))
    assert found(tmp_path, "r.example:5000") is None


def test_an_address_of_version_6(tmp_path: Path) -> None:
    """The colons of an address are no port."""
    folder = put(tmp_path / "etc/docker/certs.d/[2001:db8::1]", "ca.crt")

    assert found(tmp_path, "[2001:db8::1]") == Certificates(folder, (folder / "ca.crt",))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["client.cert"], "there is no key for this client certificate; add client.key; if it is a CA"),
        (["client.key"], "there is no certificate for this key; add client.cert"),
        (["a.cert", "b.key"], "a.cert: there is no key"),
        (["client.crt", "client.key"], "there is no certificate for this key"),
    ],
)
def test_half_a_pair(tmp_path: Path, names: list[str], message: str) -> None:
    """A client certificate without its key, or named as a CA is, is a mistake that names the file and the remedy."""
    put(tmp_path / "etc/docker/certs.d/r.example:5000", *names)

    with pytest.raises(InputError) as caught:
        found(tmp_path)

    assert message in str(caught.value)


def test_the_first_of_two_pairs(tmp_path: Path) -> None:
    """Of several client certificates the first by name is taken."""
    folder = put(tmp_path / "etc/docker/certs.d/r.example:5000", "b.cert", "b.key", "a.cert", "a.key")

    certificates = found(tmp_path)

    assert certificates is not None
    assert certificates.client == (folder / "a.cert", folder / "a.key")
