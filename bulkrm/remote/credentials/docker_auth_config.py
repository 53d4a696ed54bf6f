"""`DOCKER_AUTH_CONFIG`: a `config.json` in the environment, as GitLab CI hands it to jobs and as Docker's CLI reads it.

Docker takes only `auth` in it and goes on with its file where it cannot read it (docker/cli
`cli/config/configfile/file.go`); jobs of GitLab hold whole configurations there. So what cannot be used is a warning.
"""

from collections.abc import Sequence

from bulkrm.model.errors import InputError
from bulkrm.remote.credentials.docker_config import DockerConfig, parse_docker_config
from bulkrm.remote.credentials.source import CredentialSource, Surroundings

_NAME = "DOCKER_AUTH_CONFIG"


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    content = surroundings.variable(_NAME).encode(errors="surrogateescape")
    try:
        config = parse_docker_config(content, _NAME, surroundings.default_port, is_lenient=True)
    except InputError as error:
        config = DockerConfig(source=_NAME, is_lenient=True, warnings=tuple(map(str, error.problems)))
    return (config,)


SOURCE = CredentialSource(_NAME, 30, _read)
