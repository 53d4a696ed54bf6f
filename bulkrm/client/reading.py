"""What a run reads of a registry: manifests, tags, repositories, referrers.

Every method raises RequestFailed with the final failure.
"""

from collections.abc import Callable
from dataclasses import replace

from bulkrm.client.host import Host
from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.failure import Failure, FailureCode, Reach
from bulkrm.model.manifest import Manifest, Resolved
from bulkrm.model.reference import Repository
from bulkrm.protocol import judge, message
from bulkrm.protocol.judge import Context, Head, Page
from bulkrm.protocol.message import Answer, Request

_NOT_FOUND = 404
_SERVER_ERROR = 500
_MAX_PAGES = 10_000
_NO_CATALOG = "list the repositories by name instead of a pattern: this registry does not tell which there are"
_CATALOG_REFUSED = (FailureCode.NOT_PERMITTED, FailureCode.NOT_A_REGISTRY, FailureCode.REFUSED)
_NO_CONTACT = (FailureCode.UNREACHABLE, FailureCode.CERTIFICATE)
_IMAGE_ID = (
    "this is the digest of a blob, for example an image ID; take the manifest's digest, as `skopeo inspect` shows it"
)


class Reader:
    """Reads one registry."""

    def __init__(self, host: Host) -> None:
        """Speak to this host."""
        self._host = host

    @property
    def host(self) -> Host:
        """The way there."""
        return self._host

    async def manifest(self, repository: Repository, reference: str | Digest) -> Manifest | None:
        """GET a manifest by tag or digest, its digest checked; None where the registry says there is none."""
        request = message.get_manifest(repository, reference)
        final = await self._host.exchange(request)
        asked = reference if isinstance(reference, Digest) else None
        if asked is not None and final.answer.status >= _SERVER_ERROR:
            await self.refuse_blob(repository, asked)  # distribution 2.8 answers 500 to the digest of a blob
        return judge.manifest(self._context(request), final.answer, asked)

    async def head(self, repository: Repository, reference: str | Digest) -> Resolved | None:
        """HEAD a manifest; GET only where the HEAD leaves a doubt. None where the registry says there is none."""
        final = await self._host.exchange(message.head_manifest(repository, reference))
        match judge.head(final.answer):
            case Resolved() as resolved:
                return resolved
            case Head.ABSENT:
                return None
            case Head.UNCLEAR:
                manifest = await self.manifest(repository, reference)
                return manifest.resolved if manifest else None

    async def tags(self, repository: Repository) -> tuple[str, ...] | None:
        """List all tags, page by page, each once; None where the registry does not know the repository."""
        return await self._listing(message.list_tags(repository), judge.tag_page)

    async def repositories(self) -> tuple[str, ...]:
        """List all repositories of the registry, which few registries allow to whom is no administrator."""
        try:
            names = await self._listing(message.list_repositories(), judge.repository_page)
        except RequestFailed as error:
            if error.failure.code in _NO_CONTACT:
                raise
            # That the catalog is refused, or its token, says nothing of the repositories.
            refused = error.failure.code in _CATALOG_REFUSED
            code, hint = (FailureCode.NO_CATALOG, _NO_CATALOG) if refused else (error.failure.code, error.failure.hint)
            raise RequestFailed(replace(error.failure, code=code, hint=hint, reach=Reach.IMAGE)) from error
        if names is None:
            raise RequestFailed(Failure(FailureCode.NO_CATALOG, "HTTP 404: no catalog", _NOT_FOUND, _NO_CATALOG))
        return names

    async def referrers(self, repository: Repository, digest: Digest) -> tuple[Digest, ...] | None:
        """List what is attached to a manifest, page by page, each once; None where there is no such API.

        What it names is not taken at its word: whoever acts on it looks at each manifest's own `subject`.
        """
        names = await self._listing(message.list_referrers(repository, digest), judge.referrers_page)
        return None if names is None else tuple(Digest(name) for name in names)

    async def refuse_blob(self, repository: Repository, digest: Digest) -> None:
        """Say so where a digest that is no manifest's is that of a blob, by raising RequestFailed."""
        final = await self._host.exchange(message.head_blob(repository, digest))
        if 200 <= final.answer.status < 400:  # noqa: PLR2004 (some send clients to their storage)
            what = f"{digest.short} is not a manifest"
            raise RequestFailed(Failure(FailureCode.NOT_A_MANIFEST, what, final.answer.status, _IMAGE_ID))

    async def _listing(
        self, request: Request, read: Callable[[Context, Answer, str], Page | None]
    ) -> tuple[str, ...] | None:
        names: dict[str, None] = {}
        seen: set[str] = set()
        while request.target not in seen and len(seen) < _MAX_PAGES:
            seen.add(request.target)
            final = await self._host.exchange(request)
            page = read(self._context(request), final.answer, self._host.base)
            if page is None and len(seen) == 1:
                return None
            if page is None:
                # Never a part of a listing: what is not seen would not be guarded.
                raise _broken_listing(f"HTTP {final.answer.status} in the middle of the listing")
            new = [name for name in page.names if name not in names]
            names.update(dict.fromkeys(new))
            if page.next is None or (page.guessed and not new):
                return tuple(names)
            request = replace(request, target=page.next)
        raise _broken_listing("the pages of the listing go round in a circle")

    def _context(self, request: Request) -> Context:
        return Context(self._host.name, request, self._host.authorizer.manners)


def _broken_listing(what: str) -> RequestFailed:
    hint = "run again; if it stays so, the registry's listing cannot be relied on"
    return RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, what, None, hint, Reach.REPOSITORY))
