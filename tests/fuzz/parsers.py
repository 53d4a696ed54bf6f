"""Every parser of what comes from outside, with the one error that it may raise and good input to begin with.

A new parser is a line in `PARSERS`, and one in `tests/fuzz/readers.py` if it does not take bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bulkrm.codec.plan_reader import read as read_plan
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, ProtocolError, RequestFailed
from bulkrm.model.scope import Scope
from bulkrm.remote.credentials.helper import HelperFailed
from bulkrm.selection.listfile.document import read_list
from bulkrm.state.errors import StateError
from tests.fuzz import readers

_SEEDS = Path(__file__).parent / "seeds"


@dataclass(frozen=True, slots=True)
class Parser:
    """`read` takes the bytes, and a folder for those that read files; `error` is what it may raise, and nothing else."""

    name: str
    read: Callable[[bytes, Path], object]
    error: type[Exception] | None
    seeds: Sequence[bytes]

    def __str__(self) -> str:
        """Return the name, which pytest shows."""
        return self.name


def _files(*names: str) -> list[bytes]:
    return [(_SEEDS / name).read_bytes() for name in names]


_DIGEST = b"sha256:" + b"0f" * 32
_REFERENCES = [
    b"registry.example:5000/team/app:1.0",
    b"[::1]:5000/a/b@" + _DIGEST,
    b"a/b:c@" + _DIGEST,
    b"ubuntu:24.04",
]
_PATTERNS = [b"pr-*", b"**/prod-*:*", b"registry.example/team/{a,b}?[0-9]:v[!x]*", b"*:latest", b"a/**/c:{1..3}"]
_HEADERS = [
    b'Bearer realm="https://auth.example/token",service="s",scope="repository:a/b:pull,delete",error="invalid_token"',
    b'Basic realm="x", Negotiate YWJj==, Digest a=b, c="d\\"e"',
]
_LINKS = [
    b'</v2/team/app/tags/list?last=x&n=1000>; rel="next"',
    b'<https://x.example/v2/team/app/tags/list?n=1>; rel=next; title="a, b"',
]
_TOKENS = [
    b'{"token":"abc.def","access_token":"x","expires_in":300,"issued_at":"2026-01-31T10:00:00Z"}',
    b'{"token":"a"}',
]
_ERRORS = [
    b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"a"}}]}',
    b'{"errors":[{"status":409,"message":"no"}]}',
    b'{"error":"no","details":"why"}',
    b"<html><title>502 Bad Gateway</title><body>nginx</body></html>",
]
_LISTS = _files("images.yaml", "short.yaml")
_MANIFESTS = [*_files("index.json", "image.json", "schema1.json")]
_CONFIG = _files("config.json")
_HELPERS = [
    b'{"ServerURL":"https://x.example","Username":"me","Secret":"s3cr3t"}',
    b"credentials not found in native keychain",
]

PARSERS = (
    Parser("reference", readers.reference, InputError, _REFERENCES),
    Parser("repository", readers.repository, InputError, [b"registry.example:5000/team/app", b"[::1]:5000/a/b"]),
    Parser("host", readers.host, InputError, [b"registry.example:5000", b"[::1]:5000", b"localhost"]),
    Parser("digest", lambda content, _: Digest(readers.text(content)), InputError, [_DIGEST, b"sha512:" + b"0f" * 64]),
    Parser("tag pattern", readers.tag_pattern, InputError, _PATTERNS),
    Parser("repository pattern", readers.repository_pattern, InputError, _PATTERNS),
    Parser("protect pattern", readers.protect_pattern, InputError, _PATTERNS[1:]),
    Parser("list file", lambda content, _: read_list(content, "images.yaml"), InputError, _LISTS),
    Parser("challenge", readers.challenges, None, _HEADERS),
    Parser(
        "realm", readers.realm, ProtocolError, [b"https://auth.example/token?x=1", b"/token", b"http://[::1]:5000/t"]
    ),
    Parser(
        "scope", lambda content, _: Scope.parse(readers.text(content)), ProtocolError, [b"repository:a/b:pull,push,*"]
    ),
    Parser("Retry-After", readers.retry_after, None, [b"120", b"Fri, 31 Dec 2027 23:59:59 GMT"]),
    Parser("token", readers.token, ProtocolError, _TOKENS),
    Parser("error body", readers.error_body, None, _ERRORS),
    Parser("tag page", readers.tag_page, RequestFailed, [b'{"name":"team/app","tags":["a","b"]}', b'{"tags":null}']),
    Parser("catalog page", readers.catalog_page, RequestFailed, [b'{"repositories":["a/b","c"]}']),
    Parser("Link", readers.link, RequestFailed, _LINKS),
    Parser("manifest", readers.manifest, RequestFailed, _MANIFESTS),
    Parser("referrers page", readers.referrers, RequestFailed, _files("index.json")),
    Parser("HEAD", readers.head, None, [b"Docker-Content-Digest: " + _DIGEST + b"\nContent-Length: 12"]),
    Parser("plan", lambda content, _: read_plan(content, "plan.json"), InputError, _files("plan.json")),
    Parser("journal", readers.journal, StateError, _files("journal.jsonl")),
    Parser("archive", readers.archive, StateError, _files("manifests.jsonl")),
    Parser("torn archive", readers.torn_archive, StateError, _files("manifests.jsonl")),
    Parser("losses", readers.losses_of, StateError, _files("journal.jsonl")),
    Parser("run", readers.run, InputError, _files("run.json")),
    Parser("config.json", readers.docker_config, InputError, _CONFIG),
    Parser("helper", readers.helper, HelperFailed, _HELPERS),
)
