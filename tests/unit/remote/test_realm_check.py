"""Whether a realm may be given credentials, names resolved. The names here are resolved without a network."""

import pytest

from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.protocol.auth.realm import Realm
from bulkrm.remote.auth.realm_check import RealmCheck

PUBLIC = "https://8.8.8.8"
PRIVATE = "https://10.0.0.5:5000"


@pytest.mark.parametrize(
    ("base", "realm"),
    [
        (PUBLIC, "https://8.8.8.8/token"),
        (PUBLIC, "https://9.9.9.9/token"),
        (PRIVATE, "https://10.0.0.5:5000/token"),
        (PRIVATE, "https://10.0.0.9/token"),
        (PRIVATE, "https://9.9.9.9/token"),
        ("https://localhost:5000", "https://127.0.0.1:5001/token"),
        ("http://localhost:5000", "http://LOCALHOST:5000/token"),
        (PUBLIC, "https://nowhere.invalid/token"),
        ("https://nowhere.invalid", "https://nowhere.invalid/token"),
        (PUBLIC, "https://" + "a" * 70 + ".invalid/token"),
    ],
)
async def test_allowed(base: str, realm: str) -> None:
    """The registry's own host, a public one, and a private one of a private registry may be asked."""
    assert await RealmCheck(base, plain_http=False)(Realm(realm))


@pytest.mark.parametrize(
    ("base", "realm", "word"),
    [
        (PUBLIC, "https://10.0.0.9/token", "private"),
        (PUBLIC, "https://[::ffff:10.0.0.9]/token", "private"),
        (PUBLIC, "https://localhost/token", "private"),
        # Other ways to write 127.0.0.1: the resolver reads them, whatever the text looks like.
        (PUBLIC, "https://2130706433/token", "leads to a private"),
        (PUBLIC, "https://127.1/token", "leads to a private"),
        (PUBLIC, "https://0x7f.0.0.1/token", "leads to a private"),
        ("https://nowhere.invalid", "https://10.0.0.9/token", "private"),
        (PUBLIC, "http://9.9.9.9/token", "plain HTTP"),
        (PUBLIC, "http://8.8.8.8/token", "plain HTTP"),
        ("http://10.0.0.5", "http://9.9.9.9/token", "plain HTTP"),
    ],
)
async def test_refused(base: str, realm: str, word: str) -> None:
    """Private addresses in any disguise for a public registry, and plain HTTP, get no credentials."""
    with pytest.raises(RequestFailed) as caught:
        await RealmCheck(base, plain_http=False)(Realm(realm))

    failure = caught.value.failure
    assert (failure.code, failure.reach) == (FailureCode.UNSAFE_REALM, Reach.HOST)
    assert word in failure.message


async def test_plain_http() -> None:
    """With --plain-http a token server with plain HTTP may be asked."""
    assert await RealmCheck("http://10.0.0.5", plain_http=True)(Realm("http://9.9.9.9/token"))
