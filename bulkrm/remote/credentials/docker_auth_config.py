"""`DOCKER_AUTH_CONFIG`: a `config.json` in an environment variable, which GitLab CI sets for jobs and Docker's CLI reads.

Docker reads only `auth` from it, and uses its file instead where that fails (docker/cli `cli/config/configfile/file.go`);
GitLab's variable may be a whole configuration. So a part that cannot be used is a warning, not an error.
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
