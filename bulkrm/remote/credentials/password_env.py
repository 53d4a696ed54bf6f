"""`--password-env NAME`, also in a profile of the configuration file: the environment variable with the password.

CI systems set their token in a variable of their own, such as `CI_JOB_TOKEN` or `GITHUB_TOKEN`.
"""

from collections.abc import Iterator, Sequence

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.secret import Secret
from bulkrm.model.settings import REGISTRY_USERNAME, Login
from bulkrm.remote.credentials.docker_config import DockerConfig
from bulkrm.remote.credentials.source import CredentialSource, Surroundings


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    return tuple(_found(surroundings))


def _found(surroundings: Surroundings) -> Iterator[DockerConfig]:
    given = surroundings.given
    if given.password_env is not None:
        username = given.username or surroundings.variable(REGISTRY_USERNAME)
        password = surroundings.variable(given.password_env)
        if not password:
            what = f"the variable {given.password_env!r} is not set, or empty"
            raise InputError(Problem("--password-env", what, "give the name of the variable that holds the password"))
        yield _config(given.host, username, password, given.password_env)
    for host, profile in given.profiles.items():
        # The variable of a profile may be missing, because the same configuration file may be used in CI and elsewhere.
        password = surroundings.variable(profile.password_env or "")
        username = given.username or profile.username or ""
        if password and username:
            yield _config(host, username, password, f"{profile.password_env} (the profile of {host})")


def _config(host: str, username: str, password: str, name: str) -> DockerConfig:
    try:
        password.encode()
    except UnicodeEncodeError:
        raise InputError(Problem("--password-env", f"{name} is not UTF-8", "set it anew")) from None
    return DockerConfig({host: Login(username, Secret(password))}, source=f"--password-env {name}")


SOURCE = CredentialSource("--password-env", 20, _read)
