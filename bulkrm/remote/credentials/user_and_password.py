"""`-u` with `-p` or `--password-stdin`, and REGISTRY_USERNAME with REGISTRY_PASSWORD."""

from collections.abc import Sequence

from bulkrm.model.secret import Secret
from bulkrm.model.settings import REGISTRY_PASSWORD, REGISTRY_USERNAME, Login
from bulkrm.remote.credentials.docker_config import DockerConfig
from bulkrm.remote.credentials.source import CredentialSource, Surroundings


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    given = surroundings.given
    username = given.username or surroundings.variable(REGISTRY_USERNAME)
    password = given.password or Secret(surroundings.variable(REGISTRY_PASSWORD))
    if not (username and password.reveal()):
        return ()
    who = "-u" if given.username else REGISTRY_USERNAME
    how = "the password that was given" if given.password else REGISTRY_PASSWORD
    return (DockerConfig({given.host: Login(username, password)}, source=f"{who} with {how}"),)


SOURCE = CredentialSource("-u, REGISTRY_USERNAME and REGISTRY_PASSWORD", 10, _read)
