"""All requests of a run go through here: a failure becomes a value, and is remembered as far as it reaches.

Every method of a `RepositoryGateway` returns what that of `bulkrm.remote.registry` returns, or the final Failure. A failure
that reaches further than one image is remembered (`HostMemory`), and a request that would meet it is not sent.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from bulkrm.engine.known_failures import HostMemory, KnownFailures
from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.manifests.inventory import Inventory
from bulkrm.model.manifests.manifest import Manifest, Resolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode, TagsOnly
from bulkrm.protocol.traits import Traits
from bulkrm.remote.registries import Registries
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending, Withdrawn

T = TypeVar("T")
P = ParamSpec("P")
_NO_LOGIN = "no credentials were given: -u with -p or --password-stdin, REGISTRY_USERNAME and REGISTRY_PASSWORD, or `docker login`"


class _HostGateway:
    """Sends requests to one host, about one repository or for its catalog, and remembers their failures."""

    __slots__ = ("_counts_answers", "_memory", "_registry", "_repository")

    def __init__(
        self, registry: Registry, memory: HostMemory, repository: Repository | None, *, counts_answers: bool
    ) -> None:
        """`counts_answers`: whether an answer resets the circuit breaker."""
        self._registry = registry
        self._memory = memory
        self._repository = repository
        self._counts_answers = counts_answers

    @property
    def known_failure(self) -> Failure | None:
        """The failure that any request would meet, if one was found out already."""
        return self._memory.known_failure(self._repository)

    async def _ask(
        self, own: KnownFailures | None, ask: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T | Failure:
        """Call `ask`, unless its failure is known. `own`: the known failures of this kind of requests, if it has its own."""
        known = (own and own.find(self._repository)) or self._memory.known_failure(self._repository)
        if known is not None:
            return known
        try:
            result = await ask(*args, **kwargs)
        except RequestFailed as error:
            return self._remembered(error.failure, own)
        except Withdrawn as withdrawn:
            if withdrawn.failure is not None:
                self._memory.breaker.failed(withdrawn.failure)
            raise
        if self._counts_answers:
            self._memory.breaker.answered()
        return result

    def _remembered(self, failure: Failure, own: KnownFailures | None) -> Failure:
        """Remember a failure as far as it reaches."""
        memory = self._memory
        if failure.code is FailureCode.NOT_PERMITTED and self._is_anonymous():
            failure = replace(failure, hint=f"{_NO_LOGIN}; {failure.hint}" if failure.hint else _NO_LOGIN)
        if not memory.breaker.counts(failure):
            # Where no manifest is deleted a tag may be, and everything can be read.
            known = memory.deleting if isinstance(failure, TagsOnly) else own or memory.requests
            known.note(failure, self._repository)
        memory.breaker.failed(failure)
        return failure

    def _is_anonymous(self) -> bool:
        return self._registry.host.authorizer.is_anonymous(self._repository)


class CatalogGateway(_HostGateway):
    """The catalog of one host."""

    __slots__ = ()

    def repositories(self) -> Coroutine[Any, Any, tuple[str, ...] | Failure]:
        """List all repositories of the registry."""
        return self._ask(None, self._registry.repositories)


class RepositoryGateway(_HostGateway):
    """One repository, to read and to change. References are tags or digests."""

    __slots__ = ("_at",)

    def __init__(
        self, registry: Registry, memory: HostMemory, repository: Repository, *, counts_answers: bool = True
    ) -> None:
        """`memory`: that of the repository's host. `counts_answers`: whether an answer resets the circuit breaker."""
        super().__init__(registry, memory, repository, counts_answers=counts_answers)
        self._at = repository

    def manifest(self, reference: str | Digest) -> Coroutine[Any, Any, Manifest | Failure | None]:
        """GET a manifest of a known type; None: there is none."""
        return self._ask(None, self._registry.manifest, self._at, reference)

    def anything(self, reference: str | Digest) -> Coroutine[Any, Any, Manifest | Failure | None]:
        """GET a manifest of any type; None: there is none."""
        return self._ask(None, self._registry.anything, self._at, reference)

    def possibly_damaged(self, reference: str | Digest) -> Coroutine[Any, Any, Manifest | Failure | None]:
        """GET a manifest of any type; one answer that shows damage is enough."""
        return self._ask(None, self._registry.possibly_damaged, self._at, reference)

    def look(self, reference: str | Digest) -> Coroutine[Any, Any, Resolved | Manifest | Failure | None]:
        """HEAD a manifest, and GET it where that leaves a doubt; None: there is none."""
        return self._ask(None, self._registry.look, self._at, reference)

    def head(self, reference: str | Digest) -> Coroutine[Any, Any, Resolved | Failure | None]:
        """HEAD a manifest, as `look` does; None: there is none."""
        return self._ask(None, self._registry.head, self._at, reference)

    def tags(self) -> Coroutine[Any, Any, tuple[str, ...] | Failure | None]:
        """List all tags; None: the registry does not know the repository."""
        return self._ask(None, self._registry.tags, self._at)

    def inventory(self) -> Coroutine[Any, Any, Inventory | Failure | None]:
        """List all tags, with the manifests where the registry lists those; None: it does not know the repository."""
        return self._ask(None, self._registry.inventory, self._at)

    def referrers(self, digest: Digest) -> Coroutine[Any, Any, tuple[Digest, ...] | Failure | None]:
        """List what is attached to a manifest; None: there is no such API."""
        return self._ask(None, self._registry.referrers, self._at, digest)

    def blob(self, digest: Digest) -> Coroutine[Any, Any, bytes | Failure | None]:
        """GET a small blob; None: there is none."""
        return self._ask(None, self._registry.blob, self._at, digest)

    def refuse_blob(self, digest: Digest) -> Coroutine[Any, Any, Failure | None]:
        """Return the failure `not-a-manifest` if a digest without a manifest is that of a blob."""
        return self._ask(None, self._registry.refuse_blob, self._at, digest)

    def delete(self, digest: Digest, sending: Sending) -> Coroutine[Any, Any, Removal | Failure]:
        """DELETE a manifest. Raises Withdrawn."""
        return self._ask(None, self._registry.delete, self._at, digest, sending)

    def delete_tag(self, tag: str, sending: Sending) -> Coroutine[Any, Any, Removal | Failure]:
        """DELETE a tag. Raises Withdrawn."""
        return self._ask(self._memory.untagging, self._registry.delete_tag, self._at, tag, sending)

    def put(self, reference: str, manifest: Manifest, sending: Sending) -> Coroutine[Any, Any, Failure | None]:
        """PUT a manifest under a tag. Raises Withdrawn."""
        return self._ask(self._memory.pushing, self._registry.put, self._at, reference, manifest, sending)

    def restore(self, manifest: Manifest, sending: Sending) -> Coroutine[Any, Any, Failure | None]:
        """Bring a deleted manifest back under its digest. Raises Withdrawn."""
        return self._ask(self._memory.pushing, self._registry.restore, self._at, manifest, sending)

    def deletes_digests(self) -> Coroutine[Any, Any, Failure | None]:
        """Ask whether manifests can be deleted, by DELETE of a digest that nothing has; return why not."""
        return self._ask(None, self._registry.deletes_digests, self._at)

    def deletes_tags(self, absent: str) -> Coroutine[Any, Any, bool | Failure]:
        """Ask whether tags can be deleted, by DELETE of a tag that does not exist."""
        return self._ask(None, self._registry.deletes_tags, self._at, absent)

    def learn_untagged_first(self) -> None:
        """Note that the host deletes a manifest only when no tag is on it any more."""
        authorizer = self._registry.host.authorizer
        authorizer.learn(replace(authorizer.traits, untagged_first=True))

    def learn_tags_only(self, why: TagsOnly) -> None:
        """Note that the host deletes tags, and no manifests."""
        authorizer = self._registry.host.authorizer
        authorizer.learn(replace(authorizer.traits, tags_only=why))

    @property
    def known_failure_of_deleting(self) -> Failure | None:
        """The failure that deleting a manifest would meet, if one was found out already."""
        return self._memory.deleting.find(self._at) or self._registry.host.traits.tags_only

    @property
    def known_failure_of_untagging(self) -> Failure | None:
        """The failure that deleting a tag would meet, if one was found out already."""
        return self._memory.untagging.find(self._at)


class Gateway:
    """Leads to repositories and catalogs. What failed for a whole host or repository is not sent there again."""

    def __init__(
        self, registries: Registries, *, counts_answers: bool = True, memories: dict[str, HostMemory] | None = None
    ) -> None:
        """`registries`: the registries of the run. `counts_answers`: whether an answer resets a circuit breaker.

        `memories`: those of another gateway, by host, to share them; None: it remembers on its own.
        """
        self._registries = registries
        self._counts_answers = counts_answers
        self._memories: dict[str, HostMemory] = defaultdict(HostMemory) if memories is None else memories
        self._repositories: dict[Repository, RepositoryGateway] = {}

    def repository(self, repository: Repository) -> RepositoryGateway:
        """Return the gateway to a repository, the same one each time."""
        known = self._repositories.get(repository)
        if known is None:
            host, counts = repository.host, self._counts_answers
            known = RepositoryGateway(self._registries[host], self._memories[host], repository, counts_answers=counts)
            self._repositories[repository] = known
        return known

    def catalog(self, host: str) -> CatalogGateway:
        """Return the gateway to the catalog of a host."""
        return CatalogGateway(self._registries[host], self._memories[host], None, counts_answers=self._counts_answers)

    async def read_reliably(self, read: Callable[[], Awaitable[T]], forget: Callable[[], None]) -> T:
        """Read in bulk over shared connections; read again where a host turns out to have mixed up its answers.

        Before that `forget` is called, which drops what was read, and the failures of such hosts are forgotten too.
        """
        while True:
            with self._registries.sharing.bulk():
                result = await read()
            mixed_up = await self._registries.mixed_up()
            if not mixed_up:
                return result
            forget()
            for host in mixed_up:
                self._memories[host].forget()

    def second_reading(self) -> AbstractContextManager[None]:
        """Return a context in which a repository is read a second time, over shared connections."""
        return self._registries.sharing.again()

    def is_confirmed(self, host: str) -> bool:
        """Tell whether what was read in bulk from a host can be relied on, also if the reading was cut short."""
        return self._registries[host].host.confirmed

    def with_fresh_memory(self) -> "Gateway":
        """Return a gateway that remembers no failure yet, for what has to be tried in any case, such as putting a tag back."""
        return Gateway(self._registries)

    def for_rereading(self) -> "Gateway":
        """Return a gateway with the same memory, whose answers do not reset the circuit breaker.

        It reads again between two attempts to delete: a registry that answers while it fails to delete is still broken.
        """
        return Gateway(self._registries, counts_answers=False, memories=self._memories)

    def note_answer(self, host: str) -> None:
        """Note that a host answered in an earlier part of the run, so that its silence now counts as trouble."""
        self._memories[host].breaker.answered()

    def traits(self, host: str) -> Traits:
        """Return how a host is to be treated, as far as that is known by now."""
        return self._registries[host].host.traits

    def workers(self, host: str) -> int:
        """How many jobs of a host are worth having under way."""
        return self._registries[host].host.limiter.allowed
