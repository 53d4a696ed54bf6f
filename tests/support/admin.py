"""A small registry client for tests, which fills a registry and reads it. It shares no code with bulkrm's own client."""

import asyncio
import hashlib
import io
import json
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from bulkrm.sandbox import Image, oci_image

_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
ALL_TYPES = ", ".join(_TYPES)
PASSWORD = "admin"
_PARALLEL = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The error codes of the body."""
        return [error["code"] for error in self.json["errors"]]

    @property
    def next_page(self) -> str:
        """The target of the `Link` header; "" without one."""
        link = re.fullmatch(r'<([^>]+)>; rel="next"', self.headers.get("Link", ""))
        return link[1] if link else ""


class Admin:
    """The client of a user with all rights; an async context manager. It answers challenges, with one token a repository."""

    def __init__(self, url: str, *, user: str = "admin", password: str = PASSWORD, ca_pem: bytes | None = None) -> None:
        self.url = url
        self._basic = aiohttp.encode_basic_auth(user, password)
        tls = ssl.create_default_context(cadata=ca_pem.decode()) if ca_pem else True
        self._connector = aiohttp.TCPConnector(limit=_PARALLEL, ssl=tls)
        self._session: aiohttp.ClientSession | None = None
        self._authorization: dict[str, str] = {}
        self._pushed: set[tuple[str, str]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=self._connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    # One request

    async def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send one request without credentials. `path` may be a whole URL."""
        assert self._session is not None
        url = URL(path if "://" in path else self.url + path, encoded=True)
        # A file: aiohttp warns of bytes of more than 1 MiB.
        data = None if body is None else io.BytesIO(body)
        async with self._session.request(method, url, headers=headers, data=data, allow_redirects=False) as answer:
            return Reply(answer.status, answer.headers.copy(), await answer.read())

    async def call(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send a request; answer a challenge with the user's credentials."""
        resource = _repository(path)
        held = self._authorization.get(resource)
        reply = await self.send(method, path, headers=_with(headers, held), body=body)
        if reply.status == 401:
            held = await self._authorize(reply.headers["WWW-Authenticate"], resource)
            self._authorization[resource] = held
            reply = await self.send(method, path, headers=_with(headers, held), body=body)
        return reply

    async def token(self, realm: str, *scopes: str, service: str = "sandbox", anonymous: bool = False) -> str:
        """Fetch a token."""
        query = URL(realm).extend_query([("service", service), *(("scope", scope) for scope in scopes)])
        reply = await self.send("GET", str(query), headers=None if anonymous else {"Authorization": self._basic})
        assert reply.status == 200, reply
        return str(reply.json["token"])

    # Filling

    async def push(self, repository: str, image: Image, *tags: str) -> str:
        """Push an image with all its parts, by digest if there are no tags; return its digest."""
        for child in image.children:
            await self.push(repository, child)
        for blob in image.blobs:
            await self.push_blob(repository, blob)
        for reference in tags or (image.digest,):
            reply = await self.put(repository, reference, image)
            assert reply.status == 201, reply
        return image.digest

    async def push_many(self, repository: str, images: Mapping[str, Image]) -> None:
        """Push images, each under its tag, many at a time."""
        some = list(images.items())[:1]
        for tag, image in some:
            await self.push(repository, image, tag)
        limit = asyncio.Semaphore(_PARALLEL)

        async def push(tag: str, image: Image) -> None:
            async with limit:
                await self.push(repository, image, tag)

        async with asyncio.TaskGroup() as tasks:
            for tag, image in images.items():
                tasks.create_task(push(tag, image))

    async def push_blob(self, repository: str, content: bytes) -> str:
        """Push a blob, unless this client has pushed it before; return its digest."""
        digest = digest_of(content)
        if (repository, digest) not in self._pushed:
            start = await self.call("POST", f"/v2/{repository}/blobs/uploads/")
            assert start.status == 202, start
            location = start.headers["Location"]
            location += f"{'&' if '?' in location else '?'}digest={digest}"
            done = await self.call("PUT", location, headers={"Content-Type": "application/octet-stream"}, body=content)
            assert done.status == 201, done
            self._pushed.add((repository, digest))
        return digest

    async def put(self, repository: str, reference: str, image: Image) -> Reply:
        """PUT a manifest only."""
        return await self.call(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            headers={"Content-Type": image.media_type},
            body=image.content,
        )

    # Looking

    async def get(self, repository: str, reference: str, accept: str = ALL_TYPES, method: str = "GET") -> Reply:
        """GET or HEAD a manifest; with an empty `accept` the HTTP library sends `*/*`."""
        headers = {"Accept": accept} if accept else {}
        return await self.call(method, f"/v2/{repository}/manifests/{reference}", headers=headers)

    async def delete(self, repository: str, reference: str) -> Reply:
        """DELETE a manifest."""
        return await self.call("DELETE", f"/v2/{repository}/manifests/{reference}")

    async def digest(self, repository: str, reference: str) -> str | None:
        """Resolve a tag or digest with HEAD; None if there is no such manifest."""
        reply = await self.get(repository, reference, method="HEAD")
        assert reply.status in (200, 404), reply
        return reply.headers["Docker-Content-Digest"] if reply.status == 200 else None

    async def tags(self, repository: str) -> set[str]:
        """List tags; an unknown repository has none."""
        reply = await self.call("GET", f"/v2/{repository}/tags/list")
        assert reply.status in (200, 404), reply
        return set(reply.json.get("tags") or ())

    async def content(self, repository: str, *names: str) -> dict[str, str | None]:
        """Resolve every tag that is listed, and these tags and digests."""
        found: dict[str, str | None] = dict.fromkeys([*names, *sorted(await self.tags(repository))])

        async def look(name: str) -> None:
            found[name] = await self.digest(repository, name)

        async with asyncio.TaskGroup() as tasks:
            for name in list(found):
                tasks.create_task(look(name))
        return found

    async def referrers(self, repository: str, digest: str) -> list[str] | None:
        """List the referrers of the digest, all pages; None: there is no referrers API."""
        path, found = f"/v2/{repository}/referrers/{digest}", list[str]()
        while path:
            reply = await self.call("GET", path)
            assert reply.status in (200, 404), reply
            if reply.status == 404:
                return None
            found += [entry["digest"] for entry in reply.json["manifests"]]
            path = reply.next_page
        return found

    async def repositories(self) -> list[str]:
        """List the catalog, first page."""
        reply = await self.call("GET", "/v2/_catalog?n=1000")
        return list(reply.json["repositories"])

    async def pulls(self, repository: str, reference: str) -> bool:
        """Tell whether the manifest and all its parts exist, children included, with bytes of the right digests."""
        reply = await self.get(repository, reference)
        if reply.status != 200 or digest_of(reply.body) != reply.headers["Docker-Content-Digest"]:
            return False
        for child in reply.json.get("manifests", ()):
            if not await self.pulls(repository, child["digest"]):
                return False
        config = reply.json.get("config")
        for part in (*([config] if config else ()), *reply.json.get("layers", ())):
            blob = await self.call("GET", f"/v2/{repository}/blobs/{part['digest']}")
            if blob.status != 200 or digest_of(blob.body) != part["digest"]:
                return False
        return True

    async def _authorize(self, challenge: str, resource: str) -> str:
        if challenge.startswith("Basic"):
            return self._basic
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        scope = f"repository:{resource}:pull,push,delete" if resource else fields.get("scope")
        token = await self.token(fields["realm"], *([scope] if scope else ()), service=fields["service"])
        return f"Bearer {token}"


def digest_of(content: bytes) -> str:
    """SHA-256 as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def many_images(tags: Iterable[str], start: int = 0) -> dict[str, Image]:
    """Return a different image for each tag, all with the same blobs, so that pushing them is quick."""
    return {tag: oci_image(seed, config_seed=0) for seed, tag in enumerate(tags, start)}


async def push_pairs(admin: Admin, repository: str, number: int) -> dict[str, str]:
    """Push images, each under two tags, `pr-N` and `keep-N`; return the digest of each `pr-N`."""
    images = many_images(f"pr-{seed}" for seed in range(number))
    await admin.push_many(repository, images)
    await admin.push_many(repository, {f"keep-{tag[3:]}": image for tag, image in images.items()})
    return {tag: image.digest for tag, image in images.items()}


def _with(headers: Mapping[str, str] | None, authorization: str | None) -> dict[str, str]:
    return {**(headers or {}), **({"Authorization": authorization} if authorization else {})}


def _repository(path: str) -> str:
    found = re.search(r"/v2/(.+?)/(?:manifests|blobs|tags|referrers)/", path)
    return found[1] if found else ""
