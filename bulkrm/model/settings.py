"""The settings of a run, as values: its policy, and how registries are reached. The caller of `api` fills them."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from bulkrm.model.reference import HTTP_PORT, HTTPS_PORT
from bulkrm.model.secret import Secret
from bulkrm.model.valueclass import valueclass


class Shared(StrEnum):
    """What to do with a digest that has tags outside the list."""

    REFUSE = "refuse"
    UNTAG = "untag"
    DELETE = "delete"
    DELETE_UNSEEN = "delete-unseen"


class Strategy(StrEnum):
    """Whether tags are deleted before their manifests.

    `AUTO`: where that saves the registry work. `DIGEST`: never. `TAGS_FIRST`: wherever the registry can do it.
    """

    AUTO = "auto"
    DIGEST = "digest"
    TAGS_FIRST = "tags-first"


@valueclass
class Limit:
    """`--max-delete`: at most `value` tags and untagged manifests, or percent of the touched repositories' tags.

    `also`: a second limit of the other form, which holds as well.
    """

    value: float
    percent: bool = False
    also: "Limit | None" = None

    def __str__(self) -> str:
        """`20`, `5%`, or both: `20,5%`."""
        own = f"{self.value:g}%" if self.percent else f"{self.value:g}"
        return f"{own},{self.also}" if self.also else own

    @property
    def parts(self) -> "tuple[Limit, ...]":
        """The limit and its `also`, each by itself."""
        own = Limit(self.value, self.percent)
        return (own, *self.also.parts) if self.also else (own,)

    @property
    def has_percentage(self) -> bool:
        """Tell whether a part is a percentage, for which all tags have to be counted."""
        return any(part.percent for part in self.parts)

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Parse the text that `str()` returns. Raises ValueError."""
        own, comma, other = text.partition(",")
        also = cls.parse(other) if comma else None
        return cls(float(own.removesuffix("%")), own.endswith("%"), also)

    @classmethod
    def smallest(cls, limits: "Iterable[Limit]") -> "Limit | None":
        """Combine limits into the smallest number and the smallest percentage; None: there are no limits."""
        parts = [part for limit in limits for part in limit.parts]
        numbers = [part for part in parts if not part.percent]
        percentages = [part for part in parts if part.percent]
        percentage = min(percentages, key=lambda part: part.value, default=None)
        number = min(numbers, key=lambda part: part.value, default=None)
        return percentage if number is None else cls(number.value, also=percentage)


@valueclass
class Rate:
    """At most `requests` in any `seconds`."""

    requests: int
    seconds: float


@valueclass
class Pacing:
    """Caps for each registry host. `concurrency` None is `auto`; `timeout` in seconds, for one request.

    `connections` and `token_connections`: the most connections to one registry and to one token server, whatever the
    concurrency is.
    """

    concurrency: int | None = None
    rate: Rate | None = None
    timeout: float = 60.0
    connections: int = 512
    token_connections: int = 16  # as many as a browser would open


@valueclass
class Connection:
    """How to reach the registries and their token servers. `further_cas` are trusted as `ca_file` is.

    `proxies`: the address of a proxy by the scheme of a URL (`http`, `https`, or `all`), and under `no` the hosts that
    need none, separated by commas, as `urllib.request.getproxies_environment` returns them. Loopback never uses a proxy.
    """

    insecure: bool = False
    plain_http: bool = False
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    further_cas: tuple[Path, ...] = ()
    proxies: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def default_port(self) -> int:
        """The port of a host that is written without one: 443, or 80 with `plain_http`."""
        return HTTP_PORT if self.plain_http else HTTPS_PORT


# The environment variables with the user and the password for the one registry of a run.
REGISTRY_USERNAME, REGISTRY_PASSWORD = "REGISTRY_USERNAME", "REGISTRY_PASSWORD"


@valueclass
class Login:
    """A user and a password, for Basic authentication at a registry or its token server."""

    username: str
    password: Secret


@valueclass
class IdentityToken:
    """An OAuth2 refresh token, which `docker login` stores instead of a password; it is sent to token servers only."""

    token: Secret


@valueclass
class RegistryToken:
    """A Bearer token for one registry, from `registrytoken` of `config.json`; it is sent to that registry only."""

    token: Secret


Credential = Login | IdentityToken | RegistryToken


@valueclass
class Policy:
    """What a run may delete, and how.

    `max_delete` None: no limit; `recursive`: delete children and referrers too; `allow_decoy`: a tag may be overwritten
    in order to remove it; `verify`: read the kept tags again afterwards; `measure`: collect the sizes of blobs for the
    plan.
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


@valueclass
class Settings:
    """How registries are reached, and how fast requests are sent to them.

    `own_pacings` and `own_connections`: by host, in normal form; they replace `pacing` and `connection` there. A
    connection of its own holds for that host and port only, not for a token server elsewhere.
    """

    pacing: Pacing = field(default_factory=Pacing)
    connection: Connection = field(default_factory=Connection)
    own_pacings: Mapping[str, Pacing] = field(default_factory=dict)
    own_connections: Mapping[str, Connection] = field(default_factory=dict)
