"""A store of blobs beside the registry, as S3 is to many: it knows nothing of tokens, a URL is leave enough."""

from http import HTTPStatus

from bulkrm.sandbox.faults import Faults
from bulkrm.sandbox.listen import LoopbackServer, with_faults
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.wire import Asked, ServerResponse, not_found

_SIGNATURE = "X-Amz-Signature=canary"


class BlobStore:
    """Serves the blobs of a store; `log` has its requests, headers and all."""

    def __init__(self, store: Store) -> None:
        """Take the state; nothing is open yet."""
        self.log: list[Asked] = []
        self.faults = Faults()
        self._store = store
        self._listener = LoopbackServer(self._handle)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._listener.url

    async def start(self) -> None:
        """Listen."""
        await self._listener.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    def url_of(self, repository: str, digest: str) -> str:
        """Return where a blob is."""
        return f"{self.url}/{repository}/{digest}?{_SIGNATURE}"

    async def _handle(self, asked: Asked) -> ServerResponse | None:
        self.log.append(asked)
        return await with_faults(self.faults, asked, lambda: self._blob(asked))

    def _blob(self, asked: Asked) -> ServerResponse:
        repository, _, digest = asked.path.removeprefix("/").rpartition("/")
        content = self._store.blob(repository, digest) if asked.query == _SIGNATURE else None
        return not_found() if content is None else ServerResponse(HTTPStatus.OK, {}, content)
