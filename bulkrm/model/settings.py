"""What the user asked for beside the list: values that the command line fills and everything below reads."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.secret import Secret


class Shared(StrEnum):
    """What to do with a digest that has tags outside the list."""

    REFUSE = "refuse"
    UNTAG = "untag"
    DELETE = "delete"
    DELETE_UNSEEN = "delete-unseen"


class Strategy(StrEnum):
    """Whether tags go before their manifests: where that gains something, never, or wherever it can be done."""

    AUTO = "auto"
    DIGEST = "digest"
    TAGS_FIRST = "tags-first"


@dataclass(frozen=True, slots=True)
class Limit:
    """`--max-delete`: at most `value` tags and untagged manifests, or percent of the touched repositories' tags."""

    value: float
    percent: bool = False

    def __str__(self) -> str:
        """Return it as the user writes it."""
        return f"{self.value:g}%" if self.percent else f"{self.value:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what was written so. Raises ValueError."""
        return cls(float(text.removesuffix("%")), percent=text.endswith("%"))


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in any `seconds`."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pacing:
    """Caps for each registry host. `concurrency` None is `auto`; `timeout` in seconds, for one request.

    `connections` and `token_connections`: to one registry and to one token server at most, whatever the concurrency is.
    """

    concurrency: int | None = None
    rate: Rate | None = None
    timeout: float = 60.0
    connections: int = 512
    token_connections: int = 16  # as many as a browser would open


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the registries and their token servers."""

    insecure: bool = False
    plain_http: bool = False
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None

    @property
    def default_port(self) -> int:
        """The port that a host without one has."""
        return 80 if self.plain_http else HTTPS_PORT


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password, for Basic authentication at a registry or its token server."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """What `docker login` got in exchange for a password: good at the token server alone (an OAuth2 refresh token)."""

    token: Secret


@dataclass(frozen=True, slots=True)
class RegistryToken:
    """A Bearer token that somebody got ready for one registry (`registrytoken` of `config.json`): good there alone."""

    token: Secret


Credential = Login | IdentityToken | RegistryToken


@dataclass(frozen=True, slots=True)
class Policy:
    """What may go and how the run behaves.

    `recursive`: children and referrers go too; `allow_decoy`: a tag may be overwritten to get rid of it; `verify`: look
    afterwards whether everything that was to stay is still there; `measure`: find out how much space could be freed.
    """

    shared: Shared = Shared.REFUSE
    max_delete: Limit | None = None
    dry_run: bool = False
    fail_fast: bool = False
    recursive: bool = False
    allow_decoy: bool = False
    verify: bool = False
    measure: bool = False
    strategy: Strategy = Strategy.AUTO


@dataclass(frozen=True, slots=True)
class Settings:
    """How registries are reached, and how fast they are asked."""

    pacing: Pacing = field(default_factory=Pacing)
    connection: Connection = field(default_factory=Connection)
