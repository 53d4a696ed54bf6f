"""An embedded registry with token authentication on loopback: for `bulkrm demo` and for tests.

It keeps real state in memory and behaves like distribution 2.8.2, unless a setting says otherwise. The contract tests
compare it with real servers.

    async with Sandbox(SandboxSettings()) as sandbox:
        put_image(sandbox.store, "team/app", ["1.0"], docker_image(seed=1))
        ...                                 # speak HTTP to f"http://{sandbox.host}", user `admin`, password `admin`

- `Sandbox(settings, *, users, clock)`: `.host`, `.url`, `.store`, `.faults`, `.tokens`, `.log`, `.max_in_flight`,
  `.ca_pem` (with TLS); `.change(delete_enabled=False, ...)` changes settings while it runs, `.tokens.change(...)` those
  of the token server.
- `SandboxSettings`: `auth` (`Auth.TOKEN`, `BASIC`, `NONE`), `tls`, `own_token_port`, `delete_enabled`, `read_only`,
  `tag_deletes`, `tag_delete_takes_all`, `keeps_children`, `immutable_tags`, `referrers`, `page_size`, ...
- `Store`: repositories, tags, manifests, blobs; `put_image(store, repository, tags, image)` puts an image into it.
  `docker_image`, `oci_image`, `docker_list`, `oci_index` (each from a seed), `index_of(children)` and
  `artifact(seed, subject)` build images; `fallback_index(referrers)` is put under `fallback_tag(subject)`.
- `Faults.add(action, method=, path=, times=, every=, skip=)` with an action of `Reply`, `Drop`, `DropAfter`, `Delay`,
  `Call` (run a coroutine in the middle), `LieAboutDigest`, `LieAboutBody`; `Faults.before` is a hook on every request.
- `TokenServer` also works without a Sandbox, for another registry that trusts `key.bundle_pem`; `User(password, acl)`,
  `TokenSettings(lifetime, ...)`; `.log` of `TokenRequest`, `.max_in_flight` per scope, `.revoke()`.
"""

from bulkrm.sandbox.auth.accounts import ANONYMOUS, FULL_ACCESS, AccessRule, User
from bulkrm.sandbox.auth.keys import SigningKey
from bulkrm.sandbox.auth.tokens import TokenRequest, TokenServer, TokenSettings
from bulkrm.sandbox.faults import (
    Action,
    Call,
    Delay,
    Drop,
    DropAfter,
    Faults,
    LieAboutBody,
    LieAboutDigest,
    Reply,
    redirect,
)
from bulkrm.sandbox.images import (
    Image,
    artifact,
    built_image,
    docker_image,
    docker_list,
    empty_index,
    fallback_index,
    fallback_tag,
    index_of,
    oci_image,
    oci_index,
    put_image,
)
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.server import LoggedRequest, Sandbox
from bulkrm.sandbox.settings import Auth, SandboxSettings
from bulkrm.sandbox.wire import ServerRequest

__all__ = [
    "ANONYMOUS",
    "FULL_ACCESS",
    "AccessRule",
    "Action",
    "Auth",
    "Call",
    "Delay",
    "Drop",
    "DropAfter",
    "Faults",
    "Image",
    "LieAboutBody",
    "LieAboutDigest",
    "LoggedRequest",
    "Reply",
    "Sandbox",
    "SandboxSettings",
    "ServerRequest",
    "SigningKey",
    "Store",
    "TokenRequest",
    "TokenServer",
    "TokenSettings",
    "User",
    "artifact",
    "built_image",
    "docker_image",
    "docker_list",
    "empty_index",
    "fallback_index",
    "fallback_tag",
    "index_of",
    "oci_image",
    "oci_index",
    "put_image",
    "redirect",
]
