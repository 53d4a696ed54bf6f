"""Docker's `config.json`, in `$DOCKER_CONFIG` or `~/.docker`, which `docker login` and `crane auth login` write."""

from collections.abc import Sequence
from pathlib import Path

from bulkrm.remote.credentials.docker_config import DockerConfig, read_docker_config
from bulkrm.remote.credentials.source import CredentialSource, Surroundings


def _files(surroundings: Surroundings) -> Sequence[Path]:
    folder = surroundings.variable("DOCKER_CONFIG")
    return ((Path(folder) if folder else surroundings.user_folder / ".docker") / "config.json",)


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    return [read_docker_config(path, surroundings.default_port) for path in _files(surroundings)]


SOURCE = CredentialSource("Docker's config.json", 50, _read, _files)
