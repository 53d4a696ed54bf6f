"""The behaviour of the sandbox's registry, where registries differ."""

from enum import StrEnum

from bulkrm.model.valueclass import valueclass


class Auth(StrEnum):
    """The authentication that the registry requires."""

    NONE = "none"
    BASIC = "basic"
    TOKEN = "token"  # noqa: S105 (the name of a mode)


@valueclass
class SandboxSettings:
    """The defaults are distribution 2.8.2 with deletion enabled and token authentication.

    Authentication. `realm`: replaces the realm of the challenge. `scope_in_challenge` False: `scope=""`, as zot sends it.
    `error_in_challenge` False: a token without a right is answered by the same challenge again, without a reason (zot,
    olareg). `basic_refusal`: the status for a Basic user whose rules do not allow the request; None: every user may do
    everything, as with distribution's htpasswd. `own_token_port`: the token server has a port of its own. `leeway`: the
    seconds by which a token may be out of date; 60 in distribution. `delete_needs`: the actions that DELETE requires; for
    Quay `pull` and `push`.

    Deletion. `tag_deletes`: DELETE of a tag removes that tag only (distribution 3.1.1); with `tag_delete_takes_all` too, it
    deletes the manifest with all its tags. `keeps_children`: the child of an index cannot be deleted (zot).
    `tags_survive_digest_delete`: DELETE of a digest keeps its tags, which still serve the manifest (`crane registry serve`;
    google/go-containerregistry pkg/registry/manifest.go). `untagged_first`: a manifest with a tag, or in an index, cannot be
    deleted (Google's registries). `deletes_digests` False: only tags are deleted. `drops_untagged`: a manifest is deleted
    with its last tag, together with its layers (Gitea). `ignores_deletes`: DELETE is answered and not carried out;
    `delete_lag`: it is carried out this many seconds later, by the sandbox's clock. `blobs_as_manifests` False: the digest
    of a blob cannot be deleted as a manifest (distribution 3.x).

    Reading and pushing. `immutable_tags`: a tag cannot be pushed with another digest (Harbor). `checks_parts` False: PUT of
    an image is accepted without its blobs (crane). `referrers`: the referrers API of distribution-spec 1.1.
    `lists_manifests`: the tag list has the manifests too (Google; google/go-containerregistry pkg/v1/google/list.go).
    `page_size`: tags and referrers come in pages, with relative links or `absolute_links`; with `pages_on_request`
    (distribution 3.1) it only bounds the `n` of a request, and without `n` there are no pages. `pages_without_links`: `n`
    and `last` are obeyed, no Link is sent, and a `last` that no name follows is ignored (crane). `blobs_elsewhere`: GET of
    a blob is redirected by 307 to a store on another port of loopback (distribution with S3). `digest_header` False: there
    is no `Docker-Content-Digest`. `latency`: seconds before every answer. `busy_above`: the answer is 429 while more than
    this many requests are in progress.
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
