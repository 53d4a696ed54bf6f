"""`~/.dockercfg`: Docker's configuration before version 1.7, whose whole content is that of `auths` today.

Kubernetes still supports it (secrets of the type `kubernetes.io/dockercfg`), and so do podman and skopeo.
"""

from collections.abc import Sequence
from pathlib import Path

from bulkrm.remote.credentials.docker_config import DockerConfig, read_docker_config
from bulkrm.remote.credentials.source import CredentialSource, Surroundings


def _files(surroundings: Surroundings) -> Sequence[Path]:
    return (surroundings.user_folder / ".dockercfg",)


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    return [
        read_docker_config(path, surroundings.default_port, may_be_forbidden=True, is_old=True)
        for path in _files(surroundings)
    ]


SOURCE = CredentialSource("~/.dockercfg", 70, _read, _files)
