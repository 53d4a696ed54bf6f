"""Requests to a registry and their answers, as values; `remote` sends them."""

import json
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES, OCI_INDEX, Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.scope import CATALOG, Scope
from bulkrm.model.valueclass import valueclass

ACCEPT_MANIFESTS = ", ".join(MEDIA_TYPES)
# Registries must accept manifests of up to 4 MiB (distribution-spec 1.1, "Pushing Manifests"); larger ones are not read.
MAX_MANIFEST = 4 * 2**20
# A tag list of 100,000 long tags has about 13 MB.
MAX_LIST = 32 * 2**20
# Configurations of images have some KiB; containers/image has the same limit.
MAX_CONFIG = 4 * 2**20
MAX_ERROR = 64 * 2**10
PAGE = 1000  # ECR and distribution 2.8's catalog refuse more


@valueclass
class Request:
    """One request to a registry.

    `target`: path and query, encoded. `repository` and `actions`: the scope that the request needs. `accept`: the header
    Accept. `max_body`: the largest body of a successful answer, in bytes. `content_type`: that of `body`. `digest`: the
    digest in the target, if there is one.
    """

    method: str
    target: str
    repository: Repository | None = None
    actions: frozenset[str] = frozenset()
    accept: str | None = None
    max_body: int = MAX_ERROR
    body: bytes | None = None
    content_type: str | None = None
    digest: Digest | None = None

    @property
    def scope(self) -> Scope | None:
        """The scope of the request (distribution docs/spec/auth/scope.md); None: it needs no token of a repository."""
        if self.repository is not None:
            return Scope("repository", self.repository.path, self.actions)
        return CATALOG if self.actions else None

    @property
    def headers(self) -> Mapping[str, str]:
        """`Accept` and `Content-Type`, where the request has them."""
        fields = {"Accept": self.accept} if self.accept else {}
        return {**fields, "Content-Type": self.content_type} if self.content_type else fields


_PULL = frozenset({"pull"})
_DELETE = frozenset({"delete"})
_PUSH = frozenset({"pull", "push"})
PING = Request("GET", "/v2/")


def _digest(reference: str) -> Digest | None:
    return reference if isinstance(reference, Digest) else None


def get_manifest(repository: Repository, reference: str) -> Request:
    """GET a manifest by tag or digest, whatever its media type."""
    target = f"/v2/{repository.path}/manifests/{reference}"
    return Request("GET", target, repository, _PULL, ACCEPT_MANIFESTS, MAX_MANIFEST, digest=_digest(reference))


def get_anything(repository: Repository, reference: str) -> Request:
    """GET a manifest by tag or digest, also of unknown media types, for which some registries otherwise answer 404."""
    request = get_manifest(repository, reference)
    return replace(request, accept=f"{ACCEPT_MANIFESTS}, */*")


def head_manifest(repository: Repository, reference: str) -> Request:
    """HEAD a manifest by tag or digest: the digest without the bytes."""
    target = f"/v2/{repository.path}/manifests/{reference}"
    return Request("HEAD", target, repository, _PULL, ACCEPT_MANIFESTS, digest=_digest(reference))


def head_blob(repository: Repository, digest: Digest) -> Request:
    """HEAD a blob, to tell an image ID from a manifest digest."""
    return Request("HEAD", f"/v2/{repository.path}/blobs/{digest}", repository, _PULL)


def get_blob(repository: Repository, digest: Digest) -> Request:
    """GET a small blob, such as the configuration of an image."""
    return Request("GET", f"/v2/{repository.path}/blobs/{digest}", repository, _PULL, "*/*", MAX_CONFIG)


def delete_manifest(repository: Repository, reference: str) -> Request:
    """DELETE a manifest or a tag, without `Accept`: Artifactory answers 406 to manifest types (containers/skopeo#463)."""
    target = f"/v2/{repository.path}/manifests/{reference}"
    return Request("DELETE", target, repository, _DELETE, digest=_digest(reference))


def put_manifest(repository: Repository, reference: str, manifest: Manifest) -> Request:
    """PUT a manifest under a tag or its digest. Its `mediaType` field and the content type must be equal."""
    target = f"/v2/{repository.path}/manifests/{reference}"
    return Request("PUT", target, repository, _PUSH, body=manifest.content, content_type=manifest.media_type)


def list_referrers(repository: Repository, digest: Digest) -> Request:
    """GET one page of the referrers of a manifest (distribution-spec 1.1, "Listing Referrers")."""
    return Request("GET", f"/v2/{repository.path}/referrers/{digest}", repository, _PULL, OCI_INDEX, MAX_MANIFEST)


def list_tags(repository: Repository, target: str | None = None) -> Request:
    """GET one page of the tags of a repository. `target`: that of a further page; None: the first page."""
    target = target or f"/v2/{repository.path}/tags/list?n={PAGE}"
    return Request("GET", target, repository, _PULL, "application/json", MAX_LIST)


def list_repositories(target: str | None = None) -> Request:
    """GET one page of the repositories of a registry. `target`: that of a further page; None: the first page.

    The catalog is not in the OCI specification; it comes from distribution (docs/spec/api.md).
    """
    return Request("GET", target or f"/v2/_catalog?n={PAGE}", None, CATALOG.actions, "application/json", MAX_LIST)


@valueclass
class Answer:
    """An answer. `wall`: the UNIX time of receipt, in seconds. The body of an error is truncated to `MAX_ERROR` bytes."""

    status: int
    headers: CIMultiDictProxy[str] = field(default_factory=lambda: CIMultiDictProxy(CIMultiDict()))
    body: bytes = b""
    wall: float = 0.0
    _digests: dict[str, Digest] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def likeness(self) -> int:
        """A hash of status, body and important headers, but not of the time: equal answers have equal hashes."""
        header = self.headers.get
        described = header("Content-Type"), header("Content-Length"), header("Docker-Content-Digest")
        return hash((self.status, self.body, described, header("WWW-Authenticate"), header("Link"), header("Location")))

    def digest(self, algorithm: str) -> Digest:
        """Return the digest of the body, computed once: it is compared with the header, and again with what was asked for."""
        found = self._digests.get(algorithm)
        if found is None:
            found = self._digests[algorithm] = Digest.of(self.body, algorithm)
        return found

    def json(self) -> Any:
        """Parse the body as JSON, whatever its content type (Docker Hub's token server sends text/plain).

        Returns None if it is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@valueclass
class NoAnswer:
    """There was no answer to a send. `kind`: one of the constants below; `message`: one line without secrets."""

    kind: str
    message: str

    @property
    def may_have_acted(self) -> bool:
        """Tell whether the request may have reached the server: False if there was no connection to it."""
        return self.kind not in (UNREACHABLE, EXHAUSTED, CERTIFICATE, NOT_TLS, PROXY)


UNREACHABLE = "unreachable"
EXHAUSTED = "exhausted"  # this process has reached its limit of open files
CERTIFICATE = "certificate"
NOT_TLS = "not-tls"
PROXY = "proxy"  # the configured proxy is of an unsupported kind
TIMEOUT = "timeout"
LOST = "lost"
TOO_LARGE = "too-large"
