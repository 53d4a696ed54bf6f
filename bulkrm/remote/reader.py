"""The requests that read from a registry: manifests, tags, repositories, referrers.

Every method raises RequestFailed with the final failure.
"""

from collections.abc import Callable
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.http_status import BAD_REQUEST, INTERNAL_SERVER_ERROR, MULTIPLE_CHOICES, NOT_FOUND, OK
from bulkrm.model.manifests.inventory import Inventory
from bulkrm.model.manifests.manifest import Manifest, Resolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.protocol import interpret, message
from bulkrm.protocol.explanation import is_registry_answer
from bulkrm.protocol.interpret import AnswerContext, HeadAnswer
from bulkrm.protocol.listing import pages
from bulkrm.protocol.listing.pages import Page, broken_listing, refuses_page_size
from bulkrm.protocol.listing.progress import Listing
from bulkrm.protocol.message import Answer, Request
from bulkrm.remote.blobs import read_blob
from bulkrm.remote.host import Host
from bulkrm.remote.sending import Sending

_READING = ("GET", "HEAD")
_NO_CATALOG = "list the repositories by name instead of a pattern: this registry does not tell which there are"
_CATALOG_REFUSED = (FailureCode.NOT_PERMITTED, FailureCode.NOT_A_REGISTRY, FailureCode.REFUSED)
_NO_CONTACT = (FailureCode.UNREACHABLE, FailureCode.CERTIFICATE)
_IMAGE_ID = (
    "this is the digest of a blob, for example an image ID; take the manifest's digest, as `skopeo inspect` shows it"
)


class Reader:
    """Reads from one registry. `host`: the host of the registry."""

    def __init__(self, host: Host) -> None:
        """`host`: how the requests are sent."""
        self.host = host

    async def manifest(self, repository: Repository, reference: str | Digest) -> Manifest | None:
        """GET a manifest by tag or digest, its digest checked; None: the registry answers that it does not exist."""
        request = message.get_manifest(repository, reference)
        answer = await self.host.exchange(request)
        asked = request.digest
        if asked is not None and answer.status >= INTERNAL_SERVER_ERROR:
            await self.refuse_blob(repository, asked)  # distribution 2.8 answers 500 to the digest of a blob
        return interpret.manifest(self._context(request), answer, asked)

    async def anything(self, repository: Repository, reference: str | Digest, *, once: bool = False) -> Manifest | None:
        """GET a manifest of any type, its digest checked; None: the registry answers that it does not exist.

        After a 5xx for a digest it is checked whether that is the digest of a blob, before anything is repeated:
        distribution 2.8 answers 500 then. `once`: nothing is repeated at all.
        """
        request = message.get_anything(repository, reference)
        asked = reference if isinstance(reference, Digest) else None
        if asked is None and not once:
            answer = await self.host.exchange(request)
        else:
            answer = await self._first_of(request, asked, once=once)
        return interpret.manifest(self._context(request), answer, asked, of_any_type=True)

    async def possibly_damaged(self, repository: Repository, reference: str | Digest) -> Manifest | None:
        """GET a manifest of any type; one answer that shows damage is enough, any other failure is asked for again."""
        try:
            return await self.anything(repository, reference, once=True)
        except RequestFailed as error:
            if error.failure.shows_damage:
                raise
        return await self.anything(repository, reference)

    async def _first_of(self, request: Request, asked: Digest | None, *, once: bool) -> Answer:
        """Return the final answer, but after a first 5xx check whether the digest is that of a blob (`refuse_blob`)."""
        try:
            answer = await self.host.exchange(request, sends=1)
        except RequestFailed:
            if once:
                raise
            return await self.host.exchange(request)
        if answer.status < INTERNAL_SERVER_ERROR:
            return answer
        if asked is not None and request.repository is not None:
            await self.refuse_blob(request.repository, asked)
        return answer if once else await self.host.exchange(request)

    async def head(self, repository: Repository, reference: str | Digest) -> Resolved | None:
        """HEAD a manifest; GET it if the answer is unclear. None: the registry answers that it does not exist."""
        found = await self.look(repository, reference)
        return found.resolved if isinstance(found, Manifest) else found

    async def look(self, repository: Repository, reference: str | Digest) -> Resolved | Manifest | None:
        """HEAD a manifest; if the answer is unclear, GET it, whatever its type, and return the whole. None as in `head`."""
        request = message.head_manifest(repository, reference)
        answer = await self.host.exchange(request)
        match interpret.head(answer, request.digest):
            case Resolved() as resolved:
                return resolved
            case HeadAnswer.ABSENT:
                return None
            case HeadAnswer.UNCLEAR:
                return await self.anything(repository, reference)

    async def tags(self, repository: Repository) -> tuple[str, ...] | None:
        """Return all tags, each once; None: the registry does not know the repository."""
        return await self._listing(message.list_tags(repository), pages.tag_page)

    async def inventory(self, repository: Repository) -> Inventory | None:
        """Return the tags, with their manifests if the registry lists those too; the protocol lists names only.

        None: the registry does not know the repository.
        """
        names = await self.tags(repository)
        return None if names is None else Inventory(names)

    async def ask(self, request: Request, sending: Sending | None = None) -> Answer | None:
        """Send a request of a backend, with the tokens, pace and retries of all requests.

        Returns the final answer, a success; None: the registry itself answers 404. A request that changes something needs
        a `sending`, by which a stopped run knows that it may have taken effect; without one TypeError is raised, and
        nothing is sent.
        """
        if sending is None and request.method not in _READING:
            raise TypeError(f"{request.method} changes something: `ask` needs its `sending`")
        answer = await self.host.exchange(request, sending)
        if answer.status == NOT_FOUND and is_registry_answer(answer):
            return None
        if not OK <= answer.status < MULTIPLE_CHOICES:
            raise self._context(request).fail(answer)
        return answer

    async def repositories(self) -> tuple[str, ...]:
        """Return all repositories of the registry. Most registries allow that to administrators only."""
        try:
            names = await self._listing(message.list_repositories(), pages.repository_page)
        except RequestFailed as error:
            if error.failure.code in _NO_CONTACT:
                raise
            # A refused catalog, or a refused token for it, tells nothing about the repositories.
            refused = error.failure.code in _CATALOG_REFUSED
            code, hint = (FailureCode.NO_CATALOG, _NO_CATALOG) if refused else (error.failure.code, error.failure.hint)
            raise RequestFailed(replace(error.failure, code=code, hint=hint, reach=Reach.IMAGE)) from error
        if names is None:
            raise RequestFailed(Failure(FailureCode.NO_CATALOG, "HTTP 404: no catalog", NOT_FOUND, _NO_CATALOG))
        return names

    async def referrers(self, repository: Repository, digest: Digest) -> tuple[Digest, ...] | None:
        """Return the referrers of a manifest, each once; None: the registry does not have this API.

        The list may be wrong, so the caller has to check the `subject` of each manifest.
        """
        names = await self._listing(message.list_referrers(repository, digest), pages.referrers_page)
        return None if names is None else tuple(Digest(name) for name in names)

    async def refuse_blob(self, repository: Repository, digest: Digest) -> None:
        """Raise RequestFailed (`not-a-manifest`) if a digest without a manifest is that of a blob."""
        answer = await self.host.exchange(message.head_blob(repository, digest))
        if OK <= answer.status < BAD_REQUEST:  # some send clients to their storage
            what = f"{digest.short} is not a manifest"
            raise RequestFailed(Failure(FailureCode.NOT_A_MANIFEST, what, answer.status, _IMAGE_ID))

    async def blob(self, repository: Repository, digest: Digest) -> bytes | None:
        """GET a small blob, such as a configuration, its digest checked; None: the registry does not have it."""
        return await read_blob(self.host, repository, digest)

    async def _listing(
        self, first: Request, read: Callable[[AnswerContext, Answer], Page | None]
    ) -> tuple[str, ...] | None:
        """Return all names of a listing; None: the registry does not have it. Never returns only a part of the names."""
        listing = Listing(first, self.host.clock.monotonic())
        while True:
            answer = await self.host.exchange(listing.request)
            if refuses_page_size(answer) and listing.ask_for_less():
                continue
            page = read(self._context(listing.request), answer)
            if page is None and not listing.begun:
                return None
            if not self._goes_on(listing, page, answer):
                return listing.names

    def _goes_on(self, listing: Listing, page: Page | None, answer: Answer) -> bool:
        """Add a page to a listing, and tell whether another one follows. `page` None: the registry does not have it."""
        if page is None:
            raise broken_listing(f"HTTP {answer.status} in the middle of the listing", answer.status)
        try:
            return listing.take(page, len(answer.body), self.host.clock.monotonic())
        except ProtocolError as error:
            raise broken_listing(str(error)) from error

    def _context(self, request: Request) -> AnswerContext:
        return AnswerContext(self.host.name, request, self.host.authorizer.traits)
