"""Which hosts go past a proxy, and which proxies cannot be used."""

from urllib.request import getproxies_environment

import pytest

from bulkrm.model.errors import InputError
from bulkrm.remote.transport.proxy import UnusableProxy, proxy_for, refuse_unusable

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("no_proxy", "url", "earlier"),
    [
        ("r.example", "https://r.example/", True),
        ("R.Example", "https://r.example/", True),
        ("example", "https://r.example/", True),
        (".example", "https://r.example/", True),
        ("*.example", "https://r.example/", True),
        ("ample", "https://r.example/", False),
        ("r.example", "https://xr.example/", False),
        ("other, r.example", "https://r.example/", True),
        ("other r.example", "https://r.example/", True),
        ("other,*", "https://r.example/", True),
        (",, ,", "https://r.example/", False),
        ("r.example:5000", "https://r.example:5000/", True),
        ("r.example:5000", "https://r.example/", False),
        ("r.example:443", "https://r.example/", True),
        (".example:443", "https://r.example/", True),
        ("10.0.0.0/8", "https://10.1.2.3:5000/", True),
        ("10.0.0.0/8", "https://11.1.2.3:5000/", False),
        ("10.1.2.3", "https://10.1.2.3/", True),
        ("10.1.2.3:5000", "https://10.1.2.3:5000/", True),
        ("10.1.2.3:5000", "https://10.1.2.3/", False),
        ("10.", "https://10.1.2.3/", False),
        ("fd00::/8", "https://[fd00::1]:5000/", True),
        ("[fd00::1]", "https://[fd00::1]/", True),
        ("[fd00::1]:5000", "https://[fd00::1]:5000/", True),
        ("[fd00::1]:5000", "https://[fd00::1]/", False),
        ("fd00::1", "https://[fd00::2]/", False),
    ],
)
def test_past_the_proxy(no_proxy: str, url: str, earlier: bool, environment: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """NO_PROXY names hosts, domains, addresses and networks, with a port or without."""
    environment.setenv("ALL_PROXY", "http://p.example:3128")
    environment.setenv("NO_PROXY", no_proxy)

    assert proxy_for(url, getproxies_environment()) == (None if earlier else "http://p.example:3128")


@pytest.mark.parametrize(
    "value",
    [
        "socks5://user:secret@p.example:1080",
        "SOCKS5H://p.example",
        "socks://p.example",
        "ftp://p.example",
        "http://",
        "http://user:secret@p.example:port",
        "http://p.example:99999",
        "http://[x",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used(variable: str, value: str, environment: pytest.MonkeyPatch) -> None:
    """It is refused by the name of its variable, before anything is sent, and without its password."""
    environment.setenv(variable, value)

    with pytest.raises(UnusableProxy):
        proxy_for("https://r.example/", getproxies_environment())
    with pytest.raises(InputError) as refused:
        refuse_unusable(["https://127.0.0.1:5000/", "https://r.example/v2/"], getproxies_environment())

    assert variable in str(refused.value)
    assert "r.example" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_no_host_that_goes_there(environment: pytest.MonkeyPatch) -> None:
    """A proxy that cannot be used is none of the business of hosts that go past it."""
    environment.setenv("ALL_PROXY", "socks5://p.example:1080")
    environment.setenv("NO_PROXY", "r.example")

    refuse_unusable(["https://r.example/", "https://localhost:5000/", "http://[::1]/"], getproxies_environment())
