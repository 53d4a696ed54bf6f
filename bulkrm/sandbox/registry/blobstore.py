"""A store of blobs on another port, like the S3 bucket of many registries. It needs a signed URL, and no token."""

from http import HTTPStatus

from bulkrm.sandbox.faults import Faults
from bulkrm.sandbox.listen import LoopbackServer, with_faults
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.wire import ServerRequest, ServerResponse, not_found

_SIGNATURE = "X-Amz-Signature=canary"


class BlobStore:
    """Serves the blobs of a store; `log` has all its requests with their headers."""

    def __init__(self, store: Store) -> None:
        """`store`: the state of the registry. `start` opens the port."""
        self.log: list[ServerRequest] = []
        self.faults = Faults()
        self._store = store
        self._listener = LoopbackServer(self._handle)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._listener.url

    async def start(self) -> None:
        """Listen on a free port."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    def url_of(self, repository: str, digest: str) -> str:
        """Return the signed URL of a blob."""
        return f"{self.url}/{repository}/{digest}?{_SIGNATURE}"

    async def _handle(self, request: ServerRequest) -> ServerResponse | None:
        self.log.append(request)
        return await with_faults(self.faults, request, lambda: self._blob(request))

    def _blob(self, request: ServerRequest) -> ServerResponse:
        repository, _, digest = request.path.removeprefix("/").rpartition("/")
        content = self._store.blob(repository, digest) if request.query == _SIGNATURE else None
        return not_found() if content is None else ServerResponse(HTTPStatus.OK, {}, content)
