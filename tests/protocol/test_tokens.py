"""Tokens: one for each repository, fetched once, renewed in time, and never sent elsewhere."""

import asyncio
import json
from contextlib import suppress
from urllib.parse import parse_qs

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Connection, Login, Pacing
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending
from bulkrm.sandbox import (
    ANONYMOUS,
    Auth,
    Call,
    Drop,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    TokenSettings,
    User,
)
from tests.protocol.opening import app, failure_of, fill, opened
from tests.support.clock import FakeClock
from tests.support.giving_up import SECONDS
from tests.support.scripted import Close, Raw, ScriptedServer, Step, reply

BOTH = "repository:team/app:delete,pull"
NONE_THERE = reply(404, body=b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
ZERO = Digest("sha256:" + "0" * 64)


def token(text: str, **more: object) -> bytes:
    """A token server's answer."""
    return json.dumps({"token": text, **more}).encode()


async def failing(registry: Registry, tag: str = "1", path: str = "team/app") -> FailureCode:
    """The code that reading a tag fails with."""
    with pytest.raises(RequestFailed) as caught:
        await registry.manifest(app(registry.host.name, path), tag)
    assert failure_of(caught.value).hint
    return failure_of(caught.value).code


async def test_one_token_for_a_hundred_tasks() -> None:
    """However many tasks read and delete in one repository, its token is fetched once, for both."""
    async with Sandbox() as sandbox, opened() as registries:
        digests = fill(sandbox, *(f"t{number}" for number in range(100)))
        registry = registries[sandbox.host]

        async def work(tag: str) -> None:
            manifest = await registry.manifest(app(sandbox), tag)
            assert manifest is not None
            await registry.delete(app(sandbox), manifest.digest, Sending())

        async with asyncio.TaskGroup() as tasks:
            for tag in digests:
                tasks.create_task(work(tag))

        assert [(line.scope, line.account, line.status) for line in sandbox.tokens.log] == [(BOTH, "admin", 200)]
        assert sandbox.store.digests("team/app") == frozenset()
        assert registries.requests.token == 1
        assert registries.requests.registry == len(sandbox.log) == 201


async def test_one_token_for_each_repository() -> None:
    """Each repository has a token of its own, with one scope in each request."""
    async with Sandbox() as sandbox, opened() as registries:
        for path in ("a", "b"):
            fill(sandbox, "1", repository=path)
            await registries[sandbox.host].manifest(app(sandbox, path), "1")

        assert [line.scope for line in sandbox.tokens.log] == ["repository:a:delete,pull", "repository:b:delete,pull"]


async def test_every_request_brings_its_token() -> None:
    """After the first one no request is sent bare: none is challenged."""
    async with Sandbox() as sandbox, opened() as registries:
        fill(sandbox, "1", "2")
        for tag in ("1", "2"):
            await registries[sandbox.host].manifest(app(sandbox), tag)

        assert [line.status for line in sandbox.log] == [401, 200, 200]


async def test_tokens_that_end_in_the_middle() -> None:
    """Tokens that end while the run goes on are renewed before they are refused, one request each time."""
    clock = FakeClock()
    settings = SandboxSettings(leeway=0)
    tokens = TokenSettings(lifetime=30)
    async with (
        Sandbox(settings, token_settings=tokens, clock=clock.wall) as sandbox,
        opened(clock=clock) as registries,
    ):
        fill(sandbox, "1")
        for _ in range(10):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(5):
                    tasks.create_task(registries[sandbox.host].manifest(app(sandbox), "1"))
            clock.skip(10)

        assert [line.status for line in sandbox.log[1:]] == [200] * 50
        assert len(sandbox.tokens.log) == 4


async def test_a_token_that_ends_at_the_door() -> None:
    """A token that ended while its request waited for a slot is not sent: a new one is."""
    clock = FakeClock()
    tokens = TokenSettings(lifetime=30)
    async with (
        Sandbox(SandboxSettings(leeway=0), token_settings=tokens, clock=clock.wall) as sandbox,
        opened(clock=clock) as registries,
    ):
        fill(sandbox, "1", repository="a")
        fill(sandbox, "1", repository="b")
        registry = registries[sandbox.host]
        await registry.manifest(app(sandbox, "a"), "1")
        registry.host.limiter.pause(100)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(registry.manifest(app(sandbox, "a"), "1"))
            await clock.until_asleep(1)
            await clock.advance(100)

        assert [line.status for line in sandbox.log] == [401, 200, 200]
        assert len(sandbox.tokens.log) == 2


async def test_a_hundred_refusals_renew_once() -> None:
    """A token that is revoked before its end is renewed once for a hundred parallel 401s."""
    async with Sandbox() as sandbox, opened(pacing=Pacing(concurrency=100)) as registries:
        fill(sandbox, "1")
        registry = registries[sandbox.host]
        await registry.manifest(app(sandbox), "1")
        sandbox.tokens.revoke()
        gathered = asyncio.Barrier(100)

        async def enforce_limit(_: ServerRequest) -> None:
            await gathered.wait()

        sandbox.faults.add(Call(enforce_limit), method="GET", path="manifests", times=100)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(100):
                tasks.create_task(registry.manifest(app(sandbox), "1"))

        assert [line.status for line in sandbox.log[2:]].count(401) == 100
        assert len(sandbox.tokens.log) == 2


async def test_a_renewed_token_is_for_all_requests() -> None:
    """After one request was refused and got a new token, requests with another method do not send the old one."""
    async with Sandbox() as sandbox, opened() as registries:
        fill(sandbox, "1")
        registry = registries[sandbox.host]
        await registry.head(app(sandbox), "1")
        await registry.manifest(app(sandbox), "1")
        sandbox.tokens.revoke()
        before = len(sandbox.log)

        manifest = await registry.manifest(app(sandbox), "1")
        assert manifest is not None
        await registry.head(app(sandbox), "1")
        await registry.delete(app(sandbox), manifest.digest, Sending())

        assert [(line.method, line.status) for line in sandbox.log[before:]] == [
            ("GET", 401),
            ("GET", 200),
            ("HEAD", 200),
            ("DELETE", 202),
        ]
        assert len(sandbox.tokens.log) == 2


@pytest.mark.parametrize("own_port", [True, False])
async def test_no_deadlock_at_one(own_port: bool) -> None:  # noqa: FBT001 (a table)
    """With one request at a time the token server is asked all the same, also on the registry's own port."""
    async with (
        Sandbox(SandboxSettings(own_token_port=own_port)) as sandbox,
        opened(pacing=Pacing(concurrency=1)) as registries,
    ):
        paths = [f"app{number}" for number in range(20)]
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
            for path in paths:
                fill(sandbox, "1", repository=path)
                tasks.create_task(registries[sandbox.host].manifest(app(sandbox, path), "1"))

        assert len(sandbox.tokens.log) == 20
        assert sandbox.max_in_flight == 1


async def test_two_registries_with_one_token_server() -> None:
    """A registry that announces another one's realm and service does not get the other one's token."""
    async with Sandbox() as good, ScriptedServer() as evil, opened() as registries:
        fill(good, "1")
        await registries[good.host].manifest(app(good), "1")
        challenge = {"WWW-Authenticate": f'Bearer realm="{good.realm}",service="sandbox"'}
        evil.expect(
            Step("GET /v2/", reply(401, challenge), authorization=None),
            Step("GET /v2/team/app/manifests/1", NONE_THERE),
        )
        await registries[evil.host].manifest(app(evil.host), "1")

        sent = evil.heard[1].authorization
        used = {line.token for line in good.log if line.token}
        assert [line.scope for line in good.tokens.log] == [BOTH, BOTH]
        assert sent is not None
        assert sent.startswith("Bearer ")
        assert len(used) == 1
        assert good._gate.fingerprint(sent.removeprefix("Bearer ")) not in used


async def test_who_fetches_is_cancelled() -> None:
    """When the task that fetches the token is cancelled, those who wait get theirs and not the cancellation."""
    async with Sandbox() as sandbox, opened() as registries:
        fill(sandbox, "1")
        registry = registries[sandbox.host]
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def enforce_limit(_: ServerRequest) -> None:
            asked.set()
            await go_on.wait()

        sandbox.tokens.faults.add(Call(enforce_limit))
        first = asyncio.create_task(registry.manifest(app(sandbox), "1"))
        await asked.wait()
        others = [asyncio.create_task(registry.manifest(app(sandbox), "1")) for _ in range(10)]
        await asyncio.sleep(0)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        go_on.set()

        async with asyncio.timeout(SECONDS):
            found = [await task for task in others]

        assert first.cancelled()
        assert None not in found
        assert len(sandbox.tokens.log) == 2


async def test_a_dead_token_server_is_asked_once() -> None:
    """A token server that fails is asked once for all who wait, however late they came to wait."""
    clock = FakeClock(auto=True)
    async with Sandbox(SandboxSettings(own_token_port=True)) as sandbox, opened(clock=clock) as registries:
        registry = registries[sandbox.host]
        await registry.manifest(app(sandbox, "other"), "1")
        sandbox.tokens.log.clear()
        sandbox.log.clear()
        late: list[asyncio.Task[FailureCode]] = []

        async def more(_: ServerRequest) -> None:
            late.extend(asyncio.create_task(failing(registry)) for _ in range(10))
            await asyncio.sleep(0)

        sandbox.tokens.faults.add(Call(more))
        sandbox.tokens.faults.add(Reply(503), times=None)
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
            early = [tasks.create_task(failing(registry)) for _ in range(10)]

        codes = [task.result() for task in early] + [await task for task in late]
        assert codes == [FailureCode.TOKEN_SERVER] * 20
        assert len(sandbox.tokens.log) == 5
        assert sandbox.log == []


async def test_a_dropping_token_server() -> None:
    """A token server that drops connections is asked again, with pauses."""
    clock = FakeClock(auto=True)
    async with Sandbox() as sandbox, opened(clock=clock) as registries:
        fill(sandbox, "1")
        sandbox.tokens.faults.add(Drop(), times=3)

        assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None
        assert clock.slept == [0.5, 1.0, 2.0]


# What token servers refuse


async def test_wrong_password() -> None:
    """A wrong password is bad credentials, for the whole host, and is not tried again."""
    async with Sandbox() as sandbox, opened(login=Login("admin", Secret("wrong"))) as registries:
        assert await failing(registries[sandbox.host]) is FailureCode.BAD_CREDENTIALS
        assert [line.status for line in sandbox.tokens.log] == [401]


async def test_anonymous() -> None:
    """Without credentials a token is asked for all the same, without any header."""
    users = {ANONYMOUS: User.allowed("", {"team/*": ["pull"]})}
    async with Sandbox(users=users) as sandbox, opened(login=None) as registries:
        fill(sandbox, "1")

        manifest = await registries[sandbox.host].manifest(app(sandbox), "1")

        assert manifest is not None
        assert [(line.scope, line.account) for line in sandbox.tokens.log] == [(BOTH, None)]
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].delete(app(sandbox), manifest.digest, Sending())
        assert failure_of(caught.value).code is FailureCode.NOT_PERMITTED


async def test_no_permission_to_delete() -> None:
    """A user without `delete` reads, and the refusal of the DELETE names the repository and the action."""
    users = {"admin": User.allowed("admin", {"*": ["pull", "push"]})}
    async with Sandbox(users=users) as sandbox, opened() as registries:
        digests = fill(sandbox, "1")
        registry = registries[sandbox.host]
        assert await registry.manifest(app(sandbox), "1") is not None

        with pytest.raises(RequestFailed) as caught:
            await registry.delete(app(sandbox), Digest(digests["1"]), Sending())

        failure = failure_of(caught.value)
        assert (failure.code, failure.reach) == (FailureCode.NOT_PERMITTED, Reach.REPOSITORY)
        assert f"delete on {sandbox.host}/team/app" in str(failure.hint)
        assert len(sandbox.tokens.log) <= 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(200, body=b"<html>"), FailureCode.TOKEN_SERVER),
        (Reply(200, body=b'{"token": ""}'), FailureCode.TOKEN_SERVER),
        (Reply(200, body=b'{"token": "a b"}'), FailureCode.TOKEN_SERVER),
        (Reply(403, body=b'{"errors": [{"code": "DENIED"}]}'), FailureCode.NOT_PERMITTED),
        (Reply(404), FailureCode.TOKEN_SERVER),
        (Reply(302, {"Location": "http://127.0.0.1:9/"}), FailureCode.TOKEN_SERVER),
    ],
)
async def test_token_servers_that_give_none(answer: Reply, code: FailureCode) -> None:
    """Every way not to get a token has its code, and the message names both hosts and shows no secret."""
    async with Sandbox() as sandbox, opened() as registries:
        sandbox.tokens.faults.add(answer, times=None)
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].manifest(app(sandbox), "1")

        assert failure_of(caught.value).code is code
        assert f"the token server {sandbox.host} that {sandbox.host} names" in failure_of(caught.value).message
        assert len(sandbox.tokens.log) == (2 if answer.status == 403 else 1)


async def test_a_token_of_plain_text() -> None:
    """A token server that calls its JSON text/plain is understood."""
    script = [
        Step("GET /v2/", reply(401, {"WWW-Authenticate": 'Bearer realm="{url}/token",service="s"'})),
        Step(
            f"GET /token?service=s&scope={BOTH}&client_id=bulkrm",
            reply(200, {"Content-Type": "text/plain"}, token("t1")),
            check=lambda heard: str(heard.authorization).startswith("Basic "),
        ),
        Step("GET /v2/team/app/manifests/1", NONE_THERE, authorization="Bearer t1"),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        assert await registries[server.host].manifest(app(server.host), "1") is None


async def test_a_token_that_ends_at_once() -> None:
    """A token with next to no life is used, and not renewed for ever without being sent."""
    script = [
        Step("GET /v2/", reply(401, {"WWW-Authenticate": 'Bearer realm="{url}/token"'})),
        Step(f"GET /token?scope={BOTH}&client_id=bulkrm", reply(200, body=token("t1", expires_in=1e-9))),
        Step("GET /v2/team/app/manifests/1", NONE_THERE, authorization="Bearer t1"),
    ]
    async with ScriptedServer(script) as server, opened(clock=FakeClock()) as registries:
        async with asyncio.timeout(SECONDS):
            await registries[server.host].manifest(app(server.host), "1")


async def test_a_relative_realm_with_a_query() -> None:
    """A relative realm is the registry's own, and the query that it brings is kept."""
    script = [
        Step("GET /v2/", reply(401, {"WWW-Authenticate": 'Bearer realm="/auth?tenant=7"'})),
        Step(f"GET /auth?tenant=7&scope={BOTH}&client_id=bulkrm", reply(200, body=token("t1"))),
        Step("GET /v2/team/app/manifests/1", NONE_THERE, authorization="Bearer t1"),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        await registries[server.host].manifest(app(server.host), "1")


# Registries that want something else


async def test_quay() -> None:
    """A token server that refuses `delete` with 400: from then on the scope is what the challenge asks for."""
    settings = SandboxSettings(delete_needs=("pull", "push"))
    async with Sandbox(settings, token_settings=TokenSettings(quay_actions=True)) as sandbox, opened() as registries:
        digests = fill(sandbox, "1", "2")
        registry = registries[sandbox.host]
        for tag in ("1", "2"):
            assert await registry.manifest(app(sandbox), tag) is not None
            assert await registry.delete(app(sandbox), Digest(digests[tag]), Sending()) is Removal.ACCEPTED

        assert [(line.scope, line.status) for line in sandbox.tokens.log] == [
            (BOTH, 400),
            ("repository:team/app:pull", 200),
            ("repository:team/app:pull,push", 200),
        ]
        assert [line.status for line in sandbox.log] == [401, 401, 200, 401, 202, 200, 202]


async def test_quay_with_many_tasks() -> None:
    """The same for many tasks at once: none of them fails because another one found it out first."""
    settings = SandboxSettings(delete_needs=("pull", "push"))
    async with Sandbox(settings, token_settings=TokenSettings(quay_actions=True)) as sandbox, opened() as registries:
        digests = fill(sandbox, *(f"t{number}" for number in range(20)))
        registry = registries[sandbox.host]
        async with asyncio.TaskGroup() as tasks:
            for digest in digests.values():
                tasks.create_task(registry.delete(app(sandbox), Digest(digest), Sending()))

        assert sandbox.store.digests("team/app") == frozenset()


async def test_quay_that_challenges_late() -> None:
    """The same where the first challenge comes with the first image: that image does not fail."""
    settings = SandboxSettings(delete_needs=("pull", "push"))
    async with Sandbox(settings, token_settings=TokenSettings(quay_actions=True)) as sandbox, opened() as registries:
        fill(sandbox, "1")
        sandbox.faults.add(Reply(200), path="/v2/$")

        assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None


async def test_a_token_server_that_takes_no_scope() -> None:
    """A token server that answers 400 to what the challenge asks for too is a failure, and no endless asking."""
    async with Sandbox() as sandbox, opened() as registries:
        sandbox.tokens.faults.add(Reply(400), times=None)

        assert await failing(registries[sandbox.host]) is FailureCode.TOKEN_SERVER
        assert [line.scope for line in sandbox.tokens.log] == [BOTH, "repository:team/app:pull"]


async def test_a_name_that_leads_nowhere() -> None:
    """A registry whose name does not resolve is unreachable, over HTTPS."""
    async with opened(connection=Connection(), clock=FakeClock(auto=True)) as registries:
        assert await failing(registries["nowhere.invalid"]) is FailureCode.UNREACHABLE
        assert registries["nowhere.invalid"].host.base == "https://nowhere.invalid"


async def test_zot() -> None:
    """zot: `scope=""`, no `error` where a permission is missing, and no challenge at all for an ended token."""
    challenge = {"WWW-Authenticate": 'Bearer realm="{url}/token",service="zot",scope=""'}
    asks = f"GET /token?service=zot&scope={BOTH}&client_id=bulkrm"
    get = "GET /v2/team/app/manifests/1"
    delete = f"DELETE /v2/team/app/manifests/{ZERO}"
    script = [
        Step("GET /v2/", reply(401, challenge), authorization=None),
        Step(asks, reply(200, body=token("t1"))),
        Step(get, reply(401, body=b'{"errors": [{"code": "UNSUPPORTED"}]}'), authorization="Bearer t1"),
        Step(asks, reply(200, body=token("t2"))),
        Step(get, NONE_THERE, authorization="Bearer t2"),
        Step(delete, reply(401, challenge), authorization="Bearer t2"),
        Step(asks, reply(200, body=token("t3"))),
        Step(delete, reply(401, challenge), authorization="Bearer t3"),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        registry = registries[server.host]
        assert await registry.manifest(app(server.host), "1") is None
        with pytest.raises(RequestFailed) as caught:
            await registry.delete(app(server.host), ZERO, Sending())

        assert failure_of(caught.value).code is FailureCode.NOT_PERMITTED


async def test_what_was_learned_is_asked_for_at_once() -> None:
    """A registry that wants `push` for DELETE is asked once what it wants; the next DELETE knows it."""
    async with Sandbox(SandboxSettings(delete_needs=("delete", "push"))) as sandbox, opened() as registries:
        digests = fill(sandbox, "1", "2")
        for digest in digests.values():
            await registries[sandbox.host].delete(app(sandbox), Digest(digest), Sending())
        fill(sandbox, "1", repository="other")
        other = sandbox.store.digest_of("other", "1")
        await registries[sandbox.host].delete(app(sandbox, "other"), Digest(str(other)), Sending())

        assert [line.status for line in sandbox.log] == [401, 401, 202, 202, 202]
        assert [line.scope for line in sandbox.tokens.log] == [
            BOTH,
            "repository:team/app:delete,pull,push",
            "repository:other:delete,pull,push",
        ]


async def test_basic() -> None:
    """A registry with Basic gets user and password with every request after the first."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox, opened() as registries:
        fill(sandbox, "1")

        assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None
        assert [(line.scheme, line.status) for line in sandbox.log] == [(None, 401), ("Basic", 200)]
        assert sandbox.tokens.log == []


@pytest.mark.parametrize("password", ["admin", "wrong"])
async def test_a_password_goes_alone_until_it_is_accepted(password: str) -> None:
    """Of twenty requests at once one goes with a new password; the others follow, or none of them if it was refused."""
    async with (
        Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox,
        opened(login=Login("admin", Secret(password))) as registries,
    ):
        fill(sandbox, "1")
        registry = registries[sandbox.host]
        begun: list[int] = []

        async def note(_: ServerRequest) -> None:
            begun.append(len(sandbox.log))

        sandbox.faults.add(Call(note), method="GET", path="manifests", times=20)
        found: list[bool] = []

        async def read() -> None:
            try:
                found.append(await registry.manifest(app(sandbox), "1") is not None)
            except RequestFailed:
                found.append(False)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(20):
                tasks.create_task(read())

        good = password == "admin"
        assert found == [good] * 20
        assert begun[:2] == ([1, 2] if good else [1])
        assert [line.status for line in sandbox.log] == [401, *([200] * 20 if good else [401])]


@pytest.mark.parametrize("login", [None, Login("admin", Secret("wrong")), Login("\u00fcser", Secret("p\u00e4ss"))])
async def test_basic_refused(login: Login | None) -> None:
    """A wrong password, and none at all, are bad credentials after one try."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox, opened(login=login) as registries:
        assert await failing(registries[sandbox.host]) is FailureCode.BAD_CREDENTIALS
        assert len(sandbox.log) == 2


async def test_no_authentication() -> None:
    """A registry that asks for nothing gets nothing, though there is a password."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox, opened() as registries:
        fill(sandbox, "1")

        assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None
        assert {line.scheme for line in sandbox.log} == {None}


async def test_a_challenge_that_comes_late() -> None:
    """A registry that challenges only where something is asked of it is answered then."""
    challenge = {"WWW-Authenticate": 'Bearer realm="{url}/token",scope="repository:team/app:pull"'}
    script = [
        Step("GET /v2/", reply(200, body=b"{}"), authorization=None),
        Step("GET /v2/team/app/manifests/1", reply(401, challenge), authorization=None),
        Step(f"GET /token?scope={BOTH}&client_id=bulkrm", reply(200, body=token("t1"))),
        Step("GET /v2/team/app/manifests/1", NONE_THERE, authorization="Bearer t1"),
        Step("GET /v2/team/app/manifests/2", NONE_THERE, authorization="Bearer t1"),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        for tag in ("1", "2"):
            await registries[server.host].manifest(app(server.host), tag)


async def test_a_late_basic_challenge_without_login() -> None:
    """A late Basic challenge to somebody without credentials is bad credentials."""
    script = [
        Step("GET /v2/", reply(200, body=b"{}")),
        Step("GET /v2/team/app/manifests/1", reply(401, {"WWW-Authenticate": 'Basic realm="x"'})),
    ]
    async with ScriptedServer(script) as server, opened(login=None) as registries:
        assert await failing(registries[server.host]) is FailureCode.BAD_CREDENTIALS


async def test_a_challenge_that_turns_basic() -> None:
    """A registry that changes from Bearer to Basic gets Basic."""
    get = "GET /v2/team/app/manifests/1"
    script = [
        Step("GET /v2/", reply(401, {"WWW-Authenticate": 'Bearer realm="{url}/token"'})),
        Step(f"GET /token?scope={BOTH}&client_id=bulkrm", reply(200, body=token("t1"))),
        Step(get, reply(401, {"WWW-Authenticate": 'Basic realm="x"'}), authorization="Bearer t1"),
        Step(get, NONE_THERE, authorization="Basic YWRtaW46YWRtaW4="),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        await registries[server.host].manifest(app(server.host), "1")


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer service="s"',
        'Bearer realm=""',
        'Bearer realm="ftp://127.0.0.1/token"',
        'Bearer realm="http://user:pw@127.0.0.1/token"',
        'Bearer realm="http://[::1/token"',
        'Bearer realm="http://x y/token"',
    ],
)
async def test_a_realm_that_is_none(challenge: str) -> None:
    """A challenge without a usable realm costs no request and sends no password."""
    script = [Step("GET /v2/", reply(401, {"WWW-Authenticate": challenge}))]
    async with ScriptedServer(script) as server, opened() as registries:
        assert await failing(registries[server.host]) is FailureCode.UNSAFE_REALM


async def test_bytes_that_are_no_text() -> None:
    """A challenge with bytes that are no UTF-8 in its parameters is no crash."""
    challenge = (
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="/token",service="\xff\xfe"\r\nContent-Length: 0\r\n\r\n'
    )
    script = [
        Step("GET /v2/", reply(200)),
        Step("GET /v2/team/app/manifests/1", Raw(challenge)),
        Step(f"GET /token?service=%3F%3F&scope={BOTH}&client_id=bulkrm", reply(200, body=token("t1"))),
        Step("GET /v2/team/app/manifests/1", NONE_THERE, authorization="Bearer t1"),
    ]
    async with ScriptedServer(script) as server, opened() as registries:
        await registries[server.host].manifest(app(server.host), "1")


async def test_an_http_realm_of_an_https_registry() -> None:
    """A registry with HTTPS that announces a token server with HTTP gets no password sent there."""
    async with (
        ScriptedServer() as eavesdropper,
        Sandbox(SandboxSettings(tls=True, realm=f"{eavesdropper.url}/token")) as sandbox,
        opened(connection=Connection(insecure=True)) as registries,
    ):
        assert await failing(registries[sandbox.host]) is FailureCode.UNSAFE_REALM
        assert eavesdropper.heard == []


async def test_a_realm_is_judged_once() -> None:
    """A realm that is refused is refused for every image, and nobody is asked."""
    async with Sandbox(SandboxSettings(tls=True, realm="http://127.0.0.1:9/token")) as sandbox:
        connection = Connection(insecure=True)
        async with opened(connection=connection) as registries, asyncio.TaskGroup() as tasks:
            found = [tasks.create_task(failing(registries[sandbox.host], path=path)) for path in ("a", "b", "a")]

        assert {task.result() for task in found} == {FailureCode.UNSAFE_REALM}
        assert len(sandbox.log) == 1  # the challenge


async def test_the_query_of_a_token_request() -> None:
    """A token request has service, scope and client, no account, and the password only in its header."""
    seen: list[ServerRequest] = []

    async def look(asked: ServerRequest) -> None:
        seen.append(asked)

    async with Sandbox() as sandbox, opened() as registries:
        fill(sandbox, "1")
        sandbox.tokens.faults.add(Call(look))
        await registries[sandbox.host].manifest(app(sandbox), "1")

    assert parse_qs(seen[0].query) == {"service": ["sandbox"], "scope": [BOTH], "client_id": ["bulkrm"]}
    assert seen[0].headers["authorization"] == "Basic YWRtaW46YWRtaW4="


async def test_a_catalog_token() -> None:
    """Listing repositories asks for the scope of the catalog."""
    async with Sandbox() as sandbox, opened() as registries:
        fill(sandbox, "1")

        assert await registries[sandbox.host].repositories() == ("team/app",)
        assert [line.scope for line in sandbox.tokens.log] == ["registry:catalog:*"]


async def test_a_host_that_does_not_answer_at_first() -> None:
    """A host that could not be met is met again by the next request."""
    clock = FakeClock(auto=True)
    script = [Step("GET /v2/", Close()) for _ in range(5)]
    async with ScriptedServer(script) as server, opened(clock=clock) as registries:
        assert await failing(registries[server.host]) is FailureCode.CONNECTION_LOST
        server.expect(Step("GET /v2/", reply(200)), Step("GET /v2/team/app/manifests/1", NONE_THERE))

        assert await registries[server.host].manifest(app(server.host), "1") is None
