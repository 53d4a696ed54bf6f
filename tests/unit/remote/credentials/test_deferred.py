"""Sources of credentials that are asked while a run goes on."""

import anyio
import anyio.lowlevel
import pytest

from bulkrm.model.errors import InputError, Problem, RequestFailed
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, Login
from bulkrm.remote.credentials import Credentials, DockerConfig
from bulkrm.remote.credentials.deferred import DeferredSource

HOST = "r.example"
APP, WEB = Repository(HOST, "team/app"), Repository(HOST, "team/web")
OLD, NEW = Login("me", Secret("old")), Login("me", Secret("new"))


class Agent:
    """Answers with what it holds, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def login(self, host: str, repository: Repository | None) -> Credential | None:
        self.asked.append(f"{host}/{repository.path if repository else ''}")
        await anyio.lowlevel.checkpoint()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


async def test_each_repository_is_asked_for_once() -> None:
    """However many requests wait for it; what has credentials from an earlier source is not asked for at all."""
    agent = Agent(OLD)
    earlier = DockerConfig({"other.example": NEW})
    credentials = Credentials({}, earlier, DeferredSource("agent", agent.login))

    assert not credentials.is_prepared(HOST, "team/app")
    async with anyio.create_task_group() as group:
        for repository in (APP, APP, WEB):
            group.start_soon(credentials.prepare, HOST, repository)
    await credentials.prepare("other.example", None)

    assert sorted(agent.asked) == ["r.example/team/app", "r.example/team/web"]
    assert credentials.is_prepared(HOST, "team/app")
    assert credentials.login(HOST, "team/app") == OLD
    assert str(credentials.find(HOST, "team/app")) == "agent"
    assert credentials.login("other.example") == NEW
    assert not credentials.is_one_for_all(HOST)
    assert credentials.is_one_for_all("other.example")


async def test_what_it_does_not_know() -> None:
    """The next source is looked at, and it is not asked again."""
    agent = Agent(None)
    credentials = Credentials({}, DeferredSource("agent", agent.login), DockerConfig({HOST: NEW}))

    await credentials.prepare(HOST, APP)
    await credentials.prepare(HOST, APP)

    assert credentials.login(HOST, "team/app") == NEW
    assert len(agent.asked) == 1


async def test_a_refused_password_is_asked_for_again() -> None:
    """Once for all repositories that had it, and not again within a minute."""
    agent = Agent(OLD)
    credentials = Credentials({}, DeferredSource("agent", agent.login))
    await credentials.prepare(HOST, APP)
    await credentials.prepare(HOST, WEB)
    agent.answer = NEW

    assert await credentials.replacement(HOST, OLD, 100.0) == NEW
    assert await credentials.replacement(HOST, OLD, 101.0) == NEW
    assert await credentials.replacement(HOST, NEW, 130.0) is None
    assert [credentials.login(HOST, path) for path in ("team/app", "team/web")] == [NEW, NEW]
    assert len(agent.asked) == 3


@pytest.mark.parametrize(
    ("answer", "message", "reach"),
    [
        (InputError(Problem("", "it is sealed", "unseal it")), "it is sealed", Reach.REPOSITORY),
        (InputError(Problem("", "a\nb\x1b[31m", "")), "a b", Reach.REPOSITORY),
        ("admin:secret", "it gave str, which is no credential", Reach.HOST),
    ],
)
async def test_what_it_cannot_tell(answer: object, message: str, reach: Reach) -> None:
    """That is a failure in one clean line, which names the source and nothing that it gave."""
    credentials = Credentials({}, DeferredSource("agent", Agent(answer).login))

    with pytest.raises(RequestFailed) as caught:
        await credentials.prepare(HOST, APP)

    failure = caught.value.failure
    assert (failure.code, failure.reach) == (FailureCode.BAD_CREDENTIALS, reach)
    assert failure.message.startswith(f"credentials for {HOST} from agent: {message}")
    assert failure.message.isprintable()
    assert failure.hint
    assert "secret" not in failure.message


async def test_it_has_limited_time() -> None:
    """A source that does not answer fails the host."""

    async def never(_: str, __: Repository | None) -> Credential | None:
        await anyio.sleep_forever()
        return None

    with pytest.raises(RequestFailed, match="did not answer in 0 s"):
        await DeferredSource("agent", never, seconds=0).login(HOST, None)


async def test_a_user_who_was_named() -> None:
    """Nobody else's password is taken for him, and without his own the run does not begin."""
    source = DeferredSource("agent", Agent(OLD).login, {HOST: "you"})
    own = DeferredSource("agent", Agent(OLD).login, {HOST: "me"})

    assert await source.login(HOST, APP) is None
    await Credentials({}, own).refuse_users()
    with pytest.raises(InputError, match="no password for the user 'you'"):
        await Credentials({}, source).refuse_users()
