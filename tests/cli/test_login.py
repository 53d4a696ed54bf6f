"""Users and passwords: where they may come from, and that they go nowhere else."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import ANONYMOUS, Auth, Sandbox, SandboxSettings, TokenSettings, User
from tests.cli.command import Command, bulkrm, fill, killed, served, tags
from tests.support.helpers import BREAKS, HAS_NONE, answers, install_helper

SECRET = "s3cr3t-Zebra"


def write_config(tmp_path: Path, body: Mapping[str, Any] | str) -> None:
    """Write Docker's configuration."""
    (tmp_path / "docker").mkdir(exist_ok=True)
    (tmp_path / "docker/config.json").write_text(body if isinstance(body, str) else json.dumps(body))


def auth(login: str = "admin:admin") -> dict[str, str]:
    """An entry of `auths`."""
    return {"auth": base64.b64encode(login.encode()).decode()}


# Where they come from


def test_password_stdin_with_a_byte_order_mark(run: Command, token_sandbox: Sandbox) -> None:
    """The byte order mark that PowerShell and some editors write is no part of the password."""
    fill(token_sandbox, "1.0")

    stdin = b"\xef\xbb\xbfadmin\r\n"
    result = run(f"{token_sandbox.host}/team/app:1.0", "-u", "admin", "--password-stdin", "-o", "json", stdin=stdin)

    assert (result.code, result.statuses) == (0, {"team/app:1.0": "deleted"})


def test_password_stdin(run: Command, token_sandbox: Sandbox) -> None:
    """`-u NAME --password-stdin` reads the password and drops one line end."""
    fill(token_sandbox, "1.0")

    result = run(f"{token_sandbox.host}/team/app:1.0", "-u", "admin", "--password-stdin", stdin=b"admin\n")

    assert result.code == 0
    assert {request.account for request in token_sandbox.tokens.log} == {"admin"}


def test_environment(run: Command, token_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """REGISTRY_USERNAME and REGISTRY_PASSWORD do as well."""
    fill(token_sandbox, "1.0")
    monkeypatch.setenv("REGISTRY_USERNAME", "admin")
    monkeypatch.setenv("REGISTRY_PASSWORD", "admin")

    assert run(f"{token_sandbox.host}/team/app:1.0").code == 0
    assert tags(token_sandbox) == set()


def test_option_beats_environment(run: Command, token_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """-u and --password-stdin win over the environment."""
    fill(token_sandbox, "1.0")
    monkeypatch.setenv("REGISTRY_USERNAME", "somebody")
    monkeypatch.setenv("REGISTRY_PASSWORD", "else")

    result = run(f"{token_sandbox.host}/team/app:1.0", "-u", "admin", "--password-stdin", stdin=b"admin")

    assert result.code == 0
    assert {request.account for request in token_sandbox.tokens.log} == {"admin"}


def test_docker_configuration(run: Command, token_sandbox: Sandbox, tmp_path: Path) -> None:
    """Without any of these the `auths` of config.json are used."""
    fill(token_sandbox, "1.0")
    write_config(tmp_path, {"auths": {token_sandbox.host: auth()}})

    assert run(f"{token_sandbox.host}/team/app:1.0").code == 0
    assert tags(token_sandbox) == set()


def test_user_with_the_password_of_the_configuration(run: Command, token_sandbox: Sandbox, tmp_path: Path) -> None:
    """`-u NAME` alone takes that user's password from config.json, and no other user's."""
    fill(token_sandbox, "1.0", "2.0")
    write_config(tmp_path, {"auths": {token_sandbox.host: auth()}})

    good = run(f"{token_sandbox.host}/team/app:1.0", "-u", "admin")
    other = run(f"{token_sandbox.host}/team/app:2.0", "-u", "somebody")

    assert (good.code, other.code) == (0, 2)
    assert "no password for the user 'somebody'" in other.err
    assert tags(token_sandbox) == {"2.0"}


def test_two_hosts_from_the_configuration(run: Command, token_sandbox: Sandbox, tmp_path: Path) -> None:
    """config.json serves a run over several registries, each with its own user."""
    with served(users={"second": User(SECRET)}) as other:
        fill(token_sandbox, "1.0")
        fill(other, "1.0")
        write_config(
            tmp_path, {"auths": {token_sandbox.host: auth(), f"https://{other.host}": auth(f"second:{SECRET}")}}
        )

        result = run(f"{token_sandbox.host}/team/app:1.0", f"{other.host}/team/app:1.0")

        assert result.code == 0
        assert {request.account for request in token_sandbox.tokens.log} == {"admin"}
        assert {request.account for request in other.tokens.log} == {"second"}


def config_with_helper(host: str, kind: str) -> dict[str, Any]:
    """A configuration that leaves the password to the helper `mine`, in one of the two ways."""
    if kind == "helper":
        return {"credHelpers": {host: "mine"}, "credsStore": "another"}
    return {"auths": {host: {}}, "credsStore": "mine"}


@pytest.mark.parametrize("kind", ["helper", "store"])
@pytest.mark.parametrize("user", [[], ["-u", "admin"]])
def test_a_credential_helper(
    run: Command,
    token_sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    user: list[str],
) -> None:
    """It is asked for the password, as Docker does it, also for the one of a user that is named."""
    fill(token_sandbox, "1.0")
    write_config(tmp_path, config_with_helper(token_sandbox.host, kind))
    install_helper(tmp_path / "bin", monkeypatch, "mine", answers("admin", "admin"))

    result = run(f"{token_sandbox.host}/team/app:1.0", *user)

    assert result.code == 0
    assert {request.account for request in token_sandbox.tokens.log} == {"admin"}
    assert tags(token_sandbox) == set()


@pytest.mark.parametrize("kind", ["helper", "store"])
@pytest.mark.parametrize("script", [None, BREAKS])
def test_a_credential_helper_that_fails(
    run: Command,
    token_sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    script: str | None,
) -> None:
    """A helper that has the password and does not give it is bad usage: nothing is attempted without it."""
    write_config(tmp_path, config_with_helper(token_sandbox.host, kind))
    if script is not None:
        install_helper(tmp_path / "bin", monkeypatch, "mine", script)

    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert result.code == 2
    assert f"docker-credential-mine {'is not installed' if script is None else 'failed'}" in result.err
    assert SECRET not in result.err
    assert token_sandbox.log == []


def test_a_store_that_lost_the_password(
    run: Command, token_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked by the key that `docker login` wrote down; where it has nothing under that, a warning says so."""
    install_helper(tmp_path / "bin", monkeypatch, "mine", f'cat > "$0.asked"; {HAS_NONE}')
    write_config(tmp_path, {"auths": {f"https://{token_sandbox.host}": {}}, "credsStore": "mine"})

    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert result.code == 1
    assert "docker-credential-mine has no password for it any more" in result.err
    assert (tmp_path / "bin/docker-credential-mine.asked").read_text() == f"https://{token_sandbox.host}"


@pytest.mark.parametrize("where", ["file", "helper"])
async def test_an_identity_token(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is exchanged for tokens at the token server, by POST, and goes to nobody else."""
    tokens = TokenSettings(post=True, refresh_tokens=((SECRET, "admin"),))
    install_helper(tmp_path / "bin", monkeypatch, "mine", answers("<token>", SECRET))
    async with Sandbox(token_settings=tokens) as sandbox:
        fill(sandbox, "1.0")
        entry = {"auth": base64.b64encode(b"0:").decode(), "identitytoken": SECRET}
        config = {"auths": {sandbox.host: entry}} if where == "file" else {"credHelpers": {sandbox.host: "mine"}}
        write_config(tmp_path, config)
        env = {"DOCKER_CONFIG": str(tmp_path / "docker"), "BULKRM_STATE_DIR": str(tmp_path / "state")}

        result = await bulkrm(f"{sandbox.host}/team/app:1.0", "-v", env=env)

        assert result.code == 0
        assert {(request.method, request.account) for request in sandbox.tokens.log} == {("POST", "admin")}
        assert {request.scheme for request in sandbox.log} <= {None, "Bearer"}
        assert SECRET not in result.out + result.err
        assert not [
            path for path in (tmp_path / "state").rglob("*") if path.is_file() and SECRET in str(path.read_bytes())
        ]


@pytest.mark.parametrize("tokens", [TokenSettings(post=True), TokenSettings()])
async def test_an_identity_token_that_is_not_taken(tokens: TokenSettings, tmp_path: Path) -> None:
    """One that is over, or that this server knows nothing of, fails all images with what to do about it."""
    async with Sandbox(token_settings=tokens) as sandbox:
        fill(sandbox, "1.0", "1.1")
        write_config(tmp_path, {"auths": {sandbox.host: {"identitytoken": SECRET}}})

        result = await bulkrm(
            f"{sandbox.host}/team/app:1.0",
            f"{sandbox.host}/team/app:1.1",
            "-o",
            "json",
            env={"DOCKER_CONFIG": str(tmp_path / "docker"), "BULKRM_STATE_DIR": str(tmp_path / "state")},
        )

        assert result.code == 1
        assert {image["error"]["code"] for image in result.images} == {"bad-credentials"}
        assert "`docker login` again" in result.images[0]["hint"]
        assert len(sandbox.tokens.log) == 1
        assert SECRET not in result.out + result.err


async def test_an_identity_token_where_there_is_no_token_server(tmp_path: Path) -> None:
    """A registry that takes user and password itself never gets it."""
    async with Sandbox(SandboxSettings(auth=Auth.BASIC)) as sandbox:
        fill(sandbox, "1.0")
        write_config(tmp_path, {"auths": {sandbox.host: {"identitytoken": SECRET}}})
        env = {"DOCKER_CONFIG": str(tmp_path / "docker"), "BULKRM_STATE_DIR": str(tmp_path / "state")}

        result = await bulkrm(f"{sandbox.host}/team/app:1.0", "-o", "json", env=env)

        assert [image["error"]["code"] for image in result.images] == ["bad-credentials"]
        assert {request.scheme for request in sandbox.log} == {None}


@pytest.mark.parametrize("script", [None, BREAKS, HAS_NONE])
def test_a_store_that_knows_nothing_of_the_registry(
    run: Command, token_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    """It may be that of another machine: a password in the file does, and without one the run is anonymous."""
    fill(token_sandbox, "1.0")
    if script is not None:
        install_helper(tmp_path / "bin", monkeypatch, "mine", script)
    write_config(tmp_path, {"credsStore": "mine"})
    anonymous = run(f"{token_sandbox.host}/team/app:1.0")
    write_config(tmp_path, {"auths": {token_sandbox.host: auth()}, "credsStore": "mine"})

    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert anonymous.code == 1
    assert SECRET not in anonymous.err
    assert (result.code, tags(token_sandbox)) == (0, set())


@pytest.mark.parametrize("text", ["{", "[]", '"text"'])
def test_broken_configuration(run: Command, token_sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    """A config.json that is none is bad usage; its content is not shown."""
    write_config(tmp_path, text)

    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert result.code == 2
    assert "config.json" in result.err
    assert "is no JSON object" in result.err
    assert token_sandbox.log == []


def test_anonymous(run: Command) -> None:
    """Without any credentials the run is anonymous, and does what anonymous may."""
    with served(users={ANONYMOUS: User.allowed("", {"open/*": ["pull", "delete"]})}) as registry:
        fill(registry, "1.0", repository="open/app")
        fill(registry, "1.0", repository="closed/app")

        result = run(f"{registry.host}/open/app:1.0", f"{registry.host}/closed/app:1.0", "-o", "json")

    assert (result.code, result.statuses) == (1, {"open/app:1.0": "deleted", "closed/app:1.0": "failed"})
    assert result.images[1]["error"]["code"] == "not-permitted"
    assert "no credentials were given" in result.images[1]["hint"]
    assert {request.account for request in registry.tokens.log} == {None}


def test_basic(run: Command) -> None:
    """A registry with Basic authentication gets the user and password themselves."""
    with served(SandboxSettings(auth=Auth.BASIC)) as registry:
        fill(registry, "1.0")

        result = run(f"{registry.host}/team/app:1.0", "-u", "admin", "--password-stdin", stdin=b"admin")

    assert result.code == 0
    assert registry.tokens.log == []
    assert {request.scheme for request in registry.log if request.status != 401} == {"Basic"}


# Contradictions


@pytest.mark.parametrize("how", ["user", "stdin", "environment"])
def test_several_hosts(run: Command, token_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """One user and password are for one registry: with two hosts nothing is sent, and config.json is named."""
    if how == "environment":
        monkeypatch.setenv("REGISTRY_USERNAME", "admin")
        monkeypatch.setenv("REGISTRY_PASSWORD", SECRET)
    options = {"user": ["-u", "admin"], "stdin": ["-u", "admin", "--password-stdin"], "environment": []}[how]

    result = run(f"{token_sandbox.host}/a:1", "localhost:1/a:1", *options, stdin=SECRET.encode())

    assert result.code == 2
    assert "are for one registry, this run has 2" in result.err
    assert "config.json" in result.err
    assert SECRET not in result.err
    assert token_sandbox.log == []


async def test_a_resumed_run_over_several_hosts(tmp_path: Path) -> None:
    """-u is for one registry, also where another one's images could only not be judged in the first part of the run."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state"), "DOCKER_CONFIG": str(tmp_path / "docker")}
    async with Sandbox() as token_sandbox, Sandbox(SandboxSettings(auth=Auth.BASIC)) as other:
        write_config(tmp_path, {"auths": {token_sandbox.host: auth()}})
        fill(token_sandbox, "a")
        fill(other, "b")
        images = [f"{token_sandbox.host}/team/app:a", f"{other.host}/team/app:b"]
        await killed(token_sandbox, *images, "-y", method="DELETE", path="sha256:", env=env)

        result = await bulkrm("resume", "-u", "admin", "--password-stdin", stdin=b"admin", env=env)

        assert result.code == 2
        assert "are for one registry, this run has 2" in result.err
        assert [request.scheme for request in other.log if request.scheme] == []


def test_password_without_user(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password alone is no login."""
    monkeypatch.setenv("REGISTRY_PASSWORD", SECRET)

    result = run("localhost:1/a:1")

    assert result.code == 2
    assert "there is a password, but no user" in result.err
    assert "REGISTRY_USERNAME" in result.err
    assert SECRET not in result.err


def test_user_without_password(run: Command) -> None:
    """A user alone is none either, if config.json does not know him."""
    result = run("localhost:1/a:1", "-u", "me")

    assert result.code == 2
    assert "no password for the user 'me'" in result.err
    assert "--password-stdin" in result.err


async def test_prompt_without_terminal() -> None:
    """-p where there is no terminal says what to use instead."""
    result = await bulkrm("localhost:1/a:1", "-u", "me", "-p", stdin=b"secret\n")

    assert result.code == 2
    assert "-p: there is no terminal" in result.err
    assert "--password-stdin" in result.err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["-u", "me", "-p", "--password-stdin"], "contradicts --password-stdin"),
        (["-u", "me", "--password-stdin", "-f", "-"], "standard input is the list already"),
        (["-u", "me", "--password-stdin"], "standard input is empty"),
    ],
)
def test_password_from_nowhere(run: Command, options: list[str], word: str) -> None:
    """Standard input is one thing only, and an empty password is none."""
    stdin = b"- localhost:1/a:1\n" if "-f" in options else b""
    result = run(*([] if "-f" in options else ["localhost:1/a:1"]), *options, stdin=stdin)

    assert result.code == 2
    assert word in result.err


@pytest.mark.parametrize("password", [SECRET, "Upper/Case", "with blank", "a@b", "://", "*", "x" * 64])
def test_docker_habit_is_not_repeated_aloud(run: Command, token_sandbox: Sandbox, password: str) -> None:
    """`-p secret`: the argument that cannot be a reference is named by its position, and shown nowhere."""
    result = run("-u", "admin", "-p", password, f"{token_sandbox.host}/team/app:1.0")

    assert result.code == 2
    assert "argument 1: is no image reference" in result.err
    assert "-p takes no value" in result.err
    assert password not in (result.out + result.err).replace("****", "")
    assert token_sandbox.log == []


# Refused


def test_wrong_password(run: Command, token_sandbox: Sandbox) -> None:
    """A wrong password fails every image with one code, without asking for each of them, and is not shown."""
    fill(token_sandbox, *(f"t{number}" for number in range(50)))
    images = [f"{token_sandbox.host}/team/app:t{number}" for number in range(50)]

    result = run(*images, "-u", "admin", "--password-stdin", "-o", "json", stdin=SECRET.encode())

    assert result.code == 1
    assert {(image["status"], image["error"]["code"]) for image in result.images} == {("failed", "bad-credentials")}
    assert all("password" in image["hint"] for image in result.images)
    assert SECRET not in result.out + result.err
    assert len(token_sandbox.tokens.log) == 1
    assert len(tags(token_sandbox)) == 50


def test_missing_permission(run: Command) -> None:
    """Who may not delete is told so once for the repository, with the permission that is missing."""
    with served(users={"ci": User.allowed("ci", {"*": ["pull", "push"]})}) as registry:
        fill(registry, *(f"t{number}" for number in range(20)))

        result = run(
            f"{registry.host}/team/app:*", "-u", "ci", "--password-stdin", "-o", "json", stdin=b"ci"
        )  # fmt: skip

        assert len(tags(registry)) == 20
    assert result.code == 1
    assert {image["error"]["code"] for image in result.images} == {"not-permitted"}
    assert "delete" in result.images[0]["hint"]
    assert "push is not enough" in result.images[0]["hint"]
    assert len([request for request in registry.log if request.method == "DELETE"]) <= 5


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
async def test_verbose_shows_no_secret(output: str) -> None:
    """-v shows every request, and neither the password, nor a token, nor a header with one of them."""
    async with Sandbox(users={"admin": User(SECRET)}) as registry:
        fill(registry, "1.0", "2.0")
        basic = base64.b64encode(f"admin:{SECRET}".encode()).decode()

        result = await bulkrm(
            f"{registry.host}/team/app:*", "-v", "-u", "admin", "--password-stdin", "-o", output, stdin=SECRET.encode()
        )

    everything = result.out + result.err
    assert result.code == 0
    assert f"DELETE http://{registry.host}/v2/team/app/manifests/sha256:" in result.err
    assert f"GET http://{registry.host}/token?" in result.err
    assert "scope=repository:team/app:delete,pull" in result.err
    # A token is base64 of a JSON object: it begins like this.
    assert [word for word in (SECRET, basic, "eyJ", "Bearer", "Basic ") if word in everything] == []
    assert result.err.count("\n") >= len(registry.log) + len(registry.tokens.log)
