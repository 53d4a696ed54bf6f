"""From options to what every command that asks registries needs: settings, credentials, reports."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.request import getproxies_environment

from bulkrm.cli.login import LoginOptions, given_password
from bulkrm.cli.options import values
from bulkrm.cli.options.configuration import Configuration
from bulkrm.cli.options.declared import OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.terminal.descriptors import free_descriptors, share_of
from bulkrm.cli.terminal.streams import Streams
from bulkrm.cli.terminal.writers import Writer, open_writers
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Connection, Pacing, Settings
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.credentials.configured import configured
from bulkrm.remote.credentials.source import Given, Profile, Surroundings, files_of_credentials
from bulkrm.remote.transport.certificates import certificates_of
from bulkrm.reports.format import ReportFormat, formats


def settings_of(access: SignInOptions, pace: PaceOptions, hosts: Sequence[str] = ()) -> Settings:
    """Read how these registries are reached, and how fast they are asked. Raises InputError."""
    connection, configuration = replace(access.connection, proxies=getproxies_environment()), access.configuration
    if connection.client_key is not None and connection.client_cert is None:
        raise InputError(Problem("--client-key", "there is no --client-cert", "give both, or one file as both"))
    share = share_of(free_descriptors(), len(hosts))
    pacing = Pacing(
        values.concurrency(pace.concurrency),
        values.rate(pace.rate),
        values.timeout(pace.timeout),
        share.registry,
        share.token_server,
    )
    pacings = {host: _pacing_at(host, pacing, configuration) for host in hosts}
    connections = {host: _connection_at(host, connection, access) for host in hosts}
    return Settings(
        pacing,
        connection,
        {host: own for host, own in pacings.items() if own != pacing},
        {host: own for host, own in connections.items() if own != connection},
    )


def _pacing_at(host: str, pacing: Pacing, configuration: Configuration) -> Pacing:
    concurrency, rate = configuration.at(host, "concurrency"), configuration.at(host, "rate")
    if concurrency is not None:
        with _placed(configuration, host, "concurrency"):
            pacing = replace(pacing, concurrency=values.concurrency(concurrency))
    if rate is not None:
        with _placed(configuration, host, "rate"):
            pacing = replace(pacing, rate=values.rate(rate))
    return pacing


@contextmanager
def _placed(configuration: Configuration, host: str, name: str) -> Iterator[None]:
    """Name the place in the file, where a value of it cannot be understood, instead of the option."""
    try:
        yield
    except InputError as error:
        place = configuration.place("hosts", host, name)
        raise InputError(*(Problem(place, problem.what, problem.remedy) for problem in error.problems)) from error


def _connection_at(host: str, connection: Connection, access: SignInOptions) -> Connection:
    """Return how a host is reached: what the options say, then its profile, then docker's and podman's certificates."""
    configuration = access.configuration
    if connection.plain_http:
        return connection
    at = partial(configuration.at, host)
    found = certificates_of(host, surroundings_of(access).home("XDG_CONFIG_HOME", ".config"))
    own_cert, own_key = at("client-cert"), at("client-key")
    cert, key = connection.client_cert, connection.client_key
    if own_key is not None and own_cert is None and cert is None:
        place = configuration.place("hosts", host, "client-key")
        raise InputError(Problem(place, "there is no client-cert", "give both, or one file as both"))
    if own_cert is not None:
        cert, key = Path(own_cert), Path(own_key) if own_key else None
    elif cert is None and found is not None and found.client is not None:
        cert, key = found.client
    ca_file = at("ca-file")
    return replace(
        connection,
        ca_file=Path(ca_file) if ca_file else connection.ca_file,
        client_cert=cert,
        client_key=key,
        further_cas=found.cas if found else (),
    )


def surroundings_of(access: SignInOptions, host: str = "", password: Secret | None = None) -> Surroundings:
    """Return what sources of credentials look at. `host`: the one that the options are for."""
    configuration = access.configuration
    profiles = {
        name: Profile(configuration.at(name, "username"), configuration.at(name, "password-env"))
        for name in configuration.hosts
    }
    given = Given(host, access.username, password, access.password_env, profiles)
    return Surroundings(os.environ, access.connection.default_port, given)


def login_of(access: SignInOptions, hosts: Sequence[str], streams: Streams, *, list_from_stdin: bool) -> Credentials:
    """Find the credentials for these hosts. Raises InputError where they are contradictory or incomplete."""
    if not hosts:
        return Credentials({})
    options = LoginOptions(
        access.username, access.ask_password, access.password_stdin, access.password_env is not None, streams
    )
    password = given_password(options, hosts, list_from_stdin=list_from_stdin)
    return Credentials({}, *configured(hosts, surroundings_of(access, hosts[0], password)))


def files_of(access: SignInOptions, named: Iterable[Path]) -> list[Path]:
    """Return all files that a command reads: `named` by its arguments, and what its connections need."""
    connection, configuration = access.connection, access.configuration
    files = (
        connection.ca_file,
        connection.client_cert,
        connection.client_key,
        configuration.path,
        *configuration.files,
    )
    credentials = files_of_credentials(surroundings_of(access))
    return [*named, *(path for path in files if path is not None), *credentials]


def writers_of(
    talk: OutputOptions, read: Sequence[Path], output: ReportFormat | None = None, written: Sequence[Path] = ()
) -> AbstractContextManager[list[Writer]]:
    """Open the reports; `output` takes the place of the format for standard output. Raises InputError.

    `read` is what the command reads, `written` what else it writes: no report goes there.
    """
    kinds = formats()
    reports = [values.report(text, tuple(kinds)) for text in talk.reports or ()]
    if talk.output not in kinds:
        what = f"{talk.output[:40]!r} is no format"
        raise InputError(Problem("--output", what, f"write one of {', '.join(kinds)}"))
    further = [(kinds[name], path) for name, path in reports]
    return open_writers(output or kinds[talk.output], further, read, written, every=talk.all)
