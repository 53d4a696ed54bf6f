"""How the sandbox's registry behaves where registries differ."""

from dataclasses import dataclass
from enum import StrEnum


class Auth(StrEnum):
    """What the registry asks of a client."""

    NONE = "none"
    BASIC = "basic"
    TOKEN = "token"  # noqa: S105 (the name of a mode)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The defaults are distribution 2.8.2 with deletion enabled and token authentication.

    `realm` replaces the realm of the challenge (to be relative, or a foreign host); `scope_in_challenge` off is zot's
    `scope=""`. `own_token_port` moves the token server to another port of loopback. `leeway` are the seconds by which
    a token may be out of date: 60 there. `delete_needs` are the actions for a DELETE: Quay wants `pull` and `push`.
    `tag_deletes` is distribution 3.x. `page_size` turns on paging of tags, with relative or `absolute_links`.
    `digest_header` off leaves `Docker-Content-Digest` away.
    """

    auth: Auth = Auth.TOKEN
    service: str = "sandbox"
    realm: str | None = None
    scope_in_challenge: bool = True
    own_token_port: bool = False
    tls: bool = False
    leeway: int = 60
    delete_enabled: bool = True
    delete_needs: tuple[str, ...] = ("delete",)
    read_only: bool = False
    tag_deletes: bool = False
    page_size: int | None = None
    absolute_links: bool = False
    digest_header: bool = True
