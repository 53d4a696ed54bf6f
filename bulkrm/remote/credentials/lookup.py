"""Looks up the credentials for a repository, and new ones after a password of a helper has expired."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread

from bulkrm.model.errors import InputError, Problem, RequestFailed
from bulkrm.model.reference import Repository
from bulkrm.model.settings import Credential
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.credentials.deferred import DeferredSource, no_password
from bulkrm.remote.credentials.docker_config import DockerConfig
from bulkrm.remote.credentials.helper import HelperFailed, ask_helper
from bulkrm.remote.credentials.keys import covering_keys, host_of

# If a password is refused sooner than this after the helper returned it, it was never valid: asking again is useless.
_YOUNG = 60.0  # seconds


@dataclass(slots=True)
class _Answer:
    """The credentials that a helper or a deferred source returned. `ask`: asks it once more.

    `asked`: when it was last asked once more, in seconds of a monotonic clock. `before`: the refused credentials that
    `credential` has replaced.
    """

    credential: Credential | None
    ask: Callable[[], Awaitable[Credential | None]] | None
    asked: float | None = None
    before: list[Credential] = field(default_factory=list)
    lock: anyio.Lock = field(default_factory=anyio.Lock)


@valueclass
class Found:
    """Credentials with their origin: the source, the key as it is written there, and the helper that returned them."""

    credential: Credential
    source: str
    key: str
    helper: str | None = None

    def __str__(self) -> str:
        """Describe the origin, without the credentials."""
        where = f"{self.source}, key {self.key}" if self.key else self.source
        return f"{where}, by docker-credential-{self.helper}" if self.helper else where


class Credentials:
    """Looks up credentials: those of the command line, then those of each source, in the order of the sources."""

    def __init__(self, given: Mapping[str, Credential], *sources: DockerConfig | DeferredSource) -> None:
        """`given`: the credentials of the command line, by host; they are sent to no other host."""
        self._given = given
        self._sources = sources
        self._configs = tuple(source for source in sources if isinstance(source, DockerConfig))
        self._helped: dict[str, _Answer] = {}
        for config in self._configs:
            for host, credential in config.helped.items():
                self._helped.setdefault(host, _Answer(credential, _asking(config.helper_of(host))))
        self._answers: dict[tuple[DeferredSource, str, str], _Answer] = {}
        self._asking: dict[tuple[str, str], anyio.Lock] = {}
        self.warnings = tuple(warning for config in self._configs for warning in config.warnings)

    def login(self, host: str, path: str = "") -> Credential | None:
        """Return the credentials for a repository, or (without a path) for the host itself; None means anonymous."""
        found = self.find(host, path)
        return None if found is None else found.credential

    def find(self, host: str, path: str = "") -> Found | None:
        """Return the credentials for a repository with their origin; None means anonymous.

        The first source with an entry wins; within one, its helper, then the most specific key. A deferred source has an
        entry only after `prepare`.
        """
        given = self._given.get(host)
        if given is not None:
            return Found(given, "-u", "")
        return next((found for source in self._sources if (found := self._of_source(source, host, path))), None)

    def is_prepared(self, host: str, path: str = "") -> bool:
        """Tell whether `find` has the result without `prepare`: no deferred source has to be asked."""
        if host in self._given:
            return True
        for source in self._sources:
            if isinstance(source, DeferredSource) and (source, host, path) not in self._answers:
                return False
            if self._of_source(source, host, path) is not None:
                return True
        return True

    async def prepare(self, host: str, repository: Repository | None) -> None:
        """Ask the deferred sources for a repository, or for the host (None), until a source has credentials.

        Raises RequestFailed if one of them fails.
        """
        path = "" if repository is None else repository.path
        async with self._asking.setdefault((host, path), anyio.Lock()):
            for source in self._sources if host not in self._given else ():
                if isinstance(source, DeferredSource) and (source, host, path) not in self._answers:
                    ask = partial(source.login, host, repository)
                    self._answers[source, host, path] = _Answer(await ask(), ask)
                if self._of_source(source, host, path) is not None:
                    return

    async def refuse_users(self) -> None:
        """Ask the deferred sources for the password of each named user without one. Raises InputError if none has it."""
        asked = next((source for source in self._sources if isinstance(source, DeferredSource)), None)
        if asked is None:
            return
        for host in asked.users:
            if host in self._given or any(config.has(host) for config in self._configs):
                continue
            try:
                await self.prepare(host, None)
            except RequestFailed as error:
                raise InputError(Problem("-u", error.failure.message, error.failure.hint or "")) from error
            if self.find(host) is None:
                raise InputError(no_password(asked.users[host], host))

    def _of_source(self, source: DockerConfig | DeferredSource, host: str, path: str) -> Found | None:
        if isinstance(source, DeferredSource):
            answer = self._answers.get((source, host, path))
            return Found(answer.credential, source.name, "") if answer and answer.credential else None
        if host in source.helped:
            return self._from_helper(source, host)
        key = next((key for key in covering_keys(host, path) if key in source.logins), None)
        return None if key is None else Found(source.logins[key], source.source, source.written.get(key, ""))

    def origins(self, host: str) -> Iterator[Found]:
        """Yield all credentials that are used for any repository of a host, in the order of their sources."""
        for config in self._configs:
            if host in config.helped:
                yield self._from_helper(config, host)
                return
            for key in sorted((key for key in config.logins if host_of(key) == host), reverse=True):
                yield Found(config.logins[key], config.source, config.written.get(key, ""))
            if host in config.logins:
                return

    def deferred_sources(self, host: str) -> tuple[str, ...]:
        """Return the names of the deferred sources that are asked for repositories of a host."""
        asked = tuple(source.name for source in self._sources if isinstance(source, DeferredSource))
        return () if host in self._given else asked

    def is_one_for_all(self, host: str) -> bool:
        """Tell whether all repositories of a host have the same credentials."""
        if self._given.get(host):
            return True
        for config in self._sources:
            if isinstance(config, DeferredSource):
                return False
            if host in config.helped:
                return True
            if any(key != host and host_of(key) == host for key in config.logins):
                return False
            if host in config.logins:
                return True
        return True

    def remark(self, host: str) -> str | None:
        """Return why an entry for a host cannot be used; None: there is no such entry, or the host has credentials."""
        if self.login(host):
            return None
        return next((config.unusable[host] for config in self._configs if host in config.unusable), None)

    async def replacement(self, host: str, refused: Credential, now: float) -> Credential | None:
        """Return new credentials of the helper instead of refused ones; None: it has no others.

        Helpers of ECR, GCR and ACR return passwords that expire after hours (amazon-ecr-credential-helper README), which
        only a 401 shows. `now`: seconds of a monotonic clock.
        """
        answer = self._answer_of(host, refused)
        if answer is None or answer.ask is None:
            return None
        async with answer.lock:
            if answer.credential != refused:
                return answer.credential  # another task has asked meanwhile
            if answer.asked is not None and now - answer.asked < _YOUNG:
                return None
            answer.asked = now
            try:
                fresh = await answer.ask()
            except (HelperFailed, RequestFailed):
                return None
            if fresh is None or fresh == refused:
                return None
            for other in self._same(host, refused):
                other.before.append(refused)
                other.credential = fresh
            return fresh

    def _same(self, host: str, credential: Credential) -> list[_Answer]:
        """Return all answers about a host that have this credential."""
        answers = [self._helped[host]] if host in self._helped else []
        answers += [answer for (_, known, _), answer in self._answers.items() if known == host]
        return [answer for answer in answers if answer.credential == credential]

    def _answer_of(self, host: str, refused: Credential) -> _Answer | None:
        """Return the answer that has a refused credential, or had it before another one replaced it; None: there is none."""
        same = self._same(host, refused)
        if same:
            return same[0]
        if host in self._helped:
            return self._helped[host]
        known = (answer for (_, asked, _), answer in self._answers.items() if asked == host)
        return next((answer for answer in known if refused in answer.before), None)

    def _from_helper(self, config: DockerConfig, host: str) -> Found:
        name, key = config.helper_of(host) or ("", host)
        credential = self._helped[host].credential or config.helped[host]
        return Found(credential, config.source, key, name)


def _asking(helper: tuple[str, str] | None) -> Callable[[], Awaitable[Credential | None]] | None:
    """Return a function that asks a helper once more, in a thread; None: there is no helper."""
    if helper is None:
        return None
    return partial(anyio.to_thread.run_sync, partial(ask_helper, *helper), abandon_on_cancel=True)
