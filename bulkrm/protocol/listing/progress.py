"""The progress of one listing over its pages: the next request, when the listing is complete, and when it is given up.

By the specification a registry sends fewer names than requested only with a Link, or at the end (distribution-spec 1.1,
"Listing Tags"). Registries deviate from it in three ways:

- They refuse the page size. Then the listing requests smaller pages, at last without a size.
- They send a full page without a Link although more names follow (sonatype/nexus-public#209). That is also possible for a
  page that was requested without a size. Then the names after the last one are requested, until a page has no new name.
- They send pages without end. Then the listing is given up after a number of pages, names, bytes or seconds, and no part
  of it is used.
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
    """The names read so far; `request` is the next request to send."""

    def __init__(self, first: Request, now: float) -> None:
        """`first`: the request for the first page; `now`: seconds of a monotonic clock."""
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
        self._linked = self._size is None  # the registry is known to send Links; for referrers that is assumed

    @property
    def names(self) -> tuple[str, ...]:
        """All names so far, each once."""
        return tuple(self._names)

    @property
    def begun(self) -> bool:
        """Tell whether a page was added."""
        return self._pages > 0

    def ask_for_less(self) -> bool:
        """Make `request` ask for smaller pages, at last for pages without a size. False: there is no smaller size."""
        if self.begun or self._size is None:
            return False
        self._size = _SMALLER[self._size]
        self._turn_to(self._path + (f"?n={self._size}" if self._size else ""))
        return True

    def take(self, page: Page, size: int, now: float) -> bool:
        """Add a page of `size` bytes. True: the listing goes on, and `request` asks for the next page.

        Raises ProtocolError if the listing exceeds a limit, or if its pages repeat.
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
        """Return the target that lists the names after the last one; None: this is certainly the last page."""
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
            raise ProtocolError("the pages of the listing lead round in a circle")
        self._cursors.add(asked)
        left = min(self._page_limit, MAX_BYTES - self._bytes)
        self.request = replace(self.request, target=target, max_body=left)

    def _check(self, now: float) -> None:
        """Raise ProtocolError where the listing exceeds a limit."""
        if self._bytes >= MAX_BYTES:
            raise ProtocolError(f"the listing has more than {MAX_BYTES // 2**20} MiB")
        if self._pages >= MAX_PAGES:
            raise ProtocolError(f"the listing has more than {MAX_PAGES:,} pages")
        if now - self._grew > MAX_IDLE:
            raise ProtocolError(f"the listing brought no new name for {MAX_IDLE / 60:.0f} minutes")
        if now - self._began > MAX_SECONDS:
            raise ProtocolError(f"the listing takes more than {MAX_SECONDS / 3600:.0f} hours")
