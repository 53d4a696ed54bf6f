"""The credentials for the hosts of one run: reads the sources in their order, and asks the helpers that they name."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import REGISTRY_USERNAME, Credential, Login
from bulkrm.remote.credentials.deferred import DeferredSource, no_password
from bulkrm.remote.credentials.docker_config import DockerConfig
from bulkrm.remote.credentials.helper import HelperFailed, ask_helper
from bulkrm.remote.credentials.keys import host_of
from bulkrm.remote.credentials.lookup import Credentials
from bulkrm.remote.credentials.source import Surroundings, sources


def find_credentials(hosts: Collection[str], surroundings: Surroundings) -> Credentials:
    """Return the credentials for these hosts from all sources; none without hosts. Raises InputError as `configured` does."""
    return Credentials({}, *(configured(hosts, surroundings) if hosts else ()))


def configured(hosts: Collection[str], surroundings: Surroundings) -> tuple[DockerConfig | DeferredSource, ...]:
    """Return the credentials of each source for these hosts, or the source itself if it is asked during the run.

    Credentials of a helper take precedence over those in the same source. Sources are read in their order, until every
    host has credentials for all its repositories. Raises InputError if a helper fails that should have the password
    according to a source, if an entry for one of these hosts cannot be read, and if a named user has no password.
    """
    users = _named_users(hosts, surroundings)
    left = set(hosts)
    found: list[DockerConfig | DeferredSource] = []
    for config in _configs(surroundings, users):
        if isinstance(config, DeferredSource):
            found.append(config)
            continue
        asked = _of_users(_asked(config, left), users)
        found.append(asked)
        left -= {host for host in left if host in asked.helped or host in asked.logins}
        if not left:
            break
    _refuse_without_password(users, found)
    return tuple(found)


def _configs(surroundings: Surroundings, users: Mapping[str, str]) -> Iterator[DockerConfig | DeferredSource]:
    """Yield the configurations of one source after the other; a source is only read when the next one is requested."""
    for found in sources():
        source = found.value
        yield from source.read(surroundings)
        if source.login is not None:
            yield DeferredSource(source.name, source.login, users, plugin=found.plugin)
        if source.is_alone(surroundings):
            return


def _asked(config: DockerConfig, hosts: Collection[str]) -> DockerConfig:
    """Return a configuration with the credentials that its helpers have for these hosts, in `helped` and `unusable`."""
    helped, unusable, warnings = dict[str, Credential](), dict[str, str](), list(config.warnings)
    for host in sorted(hosts):
        try:
            login = _ask(config, host)
        except InputError as error:
            if not config.is_lenient:
                raise
            warnings += map(str, error.problems)
            continue
        if login is not None:
            helped[host] = login
        elif host in config.marked:
            unusable[host] = f"docker-credential-{config.store} has no password for it any more: `docker login` again"
    needed = {host for host in hosts if host not in helped}
    broken = [problem for key, problem in config.broken.items() if host_of(key) in needed]
    if broken and not config.is_lenient:
        raise InputError(*broken)
    warnings += map(str, broken)
    return replace(config, helped=helped, unusable=unusable, warnings=tuple(warnings))


def _ask(config: DockerConfig, host: str) -> Credential | None:
    helper = config.helper_of(host)
    if helper is None:
        return None
    try:
        return ask_helper(*helper)
    except HelperFailed as failed:
        if host not in config.logins and (host in config.helpers or host in config.marked):
            what = f"the credential helper that {config.source or 'config.json'} names for {host}: {failed}"
            raise InputError(Problem("", what, "install or repair it, or give -u NAME with -p")) from failed
        return None


def _named_users(hosts: Collection[str], surroundings: Surroundings) -> dict[str, str]:
    """Return the named user of each host that has one: by an option, the environment or a profile."""
    given = surroundings.given
    named = given.username or surroundings.variable(REGISTRY_USERNAME)
    profiles = {host: profile.username for host, profile in given.profiles.items() if profile.username}
    users = {host: named or profiles.get(host) for host in hosts}
    return {host: user for host, user in users.items() if user}


def _of_users(config: DockerConfig, users: Mapping[str, str]) -> DockerConfig:
    """Return a configuration without the credentials of other users than the one who was named for a host."""
    if not users:
        return config

    def is_wanted(key: str, login: Credential) -> bool:
        user = users.get(host_of(key))
        return user is None or (isinstance(login, Login) and login.username == user)

    helped = {host: login for host, login in config.helped.items() if is_wanted(host, login)}
    logins = {key: login for key, login in config.logins.items() if is_wanted(key, login)}
    return replace(config, helped=helped, logins=logins)


def _refuse_without_password(users: Mapping[str, str], found: Collection[DockerConfig | DeferredSource]) -> None:
    """Raise InputError for a named user without a password, unless a deferred source may have it.

    Then `Credentials.refuse_users` does so.
    """
    for host, user in users.items():
        if not any(isinstance(config, DeferredSource) or config.has(host) for config in found):
            raise InputError(no_password(user, host))
