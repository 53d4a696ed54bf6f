"""From entries to the lines of the report, with listings that are known."""

from collections.abc import Mapping
from typing import cast

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.expand import expand
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.stop import Stop
from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import ignore
from bulkrm.model.manifests.inventory import Inventory
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, NoMatch, NotAttempted, NotAttemptedReason
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.remote.registries import Registries
from bulkrm.remote.registry import Registry
from bulkrm.selection.listfile.document import read_list
from tests.support.clock import FakeClock

HOST = "one.example"
REFUSED = Failure(FailureCode.REFUSED, "no listing")
Listing = tuple[str, ...] | Failure | None


class Limiter:
    """As many as one likes."""

    allowed = 8


class FakeRegistries:
    """A registry that has listings and nothing else; it counts how often each is asked for."""

    anonymous = False
    limiter = Limiter()

    def __init__(self, tags: Mapping[str, Listing], catalog: Listing = None) -> None:
        self._tags = tags
        self._catalog = catalog
        self.asked: list[str] = []

    def __getitem__(self, host: str) -> "FakeRegistries":
        assert host == HOST
        return self

    @property
    def host(self) -> "FakeRegistries":
        return self

    async def inventory(self, repository: Repository) -> Inventory | None:
        self.asked.append(repository.path)
        names = self._give(self._tags.get(repository.path))
        return None if names is None else Inventory(names)

    async def repositories(self) -> tuple[str, ...]:
        self.asked.append("catalog")
        return self._give(self._catalog) or ()

    @staticmethod
    def _give(listing: Listing) -> tuple[str, ...] | None:
        if isinstance(listing, Failure):
            raise RequestFailed(listing)
        return listing


async def lines(registries: FakeRegistries, text: str, stop: Stop | None = None) -> list[Line]:
    """Expand a list."""
    stop = stop or Stop()
    gateway = Gateway(cast("Registries", registries))
    entries = read_list(f"registry: {HOST}\nimages:\n{text}", "images.yaml").entries
    return await expand(entries, gateway, TagLists(gateway, stop, FakeClock()), stop, ignore)


def texts(found: list[Line]) -> list[str]:
    """What they name, without the host."""
    names = [str(line.reference) if isinstance(line, Target) else line.text for line in found]
    return [name.removeprefix(f"{HOST}/") for name in names]


async def test_exact_references_ask_nothing() -> None:
    """A list without globs needs no listing."""
    registries = FakeRegistries({})

    found = await lines(registries, "  - app:1\n  - app:2\n")

    assert (texts(found), registries.asked) == (["app:1", "app:2"], [])


async def test_order_and_duplicates() -> None:
    """Lines come in the order of the list, matches of a glob sorted, and every image once, with its first source."""
    registries = FakeRegistries({"app": ("pr-2", "pr-1", "1.0")})

    found = await lines(registries, "  - app:pr-2\n  - app:pr-*\n  - app:1.0\n  - app:*\n  - app:pr-*\n")

    assert texts(found) == ["app:pr-2", "app:pr-1", "app:1.0"]
    assert [line.source and line.source.line for line in found] == [3, 4, 5]
    assert registries.asked == ["app"]


async def test_patterns_of_repositories() -> None:
    """A glob of repositories asks for the catalog once, and for the tags of those that it chooses only."""
    registries = FakeRegistries({"team/a": ("old",), "team/b": ("new", "old")}, ("team/b", "team/a", "other"))

    found = await lines(registries, "  - team/*:old\n  - team/[b-z]:*\n")

    assert texts(found) == ["team/a:old", "team/b:old", "team/b:new"]
    assert sorted(registries.asked) == ["catalog", "team/a", "team/b"]


async def test_no_match() -> None:
    """A pattern that chooses nothing is a line, once, be it of tags, of repositories, or of an unknown repository."""
    registries = FakeRegistries({"app": ("1.0",)}, ("app",))

    found = await lines(registries, "  - app:pr-*\n  - app:pr-*\n  - x/*:1\n  - unknown:*\n")

    assert texts(found) == ["app:pr-*", "x/*:1", "unknown:*"]
    assert [line.outcome for line in found if isinstance(line, Unmatched)] == [NoMatch()] * 3


async def test_listings_that_fail() -> None:
    """A listing that fails is a failed line for its pattern, and the others go on."""
    registries = FakeRegistries({"app": REFUSED, "web": ("1",)}, REFUSED)

    found = await lines(registries, "  - app:pr-*\n  - web:*\n  - x/*:1\n")

    assert texts(found) == ["app:pr-*", "web:1", "x/*:1"]
    assert [line.outcome for line in found if isinstance(line, Unmatched)] == [Failed(REFUSED)] * 2


async def test_stopped() -> None:
    """What a stop left unread is in the report as not attempted, with the reason."""
    stop = Stop()
    stop.fail_fast()
    registries = FakeRegistries({"app": ("1",)}, ("app",))

    found = await lines(registries, "  - app:*\n  - app:7\n  - x/*:1\n", stop)

    assert texts(found) == ["app:*", "app:7", "x/*:1"]
    assert [line.outcome for line in found if isinstance(line, Unmatched)] == [
        NotAttempted(NotAttemptedReason.FAIL_FAST)
    ] * 2
    assert registries.asked == []


def test_books_are_a_registry() -> None:
    """The fake has the methods that it stands for."""
    assert {"inventory", "repositories"} <= {name for name in dir(Registry) if not name.startswith("_")}
