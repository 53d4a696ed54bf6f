"""Requests as events."""

import pytest

from bulkrm.model.events import Event, RequestAnswered
from bulkrm.remote.registries import Listeners

BLOB = "https://storage.example/blobs/1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://reg.example/v2/app/manifests/1", "https://reg.example/v2/app/manifests/1"),
        ("https://reg.example/v2/app/tags/list?n=100&last=b", "https://reg.example/v2/app/tags/list?n=100&last=b"),
        (f"{BLOB}?X-Amz-Signature=5ec2e7&n=1", f"{BLOB}?n=1"),
        (f"{BLOB}?sig=5ec2e7", BLOB),
        (f"{BLOB}#5ec2e7", BLOB),
    ],
)
def test_a_url_loses_what_may_be_secret(url: str, shown: str) -> None:
    """Of a query only the keys of the registry protocol are told: what redirects sign is a key to the storage."""
    heard: list[Event] = []

    Listeners.of(heard.append).trace("GET", url, "200")

    assert heard == [RequestAnswered("GET", shown, "200")]
