"""The registry as a function from request to answer: routes, then authorization, then the resource."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from bulkrm.model.scope import CATALOG, Scope
from bulkrm.sandbox.auth.gate import Gate
from bulkrm.sandbox.listen import WallClock, wall_clock
from bulkrm.sandbox.registry.blobs import Uploads, answer_blob
from bulkrm.sandbox.registry.blobstore import BlobStore
from bulkrm.sandbox.registry.listing import answer_catalog, answer_tags
from bulkrm.sandbox.registry.manifests import answer_manifest
from bulkrm.sandbox.registry.referrers import answer_referrers
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.wire import JSON, Refused, ServerRequest, ServerResponse, not_found, refusal

# distribution v2.8.2 registry/api/v2/descriptors.go: its routes match upper-case names, but no malformed tags.
_ROUTE = re.compile(
    r"/v2/(?P<repository>[a-zA-Z0-9][a-zA-Z0-9._/-]*)/"
    r"(?P<kind>tags/list|manifests/|blobs/uploads/|blobs/|referrers/)"
    r"(?P<rest>[A-Za-z0-9_][A-Za-z0-9_.+:=-]*)?"
)
_DIGEST_ROUTE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]+")
_TAG_ROUTE = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff"}


class App:
    """One registry. `settings` and `realm` may be replaced at any time."""

    def __init__(
        self, store: Store, gate: Gate, settings: SandboxSettings, blobs: BlobStore, clock: WallClock = wall_clock
    ) -> None:
        """`store`: the state; `gate`: authorizes requests; `blobs`: the separate blob store, used if the settings say so."""
        self._blobs = blobs
        self._clock = clock
        self._later: list[
            tuple[float, Callable[[], ServerResponse]]
        ] = []  # deletions that were answered but not carried out yet, with the time when they are due
        self.settings = settings
        self.realm = ""
        self._store = store
        self._gate = gate
        self._uploads = Uploads(store)

    def answer(self, request: ServerRequest) -> ServerResponse:
        """Return the answer to a request, which has taken effect by then, unless the settings say otherwise."""
        self._catch_up()
        routed = self._route(request)
        if routed is None:
            return not_found()
        needed, respond = routed
        answer = self._gate.check(request, needed, self.settings, self.realm)
        if answer is None:
            try:
                answer = respond()
            except Refused as refused:
                answer = refusal(refused.code, *refused.details)
        # A registry that deletes tags only is not a distribution, so `GET /v2/` must not look like distribution's.
        own = _VERSION if self.settings.deletes_digests or request.path != "/v2/" else {}
        return ServerResponse(answer.status, {**own, **answer.headers}, answer.body)

    def _route(self, request: ServerRequest) -> tuple[Sequence[Scope], Callable[[], ServerResponse]] | None:
        """Return the scopes that a request needs and the function that answers it; None: no route matches."""
        if request.path == "/v2/":
            return (), lambda: ServerResponse(HTTPStatus.OK, {"Content-Type": JSON}, b"{}")
        if request.path == "/v2/_catalog":
            return (CATALOG,), lambda: answer_catalog(self._store, request)
        found = _ROUTE.fullmatch(request.path)
        if found is None:
            return None
        respond = self._resource(found["repository"], found["kind"], found["rest"] or "", request)
        return (_needed(found["repository"], request, self.settings), respond) if respond else None

    def _resource(
        self, repository: str, kind: str, rest: str, request: ServerRequest
    ) -> Callable[[], ServerResponse] | None:
        digest, tag = _DIGEST_ROUTE.fullmatch(rest), _TAG_ROUTE.fullmatch(rest)
        if kind == "tags/list" and not rest:
            return lambda: answer_tags(self._store, self.settings, repository, request)
        if kind == "manifests/" and (digest or tag):
            return partial(self._manifest, repository, rest, request)
        if kind == "blobs/uploads/":
            return lambda: self._uploads.answer(self.settings, repository, rest, request)
        if kind == "blobs/" and digest:
            elsewhere = self._blobs.url_of if self.settings.blobs_elsewhere else None
            return lambda: answer_blob(self._store, self.settings, repository, rest, request, elsewhere)
        if kind == "referrers/" and rest and self.settings.referrers:
            return lambda: answer_referrers(self._store, self.settings, repository, rest, request)
        return None

    def _manifest(self, repository: str, reference: str, request: ServerRequest) -> ServerResponse:
        settings = self.settings
        respond = partial(answer_manifest, self._store, settings, repository, reference, request)
        lazy = request.method == "DELETE" and (settings.ignores_deletes or settings.delete_lag)
        there = self._store.digest_of(repository, reference) or self._store.manifest(repository, reference)
        if not (lazy and there and settings.delete_enabled and not settings.read_only):
            return respond()
        if ":" not in reference and not settings.tag_deletes:
            return respond()
        if not settings.ignores_deletes:
            self._later.append((self._clock() + settings.delete_lag, respond))
        return ServerResponse(HTTPStatus.ACCEPTED)

    def _catch_up(self) -> None:
        """Carry out the delayed deletions that are due."""
        now = self._clock()
        due = [respond for time, respond in self._later if time <= now]
        self._later = [(time, respond) for time, respond in self._later if time > now]
        for respond in due:
            with suppress(Refused):  # gone meanwhile
                respond()


def _needed(repository: str, request: ServerRequest, settings: SandboxSettings) -> Sequence[Scope]:
    """Return one scope for each action (distribution v2.8.2 registry/handlers/app.go, `appendAccessRecords`)."""
    reading = {"GET": ("pull",), "HEAD": ("pull",), "DELETE": settings.delete_needs}
    needed = [Scope.repository(repository, action) for action in reading.get(request.method, ("pull", "push"))]
    source = request.parameter("from") if request.method == "POST" else None
    return [*needed, Scope.repository(source, "pull")] if source else needed
