"""Where credentials come from when other tools stored them, tried with those tools, and `bulkrm login --check`."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, User
from tests.cli.command import Command, fill, served, tags
from tests.support.tools import call, password_store, program, store_password

SECRET = "s3cr3t-Zebra"


def auth(login: str = "admin:admin") -> dict[str, str]:
    """An entry of `auths`."""
    return {"auth": base64.b64encode(login.encode()).decode()}


def write(path: Path, *hosts: str, login: str = "admin:admin") -> Path:
    """Write a file of credentials for these hosts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {host: auth(login) for host in hosts}}))
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder in which nothing is, and a session; Docker's configuration is where it is by default."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG")
    (tmp_path / "home").mkdir()
    (tmp_path / "session").mkdir(exist_ok=True)
    return tmp_path / "home"


# The rows of the manual's table, bulkrm/manual/credentials.md


def docker_login(host: str, home: Path) -> None:
    # An entry that is there keeps Docker from looking for a helper that could store the password elsewhere.
    write(home / ".docker/config.json", "other.example")
    call("docker", "login", "-u", "admin", "--password-stdin", host, stdin="admin")


def podman_login(host: str, _: Path) -> None:
    call("podman", "login", "--tls-verify=false", "-u", "admin", "--password-stdin", host, stdin="admin")


def skopeo_login(host: str, _: Path) -> None:
    call("skopeo", "login", "--tls-verify=false", "-u", "admin", "--password-stdin", host, stdin="admin")


def crane_login(host: str, _: Path) -> None:
    call("crane", "auth", "login", "-u", "admin", "-p", "admin", host)


@pytest.mark.parametrize(
    ("login", "file"),
    [
        (docker_login, "home/.docker/config.json"),
        (podman_login, "session/containers/auth.json"),
        (skopeo_login, "session/containers/auth.json"),
        (crane_login, "home/.docker/config.json"),
    ],
)
def test_what_another_tool_stored(
    run: Command,
    token_sandbox: Sandbox,
    home: Path,
    tmp_path: Path,
    login: Callable[[str, Path], None],
    file: str,
) -> None:
    """Who has logged in with another tool need not do so again: the file that it wrote is found, and works."""
    fill(token_sandbox, "1.0")
    program(login.__name__.partition("_")[0])
    login(token_sandbox.host, home)

    checked = run("login", "--check", f"{token_sandbox.host}/team/app")
    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert checked.code == 0
    assert f"source:  {tmp_path / file}\n" in checked.out
    assert f"key:     {token_sandbox.host}\n" in checked.out
    assert "works:   yes\n" in checked.out
    assert (result.code, tags(token_sandbox)) == (0, set())


@pytest.mark.parametrize("tool", ["podman", "skopeo"])
def test_a_file_that_a_tool_was_told(
    run: Command, token_sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """REGISTRY_AUTH_FILE is where podman and skopeo log in to, and where bulkrm then looks, alone."""
    program(tool)
    fill(token_sandbox, "1.0")
    write(home / ".docker/config.json", token_sandbox.host, login="wrong:wrong")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "mine.json"))
    call(tool, "login", "--tls-verify=false", "-u", "admin", "--password-stdin", token_sandbox.host, stdin="admin")

    result = run("login", "--check", f"{token_sandbox.host}/team/app")

    assert result.code == 0
    assert f"source:  {home / 'mine.json'}\n" in result.out


@pytest.mark.usefixtures("home")
def test_a_key_with_a_path_that_podman_wrote(run: Command, token_sandbox: Sandbox) -> None:
    """`podman login HOST/PATH` stores a key for those repositories only, and so it is used."""
    program("podman")
    fill(token_sandbox, "1.0")
    target = f"{token_sandbox.host}/team"
    call("podman", "login", "--tls-verify=false", "-u", "admin", "--password-stdin", target, stdin="admin")

    inside = run("login", "--check", f"{token_sandbox.host}/team/app")
    outside = run("login", "--check", f"{token_sandbox.host}/teams/app")

    assert f"key:     {target}\n" in inside.out
    assert "source:  none was found" in outside.out


def test_regctl_keeps_its_own(run: Command, token_sandbox: Sandbox, home: Path) -> None:
    """What `regctl registry login` stores is regctl's alone; what Docker's configuration has, both use."""
    program("regctl")
    fill(token_sandbox, "1.0")
    call("regctl", "registry", "set", "--tls", "disabled", token_sandbox.host)
    call("regctl", "registry", "login", "-u", "admin", "-p", "admin", token_sandbox.host)
    before = run("login", "--check", f"{token_sandbox.host}/team/app")
    call("regctl", "registry", "logout", token_sandbox.host)
    write(home / ".docker/config.json", token_sandbox.host)

    after = run("login", "--check", f"{token_sandbox.host}/team/app")

    assert (home / ".regctl/config.json").exists()
    assert "source:  none was found" in before.out
    assert after.code == 0
    assert call("regctl", "tag", "ls", f"{token_sandbox.host}/team/app") == "1.0\n"


@pytest.mark.parametrize("kind", ["store", "helper"])
def test_a_real_credential_helper(
    run: Command, token_sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """docker-credential-pass has the password behind a gpg key, and gives it for what Docker's configuration says."""
    fill(token_sandbox, "1.0")
    config = {"credsStore": "pass", "auths": {token_sandbox.host: {}}}
    if kind == "helper":
        config = {"credHelpers": {token_sandbox.host: "pass"}}
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps(config))
    with password_store(monkeypatch):
        store_password(token_sandbox.host, "admin", "admin")

        checked = run("login", "--check", f"{token_sandbox.host}/team/app")
        result = run(f"{token_sandbox.host}/team/app:1.0")

    assert "helper:  docker-credential-pass\n" in checked.out
    assert (checked.code, result.code, tags(token_sandbox)) == (0, 0, set())


def test_a_real_helper_that_lost_the_password(
    run: Command, token_sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a host that docker-credential-pass does not know the run is anonymous."""
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "pass"}))
    with password_store(monkeypatch):
        store_password("other.example", "admin", "admin")

        result = run("login", "--check", f"{token_sandbox.host}/team/app")

    assert result.code == 1
    assert "source:  none was found" in result.out


# Which source wins


def test_the_order_of_sources(
    run: Command, token_sandbox: Sandbox, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source goes before the next one, and each is taken where no earlier one has an entry for the host."""
    host = token_sandbox.host
    files = [
        write(home / ".docker/config.json", host),
        write(tmp_path / "session/containers/auth.json", host),
        write(tmp_path / "config/containers/auth.json", host),
    ]
    (home / ".dockercfg").write_text(json.dumps({host: auth()}))
    monkeypatch.setenv("TOKEN", "admin")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {host: auth()}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(write(tmp_path / "auth.json", host)))
    password = ("-u", "admin", "--password-stdin")
    seen = [run("login", "--check", host, *password, stdin=b"admin")]
    seen.append(run("login", "--check", host, "-u", "admin", "--password-env", "TOKEN"))
    seen.append(run("login", "--check", host))
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {"other.example": auth()}}))
    seen.append(run("login", "--check", host))
    monkeypatch.delenv("REGISTRY_AUTH_FILE")
    for file in files:
        seen.append(run("login", "--check", host))
        file.unlink()
    seen.append(run("login", "--check", host))

    assert [result.out.splitlines()[0].removeprefix("source:  ") for result in seen] == [
        "-u with the password that was given",
        "--password-env TOKEN",
        "DOCKER_AUTH_CONFIG",
        str(tmp_path / "auth.json"),
        *map(str, files),
        str(home / ".dockercfg"),
    ]
    assert {result.code for result in seen} == {0}


def test_a_key_with_a_path_in_an_earlier_source(
    run: Command, token_sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    """It holds for its repositories; the others get what a later source has for the host."""
    write(home / ".docker/config.json", f"{token_sandbox.host}/team")
    write(tmp_path / "session/containers/auth.json", token_sandbox.host)

    inside = run("login", "--check", f"{token_sandbox.host}/team/app")
    outside = run("login", "--check", f"{token_sandbox.host}/other/app")

    assert f"source:  {home / '.docker/config.json'}\n" in inside.out
    assert f"source:  {tmp_path / 'session/containers/auth.json'}\n" in outside.out


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("{", "DOCKER_AUTH_CONFIG: is no JSON object"),
        ("[]", "DOCKER_AUTH_CONFIG: is no JSON object"),
        ({"auths": {"HOST": {"auth": "!"}}}, "is no base64"),
        ({"auths": {"HOST": []}}, "is no JSON object"),
        ({"credHelpers": {"HOST": "nobody-has-this"}}, "docker-credential-nobody-has-this is not installed"),
    ],
)
def test_a_broken_variable_is_a_warning(
    run: Command, token_sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, content: Any, warning: str
) -> None:
    """What cannot be used of DOCKER_AUTH_CONFIG is said, without its content, and the next source is taken."""
    fill(token_sandbox, "1.0")
    write(home / ".docker/config.json", token_sandbox.host)
    text = content if isinstance(content, str) else json.dumps(content).replace("HOST", token_sandbox.host)
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", text)

    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert (result.code, tags(token_sandbox)) == (0, set())
    assert warning in result.err


@pytest.mark.usefixtures("home")
def test_unknown_fields_are_nobodys_business(
    run: Command, token_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole configuration in DOCKER_AUTH_CONFIG, as jobs of GitLab have it, is taken for what it is."""
    body = {"auths": {token_sandbox.host: {**auth(), "email": "x"}}, "HttpHeaders": {"A": "b"}, "proxies": {}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(body))

    result = run("login", "--check", f"{token_sandbox.host}/team/app")

    assert "source:  DOCKER_AUTH_CONFIG\n" in result.out
    assert "warning" not in result.err


def test_an_authentication_file_that_is_missing(
    run: Command, token_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REGISTRY_AUTH_FILE names a file that is not there: bad usage, nothing is sent anonymously instead."""
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "/nonexistent/auth.json")

    result = run(f"{token_sandbox.host}/team/app:1.0")

    assert result.code == 2
    assert "REGISTRY_AUTH_FILE: there is no file /nonexistent/auth.json" in result.err
    assert token_sandbox.log == []


def test_no_report_overwrites_credentials(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of credentials is what the command reads, so no report goes there."""
    file = write(tmp_path / "auth.json", "localhost:1")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(file))

    result = run("localhost:1/app:1", "-n", "--report", f"json={file}")

    assert result.code == 2
    assert "is what this command reads" in result.err


# --password-env


def test_password_in_a_variable(run: Command, token_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that a CI system has the password in is named, and its content shown nowhere."""
    fill(token_sandbox, "1.0")
    monkeypatch.setenv("CI_JOB_TOKEN", "admin")

    result = run(f"{token_sandbox.host}/team/app:1.0", "-u", "admin", "--password-env", "CI_JOB_TOKEN", "-v")

    assert (result.code, tags(token_sandbox)) == (0, set())
    assert "from --password-env CI_JOB_TOKEN" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-u", "me", "--password-env", "NOT_SET"], "the variable 'NOT_SET' is not set, or empty"),
        (["-u", "me", "--password-env", "EMPTY"], "the variable 'EMPTY' is not set, or empty"),
        (["--password-env", "TOKEN"], "there is a password, but no user"),
        (["-u", "me", "--password-env", "TOKEN", "--password-stdin"], "contradicts --password-env"),
        (["-u", "me", "--password-env", "TOKEN", "-p"], "contradicts --password-env"),
        (["-u", "me", "--password-env", "TOKEN", "localhost:2/app:1"], "are for one registry, this run has 2"),
    ],
)
def test_no_password_in_a_variable(
    run: Command, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    """A variable that is not set, one without a user, and two ways at once are bad usage."""
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setenv("EMPTY", "")

    result = run("localhost:1/app:1", *options)

    assert result.code == 2
    assert message in result.err
    assert SECRET not in result.err


# login --check


def test_a_wrong_password_is_told(run: Command, token_sandbox: Sandbox, home: Path) -> None:
    """What does not work is exit code 1, with the reason, and without the password."""
    write(home / ".docker/config.json", token_sandbox.host, login=f"admin:{SECRET}")

    result = run("login", "--check", token_sandbox.host, "-v")

    assert result.code == 1
    assert "works:   no: " in result.out
    assert "holds:   the password of admin\n" in result.out
    assert SECRET not in result.out + result.err
    assert auth(f"admin:{SECRET}")["auth"] not in result.out + result.err


def test_a_missing_right_is_told(run: Command, home: Path) -> None:
    """Credentials that the registry takes, without the right to read the repository, do not work for it."""
    with served(users={"ci": User.allowed(SECRET, {"team/*": ["pull"]})}) as registry:
        fill(registry, "1.0")
        write(home / ".docker/config.json", registry.host, login=f"ci:{SECRET}")

        host, mine, other = (
            run("login", "--check", f"{registry.host}{path}") for path in ("", "/team/app", "/other/app")
        )

    assert (host.code, mine.code, other.code) == (0, 0, 1)
    assert "the user needs pull" in other.out


def test_a_registry_that_asks_for_nothing(run: Command, sandbox: Sandbox) -> None:
    """Where no credentials are wanted it says so."""
    result = run("login", "--check", sandbox.host)

    assert (result.code, result.out.splitlines()[-1]) == (0, "works:   yes; the registry asks for no credentials")


def test_a_registry_with_passwords_of_its_own(run: Command, home: Path) -> None:
    """Basic authentication is tried as well."""
    with served(SandboxSettings(auth=Auth.BASIC)) as registry:
        write(home / ".docker/config.json", registry.host)
        works = run("login", "--check", registry.host)
        write(home / ".docker/config.json", registry.host, login="admin:wrong")
        fails = run("login", "--check", registry.host)

    assert (works.code, fails.code) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["localhost:1"], "bulkrm stores no passwords"),
        (["--check", ""], "it is empty"),
        (["--check", "a b"], "a b"),
        (["--check", "https://localhost:1"], "https"),
    ],
)
def test_no_login(run: Command, arguments: list[str], message: str) -> None:
    """Nothing is stored, and what is no registry is bad usage."""
    result = run("login", *arguments)

    assert result.code == 2
    assert message in result.err


def test_verbose_says_where_credentials_come_from(
    run: Command, token_sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    """-v names the source and key of each that may be used for the host, before the first request."""
    fill(token_sandbox, "1.0")
    write(home / ".docker/config.json", f"{token_sandbox.host}/team")
    write(tmp_path / "session/containers/auth.json", token_sandbox.host)

    result = run(f"{token_sandbox.host}/team/app:1.0", "-v")

    lines = [line for line in result.err.splitlines() if line.startswith("credentials for")]
    by, session = f"credentials for {token_sandbox.host}: the password of admin, from", tmp_path / "session"
    assert lines == [
        f"{by} {home}/.docker/config.json, key {token_sandbox.host}/team",
        f"{by} {session}/containers/auth.json, key {token_sandbox.host}",
    ]


def test_undo_says_so_too(run: Command, token_sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`undo` names sources with -v, and warns of what it cannot use, as a run does."""
    fill(token_sandbox, "1.0")
    write(home / ".docker/config.json", token_sandbox.host)
    run(f"{token_sandbox.host}/team/app:1.0")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "{")

    result = run("undo", "-y", "-v")

    assert (result.code, tags(token_sandbox)) == (0, {"1.0"})
    assert f"credentials for {token_sandbox.host}: the password of admin, from {home}/.docker/config.json" in result.err
    assert "warning: DOCKER_AUTH_CONFIG: is no JSON object" in result.err
