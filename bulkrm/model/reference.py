"""Image references, `[host[:port]/]path[:tag][@digest]`, and their normal form. Input is parsed here once.

The grammar is that of github.com/distribution/reference (`regexp.go`, `normalize.go`). Two things are stricter here,
because this tool deletes: a tag or a digest is mandatory (no silent `latest`), and a reference without a host is an
error (no silent Docker Hub) unless the caller names the host.
"""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.valueclass import valueclass

HUB = "docker.io"
# Three names of one registry; Docker's own client connects to the last one.
_HUB_NAMES = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})

COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_PATH = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
_TAG = re.compile(TAG)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_MAX_PATH = 255
_MAX_PORT = 65535
_BLANK = re.compile(r"\s")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_CREDENTIALS = re.compile(r"^(?P<scheme>[a-z]+://)?.*@(?!(?:sha256|sha512):[^/@]*$)", re.DOTALL)
# The grammar of digests (image-spec descriptor.md), and too long for the port of a host.
_ANY_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}")
_PATTERN_CHARACTERS = frozenset("*?[]{}")
HTTPS_PORT, HTTP_PORT = 443, 80
_ASCII = 127  # the last character of ASCII


class Repository(NamedTuple):
    """One repository of one registry. `host` is lower case and without the default port; `path` has no host.

    It is a tuple because nearly everything is looked up by repository, sixty times for each image: a tuple is hashed and
    compared without a call, which saves 5 % of the time that an image costs (python -m tests.bench versions).
    """

    host: str
    path: str

    def __str__(self) -> str:
        """`host/path`."""
        return f"{self.host}/{self.path}"


class TagRef(NamedTuple):
    """A tag. With `pin`, written `name:tag@digest`, it means the tag only while it holds that digest.

    It is a tuple as `Repository` is: it is hashed more than a dozen times for each image.
    """

    repository: Repository
    tag: str
    pin: Digest | None = None

    def __str__(self) -> str:
        """Return the full normal form."""
        return f"{self.repository}:{self.tag}" + (f"@{self.pin}" if self.pin else "")


@valueclass
class DigestRef:
    """A manifest by its digest. It names the manifest, not the tags that lead to it."""

    repository: Repository
    digest: Digest

    def __str__(self) -> str:
        """Return the full normal form."""
        return f"{self.repository}@{self.digest}"


Reference = TagRef | DigestRef


def mask_credentials(text: str) -> str:
    """Replace `user:password@` by `***@`, so that the text can stand in a message."""
    return _CREDENTIALS.sub(lambda match: f"{match['scheme'] or ''}***@", text)


def is_tag(text: str) -> bool:
    """Tell whether the text is a valid tag."""
    return _TAG.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Tell whether the text is a valid repository path."""
    return len(text) <= _MAX_PATH and _PATH.fullmatch(text) is not None


def looks_like_host(component: str) -> bool:
    """Tell whether the first component of a reference is a host (distribution/reference `splitDockerDomain`)."""
    return "." in component or ":" in component or component == "localhost" or component != component.lower()


@lru_cache(maxsize=1024)
def parse_host(text: str, default_port: int = HTTPS_PORT) -> str:
    """Return the normal form of `host[:port]`: lower case, no default port, `docker.io` for Docker Hub.

    A name without a dot, other than localhost, always keeps its port: `registry:443`. Raises InputError.
    """
    match = _HOST.fullmatch(text)
    if match is None:
        remedy = "write host or host:port, without a scheme and a path"
        raise InputError(Problem("", f"{mask_credentials(text)!r} is not a registry host", remedy))
    name = match["name"].lower()
    if name.startswith("["):
        try:
            name = f"[{ipaddress.IPv6Address(name[1:-1])}]"
        except ValueError:
            raise InputError(Problem("", f"{text!r} is not an IPv6 address", "write it as [2001:db8::1]")) from None
    port = int(match["port"]) if match["port"] else default_port
    if not 0 < port <= _MAX_PORT:
        raise InputError(Problem("", f"{text!r} has no valid port", "ports go from 1 to 65535"))
    # A name such as `registry` needs its port, or the text of a reference would not be read as having a host.
    host = name if port == default_port and looks_like_host(name) else f"{name}:{port}"
    return HUB if host in _HUB_NAMES else host


def parse_reference(text: str, *, default_host: str | None = None, default_port: int = HTTPS_PORT) -> Reference:
    """Parse one reference. `default_host` (a normal form) is for references without a host; None: those are refused.

    Raises InputError with one Problem, whose `where` is empty: the caller knows the place.
    """
    _refuse_common_mistakes(text)
    name, at, digest_text = text.partition("@")
    digest = Digest(digest_text) if at else None
    # A tag's colon is one after the last slash: `host:5000/app` has a port and no tag.
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    tag = name[colon + 1 :] if colon >= 0 else None
    repository = parse_repository(name if tag is None else name[:colon], default_host, default_port)
    if tag is not None:
        if not is_tag(tag):
            remedy = f"{not_ascii(tag)}a tag has up to 128 letters, digits, '_', '.', '-', and starts with none of the last two"
            raise InputError(Problem("", f"{tag[:160]!r} is not a tag", remedy))
        return TagRef(repository, tag, digest)
    if digest is not None:
        return DigestRef(repository, digest)
    remedy = f"write {text}:TAG or {text}@sha256:...; there is no default tag"
    raise InputError(Problem("", f"{text!r} has neither a tag nor a digest", remedy))


@lru_cache(maxsize=65536)
def parse_repository(name: str, default_host: str | None, default_port: int = HTTPS_PORT) -> Repository:
    """Parse `[host[:port]/]path`. The result is cached, so that a million tags share one object. Raises InputError."""
    host, path = split_host(name, default_host, default_port)
    path = hub_path(host, path)
    if is_path(path):
        return Repository(host, path)
    if is_path(path.lower()):
        raise InputError(
            Problem("", f"{path!r} has upper-case letters", f"repository names are lower case: {path.lower()}")
        )
    remedy = "components of a-z, 0-9 with single '.', '_', '__' or '-' between, joined by '/', 255 characters at most"
    remedy = f"{not_ascii(path)}{remedy}"
    raise InputError(Problem("", f"{path[:300]!r} is not a repository name", remedy))


def not_ascii(text: str) -> str:
    """Return the beginning of a remedy that names the first character which only looks like an ASCII one, or ""."""
    return next(
        (f"U+{ord(character):04X} is not an ASCII character; " for character in text if ord(character) > _ASCII), ""
    )


def split_host(name: str, default_host: str | None, default_port: int = HTTPS_PORT) -> tuple[str, str]:
    """Split `[host/]path` into the host, in normal form, and the path, which may be a pattern. Raises InputError."""
    first, slash, rest = name.partition("/")
    if slash and looks_like_host(first):
        if _PATTERN_CHARACTERS & set(first) and not first.startswith("["):
            raise InputError(Problem("", f"{first!r}: a host cannot be a pattern", "write one entry for each registry"))
        return parse_host(first, default_port), rest
    if default_host is None:
        remedy = f"write docker.io/{name}, or the host of your registry"
        raise InputError(Problem("", f"{name!r} does not name its registry", remedy))
    return default_host, name


def hub_path(host: str, path: str) -> str:
    """Return the path with `library/` before it if it is a name of one component on Docker Hub."""
    return f"library/{path}" if host == HUB and "/" not in path else path


def refuse_missing_part(text: str) -> None:
    """Raise InputError if a part of a reference or pattern is empty, perhaps because of a variable that is not set."""
    name = text.partition("@")[0]
    first, slash, _ = name.partition("/")
    missing = None
    if name.startswith(("/", ":")):
        missing = f"begins with {name[0]!r}: the host before it is empty"
    elif slash and first.endswith(":"):
        missing = f"has {first!r} as its host: the port is empty"
    elif name.endswith("/") or "/:" in name or "//" in name:
        missing = "has a '/' with nothing behind it: a part of the repository is empty"
    elif name.endswith(":"):
        missing = "ends with ':': the tag behind it is empty" if name == text else "has an empty tag"
    if missing is not None:
        raise InputError(
            Problem("", f"{text[:160]!r} {missing}", "perhaps a variable is not set; write host/repository:tag")
        )


def _refuse_common_mistakes(text: str) -> None:
    """Raise InputError for common mistakes, with an explanation: the grammar alone could only say that it does not match."""
    if not text.strip():
        raise InputError(Problem("", "an empty reference", "remove it, or write host/repository:tag"))
    shown = mask_credentials(text)
    if text.endswith("@"):
        named = text if _HOST.fullmatch(text.partition("/")[0]) and text.count("@") == 1 and "/" in text else shown
        raise InputError(Problem("", f"{named!r} ends with '@'", "the digest behind it is missing: an empty variable?"))
    if shown != text and _ANY_DIGEST.fullmatch(text.rpartition("@")[2]):
        Digest(text.rpartition("@")[2])  # raises InputError, except for a digest behind credentials
    if shown != text:
        remedy = "use -u with -p, or --password-stdin"
        raise InputError(Problem("", f"{shown!r} holds credentials, which do not belong in a reference", remedy))
    if "://" in text:
        raise InputError(Problem("", f"{text!r} starts with a scheme", f"write {text.partition('://')[2]}"))
    refuse_missing_part(text)
    if _BLANK.search(text):
        raise InputError(Problem("", f"{text!r} has blanks in it", "one reference an entry, without blanks"))
    if _IMAGE_ID.fullmatch(text):
        raise InputError(
            Problem("", f"{text!r} is an image ID", "an image ID is not a reference; write host/repository:tag")
        )
