"""Which credentials hold for a repository, and what takes the place of a password that a helper gave and that ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread

from bulkrm.client.credentials.docker_config import DockerConfig
from bulkrm.client.credentials.helper import HelperFailed, ask_helper
from bulkrm.client.credentials.keys import host_of, most_specific
from bulkrm.model.settings import Credential

# A password that is refused sooner than this after it was asked for was never good: asking again would not help.
_YOUNG = 60.0  # seconds


@dataclass(slots=True)
class _Helped:
    """What a helper gave for a host, and when it was last asked again, in seconds of a monotonic clock."""

    credential: Credential
    asked: float | None = None
    lock: anyio.Lock = field(default_factory=anyio.Lock)


class Credentials:
    """Looks up credentials: the command line's, then a helper's, then those that a file has for the repository."""

    def __init__(self, given: Mapping[str, Credential], config: DockerConfig) -> None:
        """`given`: the command line's, by the host that they are for; they go to no other."""
        self._given = given
        self._config = config
        self._helped = {host: _Helped(credential) for host, credential in config.helped.items()}

    def login(self, host: str, path: str = "") -> Credential | None:
        """Return the credentials for a repository, or without a path for the host itself; None means anonymous."""
        helped = self._helped.get(host)
        found = self._given.get(host) or (helped.credential if helped else None)
        return found or most_specific(self._config.logins, host, path)

    def is_one_for_all(self, host: str) -> bool:
        """Tell whether all repositories of a host have the same credentials."""
        if self._given.get(host) or host in self._helped:
            return True
        return not any(key != host and host_of(key) == host for key in self._config.logins)

    def remark(self, host: str) -> str | None:
        """Say why there is an entry for the host in `config.json` that does not help, if so."""
        return None if self.login(host) else self._config.unusable.get(host)

    async def replacement(self, host: str, refused: Credential, now: float) -> Credential | None:
        """Return what a helper gives instead of credentials that were refused; None where it has nothing else.

        Helpers of ECR, GCR and ACR give passwords that end after hours (amazon-ecr-credential-helper README), which is
        told by a 401 alone. `now` is in seconds of a monotonic clock.
        """
        helped, helper = self._helped.get(host), self._config.helper_of(host)
        if helped is None or helper is None:
            return None
        async with helped.lock:
            if helped.credential != refused:
                return helped.credential  # somebody else asked meanwhile
            if helped.asked is not None and now - helped.asked < _YOUNG:
                return None
            helped.asked = now
            try:
                fresh = await anyio.to_thread.run_sync(partial(ask_helper, *helper), abandon_on_cancel=True)
            except HelperFailed:
                return None
            if fresh is None or fresh == refused:
                return None
            helped.credential = fresh
            return fresh
