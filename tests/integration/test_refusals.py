"""Every failure code is provoked: on a real registry where one can be brought to it, else on one that misbehaves.

`PROVOCATIONS` has for each code how it comes about; a code that nothing here can provoke goes into `UNPROVOKED` with
the reason. A code that stands in neither fails the test.
"""

import base64
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bulkrm.model.result.failure import FailureCode
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import (
    Auth,
    Call,
    Delay,
    Drop,
    DropAfter,
    LieAboutDigest,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    SigningKey,
    TokenSettings,
    User,
    oci_image,
    oci_index,
    put_image,
)
from tests.cli.command import Result, bulkrm
from tests.integration.engine import Done, Options, delete
from tests.support.admin import Admin
from tests.support.clock import FakeClock
from tests.support.real import RealRegistry, RealSettings
from tests.support.scripted import ScriptedServer, Step, reply

APP = "team/app"
REAL = r"sha256:(?!0{64})"  # not the digest that is asked for to find out whether anything can be deleted
PAGE = b"<!doctype html><html><head><title>Sign in to Example</title></head></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
LIKE_UNKNOWN = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
Images = list[dict[str, Any]]


def environment(tmp_path: Path, user: str = "admin", password: str = "admin") -> dict[str, str]:  # noqa: S107 (of a registry that lives for a second)
    """The environment of a user with records of his own."""
    return {
        "REGISTRY_USERNAME": user,
        "REGISTRY_PASSWORD": password,
        "BULKRM_STATE_DIR": str(tmp_path / "state"),
    }


async def run(tmp_path: Path, *arguments: str, **login: str) -> Images:
    """What the command says of the images."""
    return (await bulkrm(*arguments, "-o", "json", env=environment(tmp_path, **login))).images


def patient(**more: Any) -> Options:
    """A run whose waiting takes no time."""
    return Options(clock=FakeClock(auto=True), **more)


async def listed(sandbox: Sandbox, options: Options | None = None) -> Images:
    """Delete `team/app:1` from the sandbox."""
    done: Done = await delete(sandbox.host, f"- {APP}:1", options or patient())
    return done.images


async def bad_credentials(tmp_path: Path) -> Images:
    """A wrong password at the token server of a real registry."""
    async with RealRegistry(tmp_path / "r") as registry, Admin(registry.url) as admin:
        await admin.push(APP, oci_image(1), "1")
        return await run(tmp_path, f"{registry.host}/{APP}:1", password="wrong")


async def blobs_missing(tmp_path: Path) -> Images:
    """A real registry that has collected its garbage before the undo."""
    async with RealRegistry(tmp_path / "r") as registry, Admin(registry.url) as admin:
        await admin.push(APP, oci_image(1), "1")
        await run(tmp_path, f"{registry.host}/{APP}:1")
        await registry.collect_garbage()
        return await run(tmp_path, "undo")


async def certificate(tmp_path: Path) -> Images:
    """A real registry whose certificate nobody vouches for."""
    async with RealRegistry(tmp_path / "r", RealSettings(tls=True)) as registry:
        return await run(tmp_path, f"{registry.host}/{APP}:1")


async def connection_lost(_: Path) -> Images:
    """A registry that closes every connection."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(Drop(), path="manifests", times=None)
        return await listed(sandbox)


async def deletion_disabled(tmp_path: Path) -> Images:
    """A real registry as it is shipped."""
    async with (
        RealRegistry(tmp_path / "r", RealSettings(delete_enabled=False)) as registry,
        Admin(registry.url) as admin,
    ):
        await admin.push(APP, oci_image(1), "1")
        return await run(tmp_path, f"{registry.host}/{APP}:1")


async def digest_mismatch(_: Path) -> Images:
    """A registry that promises another digest than that of what it sends."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        sandbox.faults.add(LieAboutDigest("sha256:" + "1" * 64), method="GET", path="manifests", times=None)
        return await listed(sandbox)


async def no_catalog(tmp_path: Path) -> Images:
    """A real registry, and a user who may not list its repositories."""
    users = {"ci": User.allowed("ci", {"team/*": ["pull", "delete"]})}
    async with RealRegistry(tmp_path / "r", users=users) as registry:
        return await run(tmp_path, f"{registry.host}/team/*:1", user="ci", password="ci")


async def not_a_manifest(tmp_path: Path) -> Images:
    """The digest of a configuration, which Docker shows as the ID of an image, at a real registry."""
    async with RealRegistry(tmp_path / "r") as registry, Admin(registry.url) as admin:
        image = oci_image(1)
        await admin.push(APP, image, "1")
        config = json.loads(image.content)["config"]["digest"]
        return await run(tmp_path, f"{registry.host}/{APP}@{config}")


async def not_a_registry(tmp_path: Path) -> Images:
    """A web server that knows nothing of such paths."""
    missing = reply(404, HTML, PAGE)
    script = [Step("GET /v2/", reply(404, HTML, PAGE + b"\n")), Step(f"GET /v2/{APP}/manifests/1", missing)]
    async with ScriptedServer(script) as server:
        return await run(tmp_path, f"{server.host}/{APP}:1", "--plain-http")


async def not_permitted(tmp_path: Path) -> Images:
    """A real registry, and a user who may pull and push."""
    users = {"admin": User("admin"), "ci": User.allowed("ci", {"*": ["pull", "push"]})}
    async with RealRegistry(tmp_path / "r", users=users) as registry, Admin(registry.url) as admin:
        await admin.push(APP, oci_image(1), "1")
        return await run(tmp_path, f"{registry.host}/{APP}:1", user="ci", password="ci")


async def not_recorded(tmp_path: Path) -> Images:
    """A folder that stands where the record is to be written."""
    async with Sandbox() as sandbox:
        fill(sandbox)

        async def in_the_way(_: ServerRequest) -> None:
            (folder,) = (tmp_path / "state" / "runs").iterdir()
            (folder / "plan.part").mkdir()

        sandbox.faults.add(Call(in_the_way), method="GET", path="manifests/1")
        return await run(tmp_path, f"{sandbox.host}/{APP}:1")


async def not_supported(_: Path) -> Images:
    """A registry that has no DELETE, and says of what it has that it is not there."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        sandbox.faults.add(Reply(404, body=LIKE_UNKNOWN), method="DELETE", times=None)
        return await listed(sandbox)


async def rate_limited(_: Path) -> Images:
    """A registry that wants a day of silence."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(Reply(429, {"Retry-After": "86400"}), path="manifests", times=None)
        return await listed(sandbox)


async def read_only(tmp_path: Path) -> Images:
    """A real registry in its read-only mode."""
    async with RealRegistry(tmp_path / "r") as registry, Admin(registry.url) as admin:
        await admin.push(APP, oci_image(1), "1")
        await registry.restart(read_only=True)
        return await run(tmp_path, f"{registry.host}/{APP}:1")


async def redirected(_: Path) -> Images:
    """A registry that has moved."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(Reply(301, {"Location": "https://elsewhere.example/"}), path="manifests", times=None)
        return await listed(sandbox)


async def refused(_: Path) -> Images:
    """The child of an index that stays by itself, at a registry like zot."""
    async with Sandbox(SandboxSettings(keeps_children=True)) as sandbox:
        index = oci_index(1)
        put_image(sandbox.store, APP, [], index)
        child = index.children[0].digest
        done = await delete(sandbox.host, f"- {APP}@{child}", patient())
        return done.images


async def server_error(_: Path) -> Images:
    """A registry that breaks down."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(Reply(500), path="manifests", times=None)
        return await listed(sandbox)


async def siblings_removed(_: Path) -> Images:
    """A registry that deletes the image where one of its tags was to go."""
    async with Sandbox(SandboxSettings(tag_deletes=True, tag_delete_takes_all=True)) as sandbox:
        put_image(sandbox.store, APP, ["1", "latest"], oci_image(1))
        return await listed(sandbox, patient(shared=Shared.UNTAG))


async def tags_remain(_: Path) -> Images:
    """A registry that deletes the manifest, goes on answering under its tag, and deletes no tags."""
    async with Sandbox(SandboxSettings(tags_survive_digest_delete=True)) as sandbox:
        fill(sandbox)
        return await listed(sandbox)


async def timeout(_: Path) -> Images:
    """A registry that does not answer in time."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(Delay(30), path="manifests", times=None)
        return await listed(sandbox, patient(timeout=0.05))


async def token_server(tmp_path: Path) -> Images:
    """A real registry whose token server signs with a key that the registry does not know."""
    async with RealRegistry(tmp_path / "r") as registry:
        registry.tokens.key = SigningKey.generate()
        return await run(tmp_path, f"{registry.host}/{APP}:1")


async def unconfirmed(_: Path) -> Images:
    """A registry that falls silent with the DELETE."""
    async with Sandbox() as sandbox:
        fill(sandbox)

        async def fall_silent(_: ServerRequest) -> None:
            sandbox.faults.add(Drop(), method="GET|HEAD", times=None)

        sandbox.faults.add(Call(fall_silent), method="DELETE", path=REAL)
        sandbox.faults.add(DropAfter(), method="DELETE", path=REAL, times=None)
        return await listed(sandbox)


async def unexpected_answer(_: Path) -> Images:
    """A login page in the registry's place."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(Reply(200, HTML, PAGE), path="manifests", times=None)
        return await listed(sandbox)


async def unfinished(_: Path) -> Images:
    """A registry that deletes the tags and not the manifest, and a run that stops at its first failure."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        held = {tag: put_image(sandbox.store, APP, [tag], oci_image(int(tag))) for tag in "123"}
        sandbox.faults.add(Reply(409), method="DELETE", path=held["2"], times=None)
        options = patient(strategy=Strategy.TAGS_FIRST, fail_fast=True, concurrency=1)
        done = await delete(sandbox.host, f"- {APP}:*", options)
        return [image for image in done.images if (image["error"] or {}).get("code") == "unfinished"]


async def unreachable(_: Path) -> Images:
    """A port on which nobody listens; the name of a host that does not exist would be asked of the network."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    return (await delete(host, f"- {APP}:1", patient())).images


async def unsafe_realm(tmp_path: Path) -> Images:
    """A registry with HTTPS that sends passwords to a token server with plain HTTP."""
    async with Sandbox(SandboxSettings(tls=True, realm="http://127.0.0.1:9/token")) as sandbox:
        return await run(tmp_path, f"{sandbox.host}/{APP}:1", "--insecure")


def fill(sandbox: Sandbox) -> None:
    """Put an image there."""
    put_image(sandbox.store, APP, ["1"], oci_image(1))


PROVOCATIONS: dict[str, Callable[[Path], Awaitable[Images]]] = {
    "bad-credentials": bad_credentials,
    "blobs-missing": blobs_missing,
    "certificate": certificate,
    "connection-lost": connection_lost,
    "deletion-disabled": deletion_disabled,
    "digest-mismatch": digest_mismatch,
    "no-catalog": no_catalog,
    "not-a-manifest": not_a_manifest,
    "not-a-registry": not_a_registry,
    "not-permitted": not_permitted,
    "not-recorded": not_recorded,
    "not-supported": not_supported,
    "rate-limited": rate_limited,
    "read-only": read_only,
    "redirected": redirected,
    "refused": refused,
    "server-error": server_error,
    "siblings-removed": siblings_removed,
    "tags-remain": tags_remain,
    "timeout": timeout,
    "token-server": token_server,
    "unconfirmed": unconfirmed,
    "unexpected-answer": unexpected_answer,
    "unfinished": unfinished,
    "unreachable": unreachable,
    "unsafe-realm": unsafe_realm,
}
UNPROVOKED = {"plugin-error": "it needs an installed plugin: see test_failing_plugins"}


def test_every_code_is_provoked() -> None:
    """The set of codes is closed: each is provoked here, or it is said where else."""
    assert {*PROVOCATIONS, *UNPROVOKED} == set(FailureCode)
    assert all(UNPROVOKED.values())
    assert not PROVOCATIONS.keys() & UNPROVOKED.keys()


@pytest.mark.parametrize("code", PROVOCATIONS)
async def test_a_code(code: str, tmp_path: Path) -> None:
    """Its image fails with it, with a message of one line and a hint at what to do."""
    images = await PROVOCATIONS[code](tmp_path)

    assert images
    for image in images:
        assert (image["status"], image["error"]["code"]) == ("failed", code)
        assert image["error"]["message"].isprintable()
        assert image["hint"]


# What real registries say


async def test_keys_with_a_path_at_a_real_registry(tmp_path: Path) -> None:
    """Each repository of a real registry is spoken of with the credentials of the most specific key."""
    rights = {"team-a/app": "a", "team-a/x/app": "x", "team-ab/app": "host"}
    users = {user: User.allowed(f"pw-{user}", {path: ["pull", "delete"]}) for path, user in rights.items()}
    async with (
        RealRegistry(tmp_path / "r", users={"admin": User("admin"), **users}) as registry,
        Admin(registry.url) as admin,
    ):
        keys = {"/team-a": "a", "": "host", "/team-a/x": "x"}
        auths = {
            registry.host + key: {"auth": base64.b64encode(f"{user}:pw-{user}".encode()).decode()}
            for key, user in keys.items()
        }
        (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
        for number, path in enumerate(rights):
            await admin.push(path, oci_image(number), "1")
        registry.tokens.log.clear()

        result = await bulkrm(
            *(f"{registry.host}/{path}:1" for path in rights), "-o", "json", env={"DOCKER_CONFIG": str(tmp_path)}
        )

        assert result.statuses == {f"{path}:1": "deleted" for path in rights}
        assert {line.scope.split(":")[1]: line.account for line in registry.tokens.log} == rights
        for path in rights:
            assert await admin.digest(path, "1") is None


async def test_a_ready_token_at_a_real_registry(tmp_path: Path) -> None:
    """A token that somebody got ready deletes at a real registry, and no token server is asked."""
    async with RealRegistry(tmp_path / "r") as registry, Admin(registry.url) as admin:
        await admin.push(APP, oci_image(1), "1")
        token = await admin.token(registry.realm, f"repository:{APP}:pull,delete")
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: {"registrytoken": token}}}))
        registry.tokens.log.clear()

        result = await bulkrm(f"{registry.host}/{APP}:1", "-o", "json", env={"DOCKER_CONFIG": str(tmp_path)})

        assert result.statuses == {f"{APP}:1": "deleted"}
        assert registry.tokens.log == []
        assert await admin.digest(APP, "1") is None


async def test_undo_without_push_at_a_real_registry(tmp_path: Path) -> None:
    """The right that is missing is named, with its repository, after one PUT."""
    async with RealRegistry(tmp_path / "r") as registry, Admin(registry.url) as admin:
        await admin.push(APP, oci_image(1), "1")
        assert (await bulkrm(f"{registry.host}/{APP}:1", env=environment(tmp_path))).code == 0
        registry.tokens.users["admin"] = User.allowed("admin", {"*": ["pull", "delete"]})

        (image,) = await run(tmp_path, "undo")

    assert image["error"]["code"] == "not-permitted"
    assert image["error"]["message"] == "HTTP 401: the token does not allow push"
    assert f"the user needs push on {registry.host}/{APP}" in image["hint"]


async def test_a_wrong_password_at_a_real_basic_registry(tmp_path: Path) -> None:
    """A real htpasswd registry takes the right password and refuses the wrong one, once for all images."""
    async with RealRegistry(tmp_path / "r", RealSettings(auth=Auth.BASIC)) as registry, Admin(registry.url) as admin:
        for number in range(5):
            await admin.push(f"app-{number}", oci_image(number), "1")
        names = [f"{registry.host}/app-{number}:1" for number in range(5)]

        wrong = await bulkrm(*names, "-v", "-o", "json", env=environment(tmp_path, password="wrong-one"))
        right = await bulkrm(*names, "-o", "json", env=environment(tmp_path))

    assert {image["error"]["code"] for image in wrong.images} == {"bad-credentials"}
    assert wrong.report["requests"]["registry"] <= 3  # HTTPS is tried first
    assert {image["status"] for image in right.images} == {"deleted"}


# What comes in a registry's place


@pytest.mark.parametrize("status", [403, 401])
async def test_a_web_page_in_the_registrys_place(status: int, tmp_path: Path) -> None:
    """A refusal by a proxy, a firewall or a login page says what came, and that it may not be the registry's."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox)
        sandbox.faults.add(Reply(status, HTML, PAGE), method="DELETE", times=None)

        (image,) = await run(tmp_path, f"{sandbox.host}/{APP}:1")

    assert image["error"]["message"] == f"HTTP {status}: a web page came: Sign in to Example"
    assert "a proxy, a firewall or a login page answers in the registry's place" in image["hint"]
    assert f"delete on {sandbox.host}/{APP}" in image["hint"]


@pytest.mark.parametrize("path", ["manifests", "tags/list", "_catalog"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(200, HTML, PAGE), "a web page came: Sign in to Example"),
        (Reply(200, {"Content-Type": "application/json"}, b'{"message": "under maintenance"}'), "under maintenance"),
    ],
)
async def test_a_success_that_is_none(path: str, answer: Reply, said: str, tmp_path: Path) -> None:
    """A login page or a message with status 200 says what came instead of what was asked for."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox)
        sandbox.faults.add(answer, path=path, times=None)
        wanted = {"manifests": f"{APP}:1", "tags/list": f"{APP}:*", "_catalog": "team/*:1"}[path]

        (image,) = await run(tmp_path, f"{sandbox.host}/{wanted}")

    assert image["error"]["code"] == "unexpected-answer"
    assert image["error"]["message"].endswith(said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"errors": [{"status": 409, "message": "in use by pod 7"}]}', "in use by pod 7"),
        (b'{"error": "in use by pod 7"}', "in use by pod 7"),
        (b'{"message": "in use by pod 7"}', "in use by pod 7"),
    ],
)
async def test_a_message_without_a_code(body: bytes, said: str, tmp_path: Path) -> None:
    """It stands in the report."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        sandbox.faults.add(Reply(409, body=body), method="DELETE", times=None)

        (image,) = await run(tmp_path, f"{sandbox.host}/{APP}:1")

    assert image["error"] == {"code": "refused", "message": f"HTTP 409: {said}", "status": 409}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Reply(200, body=b'{"errors": [{"code": "DENIED", "message": "the account is locked"}]}'),
            "the account is locked",
        ),
        (Reply(200, body=b'{"errors": [{"message": "the account is locked"}]}'), "the account is locked"),
        (Reply(200, HTML, PAGE), "a web page came: Sign in to Example"),
        (Reply(401, body=b'{"details": "the account is locked"}'), "the account is locked"),
        (Reply(418, body=b'{"error": "the account is locked"}'), "the account is locked"),
        (Reply(403, HTML, PAGE), "a web page came: Sign in to Example"),
    ],
)
async def test_a_token_server_that_says_why(answer: Reply, said: str, tmp_path: Path) -> None:
    """What it says stands in the message, behind who it is and who named it."""
    async with Sandbox(SandboxSettings(own_token_port=True)) as sandbox:
        sandbox.tokens.faults.add(answer, times=None)

        (image,) = await run(tmp_path, f"{sandbox.host}/{APP}:1")

        server = sandbox.realm.removeprefix("http://").partition("/")[0]
    message = image["error"]["message"]
    assert f"the token server {server} that {sandbox.host} names" in message
    assert said in message


async def test_a_token_server_that_cannot_be_reached() -> None:
    """It is named as the token server of the registry: the registry itself answers."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with Sandbox(SandboxSettings(realm=f"http://127.0.0.1:{port}/token")) as sandbox:
        (image,) = (await delete(sandbox.host, f"- {APP}:1", patient())).images

    assert image["error"]["code"] == "unreachable"
    assert image["error"]["message"].startswith(f"the token server 127.0.0.1:{port} that {sandbox.host} names: ")


async def test_a_token_server_that_limits() -> None:
    """It is named, and what it wants."""
    async with Sandbox() as sandbox:
        sandbox.tokens.faults.add(Reply(403, {"Retry-After": "7200"}), times=None)
        (image,) = await listed(sandbox)

    assert image["error"]["code"] == "rate-limited"
    assert f"the token server {sandbox.host} that {sandbox.host} names asks to wait 7200 s" in image["error"]["message"]


async def test_a_password_that_is_repeated(tmp_path: Path) -> None:
    """A registry and a token server that repeat what they were sent are not quoted with it."""
    secret = "s3cr3t-Zebra"
    basic = base64.b64encode(f"admin:{secret}".encode()).decode()

    async def echoed(sandbox: Sandbox, asked: str) -> Result:
        body = json.dumps({"errors": [{"code": "X", "message": f"no: {secret} Basic {basic}"}]}).encode()
        where = sandbox.tokens.faults if asked == "token" else sandbox.faults
        where.add(Reply(418, body=body), path="manifests|token", times=None)
        return await bulkrm(f"{sandbox.host}/{APP}:1", "-v", "-o", "json", env=environment(tmp_path, password=secret))

    for auth, asked in ((Auth.TOKEN, "token"), (Auth.BASIC, "registry")):
        async with Sandbox(SandboxSettings(auth=auth), users={"admin": User(secret)}) as sandbox:
            result = await echoed(sandbox, asked)

        assert "X no: ***" in result.images[0]["error"]["message"]
        assert secret not in result.out + result.err
        assert basic not in result.out + result.err


async def test_a_secondary_limit_is_waited_for() -> None:
    """A 403 that asks to wait is waited for, and the image goes."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        clock = FakeClock(auto=True)
        sandbox.faults.add(Reply(403, {"Retry-After": "60"}), method="DELETE", path=REAL)

        (image,) = await listed(sandbox, Options(clock=clock))

    assert image["status"] == "deleted"
    assert sum(clock.slept) >= 60


async def test_all_or_nothing_names_the_repository(tmp_path: Path) -> None:
    """A token server that gives no weaker token is not taken for one that does not know the user."""
    users = {"ci": User.allowed("ci", {"*": ["pull"]})}
    async with Sandbox(users=users, token_settings=TokenSettings(all_or_nothing=True)) as sandbox:
        (image,) = await run(tmp_path, f"{sandbox.host}/{APP}:1", user="ci", password="ci")

    assert image["error"]["code"] == "not-permitted"
    assert f"needs pull and delete on {sandbox.host}/{APP}" in image["hint"]
