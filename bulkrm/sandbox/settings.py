"""The behaviour of the sandbox's registry, where registries differ."""

from dataclasses import dataclass
from enum import StrEnum


class Auth(StrEnum):
    """The authentication that the registry requires."""

    NONE = "none"
    BASIC = "basic"
    TOKEN = "token"  # noqa: S105 (the name of a mode)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The defaults are distribution 2.8.2 with deletion enabled and token authentication.

    `realm` replaces the realm of the challenge (to be relative, or a foreign host); `scope_in_challenge` off is zot's
    `scope=""`. `own_token_port` moves the token server to another port of loopback. `leeway` are the seconds by which
    a token may be out of date: 60 there. `delete_needs` are the actions for a DELETE: Quay wants `pull` and `push`.
    `tag_deletes` is distribution 3.1.1: DELETE of a tag removes that tag only; with `tag_delete_takes_all` as well, it
    removes the digest with all its tags. `keeps_children` is zot: what an index names cannot be deleted.
    `tags_survive_digest_delete` is `crane registry serve` (google/go-containerregistry pkg/registry/manifest.go): DELETE of
    a digest leaves its tags, which go on serving the manifest; `pages_without_links` too: `n` and `last` are obeyed, no
    Link is sent, and a `last` after which nothing comes is ignored; without `checks_parts` a PUT is taken without its blobs.
    `untagged_first` is Google's registries: a manifest with a tag, or in an index, cannot be deleted. `deletes_digests` off
    is a registry that deletes tags only. `drops_untagged` is Gitea: with its last tag a manifest goes, and its layers.
    With `ignores_deletes` a DELETE is answered and not carried out, with `delete_lag` it is so many seconds later by the
    sandbox's clock.
    `immutable_tags` is Harbor: a tag cannot be pushed over with another digest. `referrers` turns on the referrers API
    of distribution-spec 1.1. `lists_manifests` is Google's tag list, which tells the manifests too
    (google/go-containerregistry pkg/v1/google/list.go). `page_size` turns on paging of tags and referrers, with relative or `absolute_links`;
    `pages_on_request` is distribution 3.1: it only bounds the `n` of a request, and without `n` everything comes.
    `blobs_as_manifests` off is distribution 3.x, where the digest of a blob is not a manifest to anybody.
    `error_in_challenge` off is zot and olareg, which repeat their challenge where a right is missing and do not say why.
    `basic_refusal` is the status for a user whom Basic let in and whose rules do not allow the request; without it every
    known user may do everything, as with distribution's htpasswd.
    `blobs_elsewhere` keeps blobs in a store on another port of loopback: GET of one is a 307 (distribution with S3).
    `digest_header` off leaves `Docker-Content-Digest` away. `latency` are seconds before every answer, and with more than
    `busy_above` requests in progress the answer is 429.
    """

    auth: Auth = Auth.TOKEN
    service: str = "sandbox"
    realm: str | None = None
    scope_in_challenge: bool = True
    error_in_challenge: bool = True
    basic_refusal: int | None = None
    own_token_port: bool = False
    tls: bool = False
    leeway: int = 60
    delete_enabled: bool = True
    delete_needs: tuple[str, ...] = ("delete",)
    read_only: bool = False
    tag_deletes: bool = False
    tag_delete_takes_all: bool = False
    tags_survive_digest_delete: bool = False
    untagged_first: bool = False
    deletes_digests: bool = True
    drops_untagged: bool = False
    ignores_deletes: bool = False
    delete_lag: float = 0.0
    keeps_children: bool = False
    immutable_tags: bool = False
    referrers: bool = False
    page_size: int | None = None
    pages_on_request: bool = False
    absolute_links: bool = False
    pages_without_links: bool = False
    lists_manifests: bool = False
    checks_parts: bool = True
    blobs_as_manifests: bool = True
    blobs_elsewhere: bool = False
    digest_header: bool = True
    latency: float = 0.0
    busy_above: int | None = None
