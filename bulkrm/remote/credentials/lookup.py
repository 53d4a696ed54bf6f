"""Which credentials hold for a repository, and what takes the place of a password that a helper gave and that ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread

from bulkrm.model.settings import Credential
from bulkrm.remote.credentials.docker_config import DockerConfig
from bulkrm.remote.credentials.helper import HelperFailed, ask_helper
from bulkrm.remote.credentials.keys import covering_keys, host_of

# A password that is refused sooner than this after it was asked for was never good: asking again would not help.
_YOUNG = 60.0  # seconds


@dataclass(slots=True)
class _Helped:
    """What a helper gave for a host, and when it was last asked again, in seconds of a monotonic clock."""

    credential: Credential
    helper: tuple[str, str] | None
    asked: float | None = None
    lock: anyio.Lock = field(default_factory=anyio.Lock)


@dataclass(frozen=True, slots=True)
class Found:
    """Credentials, and where they come from: the source, its key as written there, and the helper that has them."""

    credential: Credential
    source: str
    key: str
    helper: str | None = None

    def __str__(self) -> str:
        """Say where they come from, and nothing of what they are."""
        where = f"{self.source}, key {self.key}" if self.key else self.source
        return f"{where}, by docker-credential-{self.helper}" if self.helper else where


class Credentials:
    """Looks up credentials: the command line's, then those of each source, in its order."""

    def __init__(self, given: Mapping[str, Credential], *configs: DockerConfig) -> None:
        """`given`: the command line's, by the host that they are for; they go to no other."""
        self._given = given
        self._configs = configs
        self._helped: dict[str, _Helped] = {}
        for config in configs:
            for host, credential in config.helped.items():
                self._helped.setdefault(host, _Helped(credential, config.helper_of(host)))
        self.warnings = tuple(warning for config in configs for warning in config.warnings)

    def login(self, host: str, path: str = "") -> Credential | None:
        """Return the credentials for a repository, or without a path for the host itself; None means anonymous."""
        found = self.find(host, path)
        return None if found is None else found.credential

    def find(self, host: str, path: str = "") -> Found | None:
        """Return the credentials for a repository with their origin; None means anonymous.

        The first source with an entry wins; within one, its helper, then the most specific key.
        """
        given = self._given.get(host)
        if given is not None:
            return Found(given, "-u", "")
        for config in self._configs:
            if host in config.helped:
                return self._from_helper(config, host)
            for key in covering_keys(host, path):
                if key in config.logins:
                    return Found(config.logins[key], config.source, config.written.get(key, ""))
        return None

    def origins(self, host: str) -> Iterator[Found]:
        """Yield all credentials that some repository of a host may get, in the order of their sources."""
        for config in self._configs:
            if host in config.helped:
                yield self._from_helper(config, host)
                return
            for key in sorted((key for key in config.logins if host_of(key) == host), reverse=True):
                yield Found(config.logins[key], config.source, config.written.get(key, ""))
            if host in config.logins:
                return

    def is_one_for_all(self, host: str) -> bool:
        """Tell whether all repositories of a host have the same credentials."""
        if self._given.get(host):
            return True
        for config in self._configs:
            if host in config.helped:
                return True
            if any(key != host and host_of(key) == host for key in config.logins):
                return False
            if host in config.logins:
                return True
        return True

    def remark(self, host: str) -> str | None:
        """Say why a source has an entry for the host that does not help, if so."""
        if self.login(host):
            return None
        return next((config.unusable[host] for config in self._configs if host in config.unusable), None)

    async def replacement(self, host: str, refused: Credential, now: float) -> Credential | None:
        """Return what a helper gives instead of credentials that were refused; None where it has nothing else.

        Helpers of ECR, GCR and ACR give passwords that end after hours (amazon-ecr-credential-helper README), which is
        told by a 401 alone. `now` is in seconds of a monotonic clock.
        """
        helped = self._helped.get(host)
        if helped is None or helped.helper is None:
            return None
        async with helped.lock:
            if helped.credential != refused:
                return helped.credential  # somebody else asked meanwhile
            if helped.asked is not None and now - helped.asked < _YOUNG:
                return None
            helped.asked = now
            try:
                fresh = await anyio.to_thread.run_sync(partial(ask_helper, *helped.helper), abandon_on_cancel=True)
            except HelperFailed:
                return None
            if fresh is None or fresh == refused:
                return None
            helped.credential = fresh
            return fresh

    def _from_helper(self, config: DockerConfig, host: str) -> Found:
        name, key = config.helper_of(host) or ("", host)
        return Found(self._helped[host].credential, config.source, key, name)
