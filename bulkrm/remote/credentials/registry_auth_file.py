"""`REGISTRY_AUTH_FILE`: the file of podman, skopeo, buildah and crane (containers-auth.json(5)).

If it is set, no later source is read.
"""

from collections.abc import Sequence
from pathlib import Path

from bulkrm.model.errors import InputError, Problem
from bulkrm.remote.credentials.docker_config import DockerConfig, read_docker_config
from bulkrm.remote.credentials.source import CredentialSource, Surroundings

_NAME = "REGISTRY_AUTH_FILE"


def _is_set(surroundings: Surroundings) -> bool:
    return bool(surroundings.variable(_NAME))


def _files(surroundings: Surroundings) -> Sequence[Path]:
    return (Path(surroundings.variable(_NAME)),) if _is_set(surroundings) else ()


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    for path in _files(surroundings):
        if not path.exists():
            raise InputError(Problem(_NAME, f"there is no file {path}", f"`podman login` writes it; or unset {_NAME}"))
        return (read_docker_config(path, surroundings.default_port),)
    return ()


SOURCE = CredentialSource(_NAME, 40, _read, _files, _is_set)
