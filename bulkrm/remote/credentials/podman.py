"""podman's `auth.json`, which `podman login`, `skopeo login` and `buildah login` write (containers-auth.json(5)).

First that of the session, which is deleted at logout, then the persistent one. If the session has no folder
(XDG_RUNTIME_DIR is not set, as for root), its file is in /run/containers (containers/image `pkg/docker/config`).
"""

from collections.abc import Sequence
from pathlib import Path

from bulkrm.remote.credentials.docker_config import DockerConfig, read_docker_config
from bulkrm.remote.credentials.source import CredentialSource, Surroundings

_SESSIONS = Path("/run/containers")


def _files(surroundings: Surroundings) -> Sequence[Path]:
    session = surroundings.variable("XDG_RUNTIME_DIR")
    folder = Path(session) / "containers" if session.startswith("/") else _SESSIONS / str(surroundings.user_id)
    lasting = surroundings.home("XDG_CONFIG_HOME", ".config") / "containers"
    return (folder / "auth.json", lasting / "auth.json")


def _read(surroundings: Surroundings) -> Sequence[DockerConfig]:
    return [read_docker_config(path, surroundings.default_port, may_be_forbidden=True) for path in _files(surroundings)]


SOURCE = CredentialSource("podman's auth.json", 60, _read, _files)
