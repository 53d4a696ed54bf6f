"""What a host made of its credentials, and what takes the place of those that ended."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from bulkrm.model.reference import Repository
from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Login
from bulkrm.protocol import message
from bulkrm.protocol.attempt import Attempt, BasicAuthorization, BearerAuthorization, ReadyAuthorization
from bulkrm.remote.auth.access import Access, Grant
from bulkrm.remote.auth.login_state import Logins
from bulkrm.remote.credentials import Credentials, DockerConfig
from tests.support.clock import FakeClock
from tests.support.helpers import BREAKS, HAS_NONE, install_helper

HOST = "r.example"
OLD = Login("me", Secret("pw-0"))
COUNTING = """cat > /dev/null; echo x >> "$0.asked"
printf '{"Username":"me","Secret":"pw-%s"}' "$(wc -l < "$0.asked" | tr -d ' ')"
"""


def helped(clock: FakeClock) -> Logins:
    """A host whose password a helper gave."""
    config = DockerConfig(helpers={HOST: "x"}, helped={HOST: OLD})
    return Logins(HOST, Credentials({}, config), clock)


async def test_a_refused_password_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper is asked again by the first who was refused, and all get what it says now."""
    install_helper(tmp_path, monkeypatch, "x", COUNTING)
    logins = helped(FakeClock())
    found: list[object] = []

    async def refused() -> None:
        found.append(await logins.refused(OLD))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(refused)

    assert found == [Login("me", Secret("pw-1"))] * 20
    assert logins.of(None) == logins.of(Repository(HOST, "team/app")) == Login("me", Secret("pw-1"))
    assert logins.state_of(OLD).refused
    assert logins.for_whole_host


async def test_a_password_that_was_never_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is refused sooner than a minute after it was asked for is not asked for again; a later one is."""
    install_helper(tmp_path, monkeypatch, "x", COUNTING)
    clock = FakeClock()
    logins = helped(clock)
    second = await logins.refused(OLD)
    assert isinstance(second, Login)

    assert await logins.refused(second) is None
    assert logins.state_of(second).refused

    clock.skip(3600)
    assert await logins.refused(second) == Login("me", Secret("pw-2"))


@pytest.mark.parametrize("script", [BREAKS, HAS_NONE, """printf '{"Username":"me","Secret":"pw-0"}'"""])
async def test_a_helper_that_has_nothing_else(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the refusal stands."""
    install_helper(tmp_path, monkeypatch, "x", script)
    logins = helped(FakeClock())

    assert await logins.refused(OLD) is None
    assert logins.state_of(OLD).refused


async def test_who_was_accepted_is_not_refused() -> None:
    """A user whom the host took before lacks a right, and no password."""
    logins = Logins(HOST, Credentials({HOST: OLD}, DockerConfig()), FakeClock())
    logins.state_of(OLD).accepted = True

    assert await logins.refused(OLD) is None
    assert logins.state_of(OLD).accepted
    assert not logins.state_of(OLD).refused


def test_one_goes_alone() -> None:
    """Until the host has taken a password one request goes with it at a time, and then all; a token never waits."""
    state = Logins(HOST, Credentials({HOST: OLD}, DockerConfig()), FakeClock()).state_of(OLD)
    password, token = Grant(BasicAuthorization(), state), Grant(ReadyAuthorization(), state)
    assert (password.goes_alone, token.goes_alone) == (True, False)

    state.accepted = True

    assert not password.goes_alone


def test_one_state_for_each_credential() -> None:
    """What one request found out about a credential is known to the next one with it, and to no other credential."""
    logins = Logins(HOST, Credentials({HOST: OLD}, DockerConfig()), FakeClock())
    logins.state_of(OLD).accepted = True

    assert logins.state_of(Login("me", Secret("pw-0"))).accepted
    assert not logins.state_of(Login("me", Secret("pw-1"))).accepted
    assert not logins.state_of(None).accepted


def test_retries() -> None:
    """What was done for requests of one kind is known to those with that token or scope, until one is not refused."""
    access, token, other = Access(), Secret("new"), Secret("other")
    wide, narrow = Scope.repository("team/app", "pull", "push"), Scope.repository("team/app", "pull")
    request = message.delete_manifest(Repository(HOST, "team/app"), "1")
    attempt = Attempt(request, HOST, BearerAuthorization(wide))
    assert access.marked(attempt, token) == attempt
    access.renewed, access.extended = token, wide

    assert access.marked(attempt, token) == replace(attempt, renewed=True, extended=True)
    assert access.marked(attempt, other) == replace(attempt, extended=True)
    assert access.marked(replace(attempt, renewed=True), None).renewed
    assert not access.marked(attempt, None).renewed
    before = Attempt(request, HOST, BearerAuthorization(narrow))
    assert access.marked(before, other) == before

    access.settled()
    assert access.marked(attempt, token) == attempt
