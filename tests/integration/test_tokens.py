"""Tokens that end too early, token servers in strange places: no image fails, and no token goes astray."""

import base64
import json
from pathlib import Path

import pytest

from bulkrm.sandbox import (
    Call,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    SigningKey,
    TokenSettings,
    User,
    oci_image,
    put_image,
)
from tests.cli.command import bulkrm
from tests.integration.engine import Options, delete
from tests.support.admin import Admin, many_images
from tests.support.clock import FakeClock
from tests.support.real import RealRegistry

APP = "team/app"
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}
STRICT = SandboxSettings(leeway=0)


def fill(sandbox: Sandbox, number: int, repository: str = APP) -> None:
    """Put so many images into a repository."""
    for index in range(number):
        put_image(sandbox.store, repository, [f"t{index:03}"], oci_image(index, config_seed=0))


async def test_tokens_shorter_than_the_run() -> None:
    """Tokens that end several times during a run are renewed before they do: not one request is refused."""
    clock = FakeClock(auto=True)
    async with Sandbox(STRICT, token_settings=TokenSettings(lifetime=30), clock=clock.wall) as sandbox:
        fill(sandbox, 60)

        async def pass_time(_: ServerRequest) -> None:
            clock.skip(1.0)

        sandbox.faults.add(Call(pass_time), path="/manifests/", times=None)

        done = await delete(sandbox.host, f"  - {APP}:*\n", Options(clock=clock, concurrency=4))

        assert (done.code, set(done.statuses.values())) == (0, {"deleted"})
        assert 4 <= len(sandbox.tokens.log) <= 8
        assert [request for request in sandbox.log if request.status == 401 and request.path != "/v2/"] == []
        assert max(sandbox.tokens.max_in_flight.values()) == 1


async def test_tokens_of_five_seconds() -> None:
    """With many requests in flight tokens of five seconds are renewed in time, and by one request at a time."""
    clock = FakeClock(auto=True)
    async with Sandbox(STRICT, token_settings=TokenSettings(lifetime=5), clock=clock.wall) as sandbox:
        fill(sandbox, 400)

        async def pass_time(_: ServerRequest) -> None:
            clock.skip(0.02)

        sandbox.faults.add(Call(pass_time), path="/manifests/", times=None)

        done = await delete(sandbox.host, f"  - {APP}:*\n", Options(clock=clock, concurrency=200))

        assert (done.code, set(done.statuses.values())) == (0, {"deleted"})
        assert len(sandbox.tokens.log) >= 3
        assert max(sandbox.tokens.max_in_flight.values()) == 1


async def test_tokens_that_end_before_they_say() -> None:
    """Tokens that live a tenth of what the token server announces cost a refusal each, and no image."""
    clock = FakeClock(auto=True)
    settings = TokenSettings(lifetime=20, announced=3600)
    async with Sandbox(STRICT, token_settings=settings, clock=clock.wall) as sandbox:
        fill(sandbox, 50)

        async def pass_time(_: ServerRequest) -> None:
            clock.skip(1.0)

        sandbox.faults.add(Call(pass_time), path="/manifests/", times=None)

        done = await delete(sandbox.host, f"  - {APP}:*\n", Options(clock=clock, concurrency=4))

        assert (done.code, set(done.statuses.values())) == (0, {"deleted"})
        assert any(request.status == 401 for request in sandbox.log[2:])
        assert 4 <= len(sandbox.tokens.log) <= 12


async def test_revoked_in_the_middle() -> None:
    """All tokens revoked while deletions are under way: each repository renews once, and nothing fails."""
    async with Sandbox(STRICT) as sandbox:
        for number in range(3):
            fill(sandbox, 20, f"team/app-{number}")

        async def revoke(_: ServerRequest) -> None:
            sandbox.tokens.revoke()

        sandbox.faults.add(Call(revoke), method="DELETE", skip=10)

        result = await bulkrm(f"{sandbox.host}/team/*:*", "-o", "json", env=LOGIN)

        assert (result.code, result.report["summary"]["deleted"]) == (0, 60)
        scopes = [request.scope for request in sandbox.tokens.log if request.scope.startswith("repository:")]
        assert sorted(scopes) == sorted(
            f"repository:team/app-{number}:delete,pull" for number in (0, 1, 2) for _ in "12"
        )
        assert max(sandbox.tokens.max_in_flight.values()) == 1


async def test_refused_by_a_real_registry(tmp_path: Path) -> None:
    """A real registry that refuses the first token of every repository gets a new one, and no image fails."""
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        for number in range(3):
            await admin.push_many(f"team/app-{number}", many_images(f"t{index}" for index in range(20)))
        good, strange = registry.tokens.key, SigningKey.generate()
        seen: set[str] = set()

        async def choose(asked: ServerRequest) -> None:
            registry.tokens.key = good if asked.query in seen else strange
            seen.add(asked.query)

        registry.tokens.faults.before = choose
        before = len(registry.tokens.log)
        images = [f"{registry.host}/team/app-{number}:*" for number in range(3)]

        result = await bulkrm(*images, "-o", "json", env=LOGIN)

        assert (result.code, result.report["summary"]["deleted"]) == (0, 60)
        assert len(registry.tokens.log) - before == result.report["requests"]["token"] == 6


@pytest.mark.parametrize("concurrency", ["1", "200"])
async def test_as_many_tokens_as_repositories(concurrency: str, tmp_path: Path) -> None:
    """However many requests are in flight, each repository costs one token request."""
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        for number in range(12):
            await admin.push_many(f"team/app-{number}", many_images(f"t{index}" for index in range(8)))
        before = len(registry.tokens.log)
        images = [f"{registry.host}/team/app-{number}:*" for number in range(12)]

        result = await bulkrm(*images, "-c", concurrency, "-o", "json", env=LOGIN)

        assert (result.code, result.report["summary"]["deleted"]) == (0, 96)
        assert len(registry.tokens.log) - before == result.report["requests"]["token"] == 12
        assert max(registry.tokens.max_in_flight.values()) == 1


async def test_real_registry_with_short_tokens(tmp_path: Path) -> None:
    """A real registry whose tokens end after two or three seconds, while the run takes longer: no image fails."""
    # The registry grants 60 s more than a token has; the token server's clock is so far behind that little is left.
    settings = TokenSettings(lifetime=3, skew=-60, announced=300)
    async with RealRegistry(tmp_path / "registry", token_settings=settings) as registry, Admin(registry.url) as admin:
        await admin.push_many(APP, many_images(f"t{index}" for index in range(75)))
        before = len(registry.tokens.log)

        # A process of its own: the tokens end by the registry's clock, so the command has to wait by the same.
        result = await bulkrm(f"{registry.host}/{APP}:*", "--rate", "35", "-o", "json", env=LOGIN, afresh=True)

        assert (result.code, result.report["summary"]["deleted"]) == (0, 75)
        assert result.report["run"]["seconds"] > 3
        assert len(registry.tokens.log) - before > 1
        assert await admin.tags(APP) == set()


async def test_one_at_a_time_beside_the_token_server() -> None:
    """-c 1 with the token server on the registry's own host and port: no deadlock."""
    async with Sandbox() as sandbox:
        assert sandbox.realm.startswith(sandbox.url)
        for number in range(3):
            fill(sandbox, 5, f"team/app-{number}")
        sandbox.tokens.change(lifetime=1)  # so that every request needs a new one

        result = await bulkrm(f"{sandbox.host}/team/*:*", "-c", "1", "-o", "json", env=LOGIN)

        assert (result.code, result.report["summary"]["deleted"]) == (0, 15)
        assert sandbox.max_in_flight == 1


async def test_two_registries_with_one_realm_and_service(tmp_path: Path) -> None:
    """Neither of two registries that announce the same realm and service ever sees a token fetched for the other."""
    async with Sandbox() as one, Sandbox(SandboxSettings(realm=one.realm)) as two:
        two.tokens.key = one.tokens.key  # it trusts the same token server
        fill(one, 5)
        fill(two, 5)
        entry = {"auth": base64.b64encode(b"admin:admin").decode()}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {one.host: entry, two.host: entry}}))
        assert one.realm == two.realm

        result = await bulkrm(
            f"{one.host}/{APP}:*", f"{two.host}/{APP}:*", "-o", "json", env={"DOCKER_CONFIG": str(tmp_path)}
        )

        here, there = ({request.token for request in sandbox.log if request.token} for sandbox in (one, two))
        assert (result.code, result.report["summary"]["deleted"]) == (0, 10)
        assert (len(here), len(there), here & there) == (1, 1, set())
        assert len(one.tokens.log) == 2
        assert two.tokens.log == []


async def test_a_password_of_one_host_does_not_reach_another(tmp_path: Path) -> None:
    """Each registry's token server hears only of the user whom Docker's configuration has for that registry."""
    users = {"first": User("1st"), "second": User("2nd")}
    async with Sandbox(users=users) as one, Sandbox(users=users) as two:
        fill(one, 2)
        fill(two, 2)
        auths = {
            sandbox.host: {"auth": base64.b64encode(login).decode()}
            for sandbox, login in ((one, b"first:1st"), (two, b"second:2nd"))
        }
        (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))

        result = await bulkrm(
            f"{one.host}/{APP}:*", f"{two.host}/{APP}:*", "-o", "json", env={"DOCKER_CONFIG": str(tmp_path)}
        )

        assert result.code == 0
        assert {request.account for request in one.tokens.log} == {"first"}
        assert {request.account for request in two.tokens.log} == {"second"}
