"""Who may not is told what is missing and where, is asked as seldom as can be, and is not told something else."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bulkrm.model.scope import Scope
from bulkrm.sandbox import ANONYMOUS, Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest, TokenSettings, User
from tests.cli.command import Command, Result, bulkrm, fill, sent, served, tags
from tests.support.helpers import install_helper
from tests.support.scripted import ScriptedServer, Step, reply

SECRET = "s3cr3t-Zebra"
READER = User.allowed("admin", {"*": ["pull"]})


def auth(user: str, password: str) -> dict[str, str]:
    """An entry of `auths`."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def configured(tmp_path: Path, body: dict[str, Any]) -> dict[str, str]:
    """Write Docker's configuration; return the environment that leads to it."""
    folder = tmp_path / "docker"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(body))
    return {"DOCKER_CONFIG": str(folder), "BULKRM_STATE_DIR": str(tmp_path / "state")}


def login(tmp_path: Path) -> dict[str, str]:
    """The environment of the user `admin`."""
    return {
        "REGISTRY_USERNAME": "admin",
        "REGISTRY_PASSWORD": "admin",
        "BULKRM_STATE_DIR": str(tmp_path / "state"),
    }


def failures(result: Result) -> set[str]:
    """The codes of all images."""
    return {image["error"]["code"] for image in result.images}


# Rights


@pytest.mark.parametrize("error", [True, False])
@pytest.mark.parametrize("scope", [True, False])
async def test_undo_without_push(tmp_path: Path, error: bool, scope: bool) -> None:  # noqa: FBT001 (a table)
    """It is the right to push that is missing, at once, whatever the registry's challenge says and does not say."""
    settings = SandboxSettings(error_in_challenge=error, scope_in_challenge=scope)
    env = login(tmp_path)
    async with Sandbox(settings) as sandbox:
        fill(sandbox, "1", "2", "3")
        assert (await bulkrm(f"{sandbox.host}/team/app:*", env=env)).code == 0
        sandbox.tokens.users["admin"] = User.allowed("admin", {"*": ["pull", "delete"]})
        sandbox.log.clear()

        result = await bulkrm("undo", "-o", "json", env=env)

    assert (result.code, failures(result)) == (1, {"not-permitted"})
    assert "does not allow push" in result.images[0]["error"]["message"]
    assert "pull" not in result.images[0]["error"]["message"]
    assert all(f"needs push on {sandbox.host}/team/app" in image["hint"] for image in result.images)
    assert len(sent(sandbox, "PUT")) <= 2 * 3


async def test_a_right_that_comes_with_the_next_token(tmp_path: Path) -> None:
    """A request that is taken back for a new token goes through with that, as often as tokens are revoked."""
    env = login(tmp_path)
    async with Sandbox(SandboxSettings(error_in_challenge=False)) as sandbox:
        fill(sandbox, *"123456")
        assert (await bulkrm(f"{sandbox.host}/team/app:*", env=env)).code == 0
        for skip in (0, 3):
            sandbox.faults.add(Reply(401), method="PUT", skip=skip)

        result = await bulkrm("undo", "-o", "json", env=env)

    assert (result.code, {image["status"] for image in result.images}) == (0, {"restored"})


@pytest.mark.parametrize("status", [401, 403])
def test_basic_for_reading_only(run: Command, status: int) -> None:
    """A Basic registry that lets a user read and refuses the DELETE does not complain about the password."""
    users = {"admin": READER}
    with served(SandboxSettings(auth=Auth.BASIC, basic_refusal=status), users=users) as sandbox:
        fill(sandbox, *"123")

        result = run(
            f"{sandbox.host}/team/app:*", "-u", "admin", "--password-stdin", "-o", "json", stdin=b"admin"
        )  # fmt: skip

        assert (result.code, failures(result)) == (1, {"not-permitted"})
        assert all(f"delete on {sandbox.host}/team/app" in image["hint"] for image in result.images)
        assert "docker_auth" not in result.out
        assert len(sent(sandbox)) <= 2
        assert tags(sandbox) == {"1", "2", "3"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_user_of_one_repository(run: Command, status: int) -> None:
    """Who is refused in one repository deletes in the others all the same."""
    users = {"admin": User.allowed("admin", {"mine/*": ["*"], "*": ["pull"]})}
    with served(SandboxSettings(auth=Auth.BASIC, basic_refusal=status), users=users) as sandbox:
        fill(sandbox, "1", repository="a/theirs")
        fill(sandbox, "1", repository="mine/app")

        result = run(
            f"{sandbox.host}/a/theirs:1",
            f"{sandbox.host}/mine/app:1",
            *("-u", "admin", "--password-stdin", "-o", "json"),
            stdin=b"admin",
        )

        assert result.statuses == {"a/theirs:1": "failed", "mine/app:1": "deleted"}


def test_a_token_server_that_gives_all_or_nothing(run: Command) -> None:
    """A token server's 403 for one repository bars no other, and does not say that the password must be wrong."""
    users = {"admin": User.allowed("admin", {"mine/*": ["pull", "delete"], "*": ["pull"]})}
    with served(users=users, token_settings=TokenSettings(all_or_nothing=True)) as sandbox:
        for path in ("a/1", "a/2", "a/3", "a/4", "mine/app"):
            fill(sandbox, "1", repository=path)

        result = run(
            *(f"{sandbox.host}/{path}:1" for path in ("a/1", "a/2", "a/3", "a/4", "mine/app")),
            *("-u", "admin", "--password-stdin", "-o", "json"),
            stdin=b"admin",
        )

    assert result.statuses["mine/app:1"] == "deleted"
    theirs = [image for image in result.images if "/a/" in image["image"]]
    assert {image["error"]["code"] for image in theirs} == {"not-permitted"}
    for image in theirs:
        assert f"pull and delete on {image['image'].rpartition(':')[0]} " in image["hint"]
        assert f"the token server {sandbox.host} that {sandbox.host} names: DENIED" in image["error"]["message"]


def test_a_wrong_password_that_is_a_403(run: Command) -> None:
    """A token server that answers 403 to a wrong password gets it a few times at most, and both causes are named."""
    with served(token_settings=TokenSettings(wrong_password=403)) as sandbox:
        paths = [f"app-{number}" for number in range(30)]
        for path in paths:
            fill(sandbox, "1", repository=path)

        result = run(
            *(f"{sandbox.host}/{path}:1" for path in paths),
            *("-u", "admin", "--password-stdin", "-o", "json"),
            stdin=SECRET.encode(),
        )

    assert failures(result) == {"not-permitted"}
    hints = [image["hint"] for image in result.images]
    assert all("password" in hint for hint in hints)
    assert "needs pull and delete on" in hints[0]
    assert len(sandbox.tokens.log) <= 6
    assert SECRET not in result.out + result.err


def test_a_catalog_without_the_right(run: Command) -> None:
    """Who may not list the repositories is told which scope that needs."""
    users = {"admin": User.allowed("admin", {"team/*": ["pull", "delete"]})}
    with served(users=users) as sandbox:
        fill(sandbox, "1")

        result = run(
            f"{sandbox.host}/team/*:1", "-u", "admin", "--password-stdin", "-o", "json", stdin=b"admin"
        )  # fmt: skip

    assert failures(result) == {"no-catalog"}
    assert "does not allow registry:catalog:*" in result.images[0]["error"]["message"]


@pytest.mark.parametrize("reads", [True, False])
def test_anonymous(run: Command, reads: bool) -> None:  # noqa: FBT001 (a table)
    """Without credentials the hint says so, and names the right and the repository as well."""
    rights = {"team/*": ["pull"]} if reads else {}
    with served(users={ANONYMOUS: User.allowed("", rights)}) as sandbox:
        fill(sandbox, "1")

        result = run(f"{sandbox.host}/team/app:1", "-o", "json")

    hint = result.images[0]["hint"]
    assert failures(result) == {"not-permitted"}
    assert "no credentials were given" in hint
    assert f"needs {'delete' if reads else 'pull'} on {sandbox.host}/team/app" in hint


@pytest.mark.parametrize("given", [True, False])
async def test_a_challenge_of_another_kind(tmp_path: Path, given: bool) -> None:  # noqa: FBT001 (a table)
    """A registry that wants Negotiate is named as one, and that the password was not sent."""
    refused = reply(401, {"WWW-Authenticate": "Negotiate"})
    script = [
        Step("GET /v2/", reply(401, {"WWW-Authenticate": "Negotiate"}, b"{}"), authorization=None),
        Step("GET /v2/team/app/manifests/1", refused, authorization=None),
    ]
    async with ScriptedServer(script) as server:
        result = await bulkrm(
            f"{server.host}/team/app:1", "--plain-http", "-o", "json", env=login(tmp_path) if given else {}
        )

    (image,) = result.images
    assert (result.code, image["error"]["code"]) == (1, "not-permitted")
    assert "wants Negotiate, and bulkrm speaks Basic and Bearer only" in image["error"]["message"]
    assert ("the user and password were not sent" in image["hint"]) == given


# Wrong passwords are tried once


@pytest.mark.parametrize("kind", [Auth.BASIC, Auth.TOKEN])
def test_a_wrong_password_is_tried_once(run: Command, kind: Auth) -> None:
    """However many repositories and requests there are, a wrong password is sent once: accounts get locked."""
    with served(SandboxSettings(auth=kind)) as sandbox:
        paths = [f"app-{number}" for number in range(20)]
        for path in paths:
            fill(sandbox, *"123", repository=path)

        result = run(
            *(f"{sandbox.host}/{path}:*" for path in paths),
            *("-u", "admin", "--password-stdin", "-o", "json"),
            stdin=SECRET.encode(),
        )

    tried = [line for line in sandbox.log if line.scheme == "Basic"] + [
        line for line in sandbox.tokens.log if line.account
    ]
    assert failures(result) == {"bad-credentials"}
    assert len(tried) == 1


def test_a_good_password_is_used_by_all(run: Command) -> None:
    """Once it was taken, requests with it go together again."""
    with served(SandboxSettings(auth=Auth.BASIC, latency=0.002)) as sandbox:
        fill(sandbox, *(f"t{number}" for number in range(40)))

        result = run(f"{sandbox.host}/team/app:*", "-u", "admin", "--password-stdin", stdin=b"admin")

    assert result.code == 0
    assert sandbox.max_in_flight > 4


# Keys with a path


@pytest.mark.parametrize("kind", [Auth.BASIC, Auth.TOKEN])
@pytest.mark.parametrize("turned", [False, True])
async def test_keys_with_a_path(kind: Auth, turned: bool, tmp_path: Path) -> None:  # noqa: FBT001 (a table)
    """Each repository is spoken of with the credentials of the most specific key, wherever that stands in the file."""
    paths = {"team-a/app": "a", "team-a/x/app": "x", "team-b/app": "b", "team-ab/app": "host"}
    users = {user: User.allowed(f"pw-{user}", {path: ["*"]}) for path, user in paths.items()}
    async with Sandbox(SandboxSettings(auth=kind, basic_refusal=403), users=users) as sandbox:
        keys = {"": "host", "/team-a": "a", "/team-a/x": "x", "/team-b/": "b"}
        pairs = [(sandbox.host + key, auth(user, f"pw-{user}")) for key, user in keys.items()]
        env = configured(tmp_path, {"auths": dict(reversed(pairs) if turned else pairs)})
        for path in paths:
            fill(sandbox, "1", repository=path)

        result = await bulkrm(*(f"{sandbox.host}/{path}:1" for path in paths), "-o", "json", env=env)

    assert result.statuses == {f"{path}:1": "deleted" for path in paths}
    asked = {line.scope.split(":")[1]: line.account for line in sandbox.tokens.log if line.scope}
    assert asked == (paths if kind is Auth.TOKEN else {})


async def test_a_repository_that_no_key_covers(tmp_path: Path) -> None:
    """It is asked for without credentials, and another team's are not used for it."""
    users = {"a": User("pw"), ANONYMOUS: User(acl=())}
    async with Sandbox(users=users) as sandbox:
        env = configured(tmp_path, {"auths": {f"{sandbox.host}/team-a": auth("a", "pw")}})
        fill(sandbox, "1", repository="team-a/app")
        fill(sandbox, "1", repository="team-ab/app")

        result = await bulkrm(
            f"{sandbox.host}/team-a/app:1", f"{sandbox.host}/team-ab/app:1", "-o", "json", env=env
        )  # fmt: skip

    assert result.statuses == {"team-a/app:1": "deleted", "team-ab/app:1": "failed"}
    assert f"needs pull on {sandbox.host}/team-ab/app" in result.images[1]["hint"]
    assert {line.account for line in sandbox.tokens.log if "team-ab" in line.scope} == {None}


@pytest.mark.parametrize("kind", [Auth.BASIC, Auth.TOKEN])
async def test_a_wrong_password_of_one_team(kind: Auth, tmp_path: Path) -> None:
    """It fails that team's repositories and nobody else's, and is tried once all the same."""
    users = {"a": User("pw"), "b": User("pw")}
    async with Sandbox(SandboxSettings(auth=kind), users=users) as sandbox:
        auths = {f"{sandbox.host}/team-a": auth("a", SECRET), f"{sandbox.host}/team-b": auth("b", "pw")}
        env = configured(tmp_path, {"auths": auths})
        paths = [f"team-{team}/app-{number}" for team in "ab" for number in range(5)]
        for path in paths:
            fill(sandbox, "1", repository=path)

        result = await bulkrm(*(f"{sandbox.host}/{path}:1" for path in paths), "-o", "json", env=env)

    words = {path[5]: image["status"] for path, image in zip(paths, result.images, strict=True)}
    assert words == {"a": "failed", "b": "deleted"}
    assert failures_of(result, "team-a") == {"bad-credentials"}
    if kind is Auth.TOKEN:
        assert len([line for line in sandbox.tokens.log if line.account == "a"]) == 1


def failures_of(result: Result, part: str) -> set[str]:
    """The codes of the images whose name has this in it."""
    return {image["error"]["code"] for image in result.images if part in image["image"]}


async def test_the_password_of_a_named_user(tmp_path: Path) -> None:
    """`-u NAME` takes the entries of that user, each for what its key covers."""
    users = {"a": User("pw-a"), "b": User("pw-b"), ANONYMOUS: User(acl=())}
    async with Sandbox(users=users) as sandbox:
        auths = {f"{sandbox.host}/team-{user}": auth(user, f"pw-{user}") for user in "ab"}
        env = configured(tmp_path, {"auths": auths})
        for user in "ab":
            fill(sandbox, "1", repository=f"team-{user}/app")

        result = await bulkrm(
            *(f"{sandbox.host}/team-{user}/app:1" for user in "ab"), "-u", "a", "-o", "json", env=env
        )  # fmt: skip

    assert result.statuses == {"team-a/app:1": "deleted", "team-b/app:1": "failed"}
    assert {line.account for line in sandbox.tokens.log} == {"a", None}


# What is wrong in the file


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"auth": "not base64!"}, ".auth: is no base64"),
        ({"auth": 5}, ".auth: is no text"),
        ([], ": is no JSON object"),
        ({"auth": "\ud800"}, ".auth: holds half a character"),
    ],
)
def test_an_entry_that_cannot_be_read(
    run: Command, token_sandbox: Sandbox, tmp_path: Path, entry: object, words: str
) -> None:
    """It is bad usage that names file and key, and nothing is sent."""
    configured(tmp_path, {"auths": {token_sandbox.host: entry}})

    result = run(f"{token_sandbox.host}/team/app:1")

    assert result.code == 2
    assert f'config.json: auths["{token_sandbox.host}"]{words}' in " ".join(result.err.split())
    assert token_sandbox.log == []


def test_an_entry_of_another_registry(run: Command, token_sandbox: Sandbox, tmp_path: Path) -> None:
    """An `auth` that cannot be decoded matters to whoever needs it, and to nobody else."""
    fill(token_sandbox, "1")
    configured(tmp_path, {"auths": {token_sandbox.host: auth("admin", "admin"), "other.example": {"auth": "!"}}})

    assert run(f"{token_sandbox.host}/team/app:1").code == 0


@pytest.mark.parametrize("body", ["", " \n"])
def test_an_empty_file(run: Command, sandbox: Sandbox, tmp_path: Path, body: str) -> None:
    """An empty config.json is one without credentials."""
    fill(sandbox, "1")
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(body)

    assert run(f"{sandbox.host}/team/app:1").code == 0


# A token that somebody got ready


async def test_a_ready_token(tmp_path: Path) -> None:
    """It goes to its registry, to no token server and to no other registry, and is shown nowhere."""
    stranger = reply(401, {"WWW-Authenticate": 'Bearer realm="{url}/token"'})
    script = [
        Step("GET /v2/", stranger, authorization=None),
        Step("GET /token?scope=repository:team/app:delete,pull&client_id=bulkrm", reply(403), authorization=None),
    ]
    async with Sandbox() as sandbox, ScriptedServer(script) as other:
        fill(sandbox, "1", "2")
        token = sandbox.tokens.token("admin", "sandbox", [Scope.repository("team/app", "pull", "delete")])
        env = configured(tmp_path, {"auths": {sandbox.host: {"registrytoken": token}}})

        result = await bulkrm(
            f"{sandbox.host}/team/app:*", f"{other.host}/team/app:1", "-v", "-o", "json", "--plain-http", env=env
        )

    assert result.statuses == {"team/app:1": "failed", "team/app:2": "deleted"}
    assert [image["status"] for image in result.images] == ["deleted", "deleted", "failed"]
    assert sandbox.tokens.log == []
    assert {line.scheme for line in sandbox.log} == {None, "Bearer"}
    assert token not in result.out + result.err
    assert not [heard for heard in other.heard if token in str(heard)]


@pytest.mark.parametrize(("rights", "code"), [(["pull"], "not-permitted"), (None, "bad-credentials")])
async def test_a_ready_token_that_does_not_do(rights: list[str] | None, code: str, tmp_path: Path) -> None:
    """One that allows too little, or is none any more, fails with what to do, and no token server is asked."""
    async with Sandbox() as sandbox:
        fill(sandbox, "1", "2")
        token = (
            SECRET if rights is None else sandbox.tokens.token("me", "sandbox", [Scope.repository("team/app", *rights)])
        )
        env = configured(tmp_path, {"auths": {sandbox.host: {"registrytoken": token}}})

        result = await bulkrm(f"{sandbox.host}/team/app:1", f"{sandbox.host}/team/app:2", "-o", "json", env=env)

    assert failures(result) == {code}
    assert sandbox.tokens.log == []
    assert token not in result.out + result.err
    assert ("registrytoken" in result.images[0]["error"]["message"]) == (rights is None)


async def test_a_ready_token_for_basic(tmp_path: Path) -> None:
    """A registry that wants user and password never gets it."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        fill(sandbox, "1")
        env = configured(tmp_path, {"auths": {sandbox.host: {"registrytoken": SECRET}}})

        result = await bulkrm(f"{sandbox.host}/team/app:1", "-o", "json", env=env)

    assert failures(result) == {"bad-credentials"}
    assert {line.scheme for line in sandbox.log} == {None}
    assert "ready token" in result.images[0]["error"]["message"]


# Helpers whose passwords end

COUNTING = """cat > /dev/null; echo x >> "$0.asked"
printf '{"Username":"AWS","Secret":"pw-%s"}' "$(wc -l < "$0.asked" | tr -d ' ')"
"""


@pytest.mark.parametrize("kind", [Auth.BASIC, Auth.TOKEN])
@pytest.mark.parametrize("good", [1, 2, 3])
async def test_a_helper_is_asked_again(kind: Auth, good: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper whose password is refused is asked once more, by one request for all, and no third time."""
    install_helper(tmp_path / "bin", monkeypatch, "ecr", COUNTING)
    async with Sandbox(SandboxSettings(auth=kind), users={"AWS": User(f"pw-{good}")}) as sandbox:
        paths = [f"app-{number}" for number in range(10)]
        for path in paths:
            fill(sandbox, "1", repository=path)
        env = configured(tmp_path, {"credHelpers": {sandbox.host: "ecr"}})

        result = await bulkrm(*(f"{sandbox.host}/{path}:1" for path in paths), "-o", "json", env=env)

    asked = (tmp_path / "bin/docker-credential-ecr.asked").read_text().count("x")
    assert asked == min(good, 2)
    if good <= 2:
        assert (result.code, {image["status"] for image in result.images}) == (0, {"deleted"})
    else:
        assert failures(result) == {"bad-credentials"}
        tried = [line for line in sandbox.log if line.scheme == "Basic"]
        assert len(tried if kind is Auth.BASIC else sandbox.tokens.log) == 2


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exec yes s3cr3t-Zebra", "answered with more than 1 MiB"),
        ("yes s3cr3t-Zebra", "answered with more than 1 MiB"),
        ("yes s3cr3t-Zebra | head -c 3000000; exit 1", "answered with more than 1 MiB"),
        ("head -c 500000 /dev/zero | tr '\\\\0' '['", "no user and password"),
    ],
)
def test_a_helper_that_says_too_much(
    run: Command, token_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    """It is bad usage, and what it says is neither kept nor shown."""
    install_helper(tmp_path / "bin", monkeypatch, "loud", script)
    configured(tmp_path, {"credHelpers": {token_sandbox.host: "loud"}})

    result = run(f"{token_sandbox.host}/team/app:1")

    assert result.code == 2
    assert words in " ".join(result.err.split())
    assert SECRET not in result.err
    assert token_sandbox.log == []


@pytest.mark.parametrize("kind", [Auth.BASIC, Auth.TOKEN])
async def test_a_password_that_ends_in_the_middle(kind: Auth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper's password that ends while deletions are under way is replaced for all of them: no image fails."""
    install_helper(tmp_path / "bin", monkeypatch, "ecr", COUNTING)
    async with Sandbox(SandboxSettings(auth=kind), users={"AWS": User("pw-1")}) as sandbox:
        paths = [f"app-{number}" for number in range(6)]
        for path in paths:
            fill(sandbox, *"12345", repository=path)
        env = configured(tmp_path, {"credHelpers": {sandbox.host: "ecr"}})

        async def end_it(_: ServerRequest) -> None:
            sandbox.tokens.users["AWS"] = User("pw-2")
            sandbox.tokens.revoke()

        sandbox.faults.add(Call(end_it), method="DELETE", skip=9)

        result = await bulkrm(*(f"{sandbox.host}/{path}:*" for path in paths), "-o", "json", env=env)

    assert (result.code, {image["status"] for image in result.images}) == (0, {"deleted"})
    assert (tmp_path / "bin/docker-credential-ecr.asked").read_text().count("x") == 2


@pytest.mark.parametrize("wanted", ["push", "push,pull", "delete,push", "*", ""])
async def test_a_registry_that_is_never_content(wanted: str, tmp_path: Path) -> None:
    """Whatever a challenge asks for again and again, the run ends with what is missing after a few requests."""
    scope = f',scope="repository:team/app:{wanted}"' if wanted else ""
    async with Sandbox() as sandbox:
        fill(sandbox, *"123")
        challenge = f'Bearer realm="{sandbox.realm}",service="sandbox"{scope}'
        sandbox.faults.add(Reply(401, {"WWW-Authenticate": challenge}), method="DELETE", times=None)

        result = await bulkrm(f"{sandbox.host}/team/app:*", "-o", "json", env=login(tmp_path))

    assert failures(result) == {"not-permitted"}
    assert len(sent(sandbox)) <= 4
    assert all(f"on {sandbox.host}/team/app" in image["hint"] for image in result.images)


async def test_a_registry_that_wants_ever_more(tmp_path: Path) -> None:
    """A registry that asks for another action each time a push is sent again gets one more, and no third."""
    env = login(tmp_path)
    async with Sandbox() as sandbox:
        fill(sandbox, "1")
        assert (await bulkrm(f"{sandbox.host}/team/app:1", env=env)).code == 0
        for action in "abcdefgh":
            challenge = f'Bearer realm="{sandbox.realm}",service="sandbox",scope="repository:team/app:{action}"'
            sandbox.faults.add(Reply(401, {"WWW-Authenticate": challenge}), method="PUT")

        result = await bulkrm("undo", "-o", "json", env=env)

    assert failures(result) == {"not-permitted"}
    assert "does not allow b" in result.images[0]["error"]["message"]
    assert len(sent(sandbox, "PUT")) == 2
