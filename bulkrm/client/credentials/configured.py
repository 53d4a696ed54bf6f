"""Docker's configuration for the hosts of one run: read, and the helpers that it names asked."""

from collections.abc import Collection
from dataclasses import replace

from bulkrm.client.credentials.docker_config import DockerConfig, config_path, read_docker_config
from bulkrm.client.credentials.helper import HelperFailed, ask_helper
from bulkrm.client.credentials.keys import host_of
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Credential, Login


def configured(hosts: Collection[str], default_port: int) -> DockerConfig:
    """Return what there is for these hosts; what the helpers have goes before what the file holds.

    Raises InputError where a helper fails of which the configuration says that it has the password, and where an entry
    of one of these hosts cannot be read.
    """
    config = read_docker_config(config_path(), default_port)
    helped, unusable = dict[str, Credential](), dict[str, str]()
    for host in hosts:
        login = _ask(config, host)
        if login is not None:
            helped[host] = login
        elif host in config.marked:
            unusable[host] = f"docker-credential-{config.store} has no password for it any more: `docker login` again"
    needed = {host for host in hosts if host not in helped}
    broken = [problem for key, problem in config.broken.items() if host_of(key) in needed]
    if broken:
        raise InputError(*broken)
    return replace(config, helped=helped, unusable=unusable)


def configured_for(username: str, host: str, default_port: int) -> DockerConfig | None:
    """Return what there is for one user at one host; None where there is nothing. Raises InputError as above."""
    config = configured((host,), default_port)
    helped = {name: login for name, login in config.helped.items() if _is_of(username, login)}
    logins = {key: login for key, login in config.logins.items() if host_of(key) == host and _is_of(username, login)}
    return replace(config, helped=helped, logins=logins) if helped or logins else None


def _ask(config: DockerConfig, host: str) -> Credential | None:
    helper = config.helper_of(host)
    if helper is None:
        return None
    try:
        return ask_helper(*helper)
    except HelperFailed as failed:
        if host not in config.logins and (host in config.helpers or host in config.marked):
            what = f"the credential helper that config.json names for {host}: {failed}"
            raise InputError(Problem("", what, "install or repair it, or give -u NAME with -p")) from failed
        return None


def _is_of(username: str, login: Credential) -> bool:
    return isinstance(login, Login) and login.username == username
