"""The credentials for registries and repositories. Each source of credentials is a file of this package."""

from bulkrm.remote.credentials.docker_config import DockerConfig, read_docker_config
from bulkrm.remote.credentials.lookup import Credentials

__all__ = ["Credentials", "DockerConfig", "read_docker_config"]
