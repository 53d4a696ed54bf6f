"""One listing, page by page: what is asked for next, when it is whole, and when it is given up.

The specification lets a registry send fewer names than were asked for only with a Link, or at the end (distribution-spec
1.1, "Listing Tags"). Three things are seen beside that. A registry that refuses the page size is asked for less, and
then without a size. A full page without a Link may not be the last one (sonatype/nexus-public#209); neither may any page
that was asked for without a size: the names after its last one are asked for, until that brings nothing new. And a
listing may have no end; it is given up after so many pages, names, bytes and seconds, and then none of it is used.
"""

from dataclasses import replace
from urllib.parse import quote

from bulkrm.model.errors import ProtocolError
from bulkrm.protocol.listing.link import cursor
from bulkrm.protocol.listing.pages import Page
from bulkrm.protocol.message import PAGE, Request

MAX_PAGES = 10_000
MAX_NAMES = 1_000_000
MAX_BYTES = 64 * 2**20  # of all pages together
MAX_IDLE = 600.0  # seconds without a new name
MAX_SECONDS = 2 * 3600.0
_SMALLER = {PAGE: 100, 100: None}


class Listing:
    """What was read of a listing. `request` is the one to send next."""

    def __init__(self, first: Request, now: float) -> None:
        """Begin with the request for the first page; `now` is a moment of a monotonic clock, in seconds."""
        self.request = first
        self._path, _, _ = first.target.partition("?")
        self._size: int | None = PAGE if first.target.endswith(f"?n={PAGE}") else None
        self._names: dict[str, None] = {}
        self._cursors = {cursor(first.target)}
        self._pages = 0
        self._bytes = 0
        self._began = self._grew = now
        self._page_limit = first.max_body
        self._guessed = False
        self._linked = self._size is None  # whether it is known that the registry sends Links; referrers have no size

    @property
    def names(self) -> tuple[str, ...]:
        """All names so far, each once."""
        return tuple(self._names)

    @property
    def begun(self) -> bool:
        """Tell whether a page was taken."""
        return self._pages > 0

    def ask_for_less(self) -> bool:
        """Ask for fewer names at a time, at last without a number; False: there is nothing less to ask for."""
        if self.begun or self._size is None:
            return False
        self._size = _SMALLER[self._size]
        self._turn_to(self._path + (f"?n={self._size}" if self._size else ""))
        return True

    def take(self, page: Page, size: int, now: float) -> bool:
        """Add a page of so many bytes; tell whether there is more to be read.

        Raises ProtocolError where the listing has no end.
        """
        before = len(self._names)
        self._names.update(dict.fromkeys(page.names))
        self._pages += 1
        self._bytes += size
        grown = len(self._names) > before
        self._grew = now if grown else self._grew
        if len(self._names) > MAX_NAMES:
            raise ProtocolError(f"the listing has more than {MAX_NAMES:,} names")
        following = page.next or self._guess(page)
        if following is None or (page.next is None and self._guessed and not grown):
            return False
        self._guessed, self._linked = page.next is None, self._linked or page.next is not None
        self._check(now)
        self._turn_to(following)
        return True

    def _guess(self, page: Page) -> str | None:
        """Return where the names after the last one are, unless this page is known to be the last."""
        full = page.entries >= self._size if self._size else not self._linked
        if not page.entries or not full:
            return None
        if page.last is None:
            raise ProtocolError("a full page of the listing holds no name")
        size = f"n={self._size}&" if self._size else ""
        return f"{self._path}?{size}last={quote(page.last, safe='')}"

    def _turn_to(self, target: str) -> None:
        asked = cursor(target)
        if asked in self._cursors:
            raise ProtocolError("the pages of the listing go round in a circle")
        self._cursors.add(asked)
        left = min(self._page_limit, MAX_BYTES - self._bytes)
        self.request = replace(self.request, target=target, max_body=left)

    def _check(self, now: float) -> None:
        """Raise ProtocolError where the listing goes on for longer than any should."""
        if self._bytes >= MAX_BYTES:
            raise ProtocolError(f"the listing has more than {MAX_BYTES // 2**20} MiB")
        if self._pages >= MAX_PAGES:
            raise ProtocolError(f"the listing has more than {MAX_PAGES:,} pages")
        if now - self._grew > MAX_IDLE:
            raise ProtocolError(f"the listing brought no new name for {MAX_IDLE / 60:.0f} minutes")
        if now - self._began > MAX_SECONDS:
            raise ProtocolError(f"the listing takes more than {MAX_SECONDS / 3600:.0f} hours")
