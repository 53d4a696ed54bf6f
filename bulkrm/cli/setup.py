"""Turns options into the settings, credentials and report writers of a command that sends requests."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import getproxies_environment

from bulkrm.cli.certificates import certificates_of
from bulkrm.cli.login import given_password
from bulkrm.cli.options import values
from bulkrm.cli.options.configuration import Configuration
from bulkrm.cli.options.declared import OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.state_dir import state_dir
from bulkrm.cli.terminal.descriptors import free_descriptors, share_of
from bulkrm.cli.terminal.next_steps import state_dir_option, unusual_state_dir
from bulkrm.cli.terminal.streams import Streams
from bulkrm.cli.terminal.writers import Writer, open_writers
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Connection, Pacing, Settings
from bulkrm.remote.credentials.configured import find_credentials
from bulkrm.remote.credentials.source import GivenCredentials, Profile, Surroundings, files_of_credentials
from bulkrm.reports.format import formats

if TYPE_CHECKING:
    from bulkrm.cli.commands.saved_plan import PlanOutput
    from bulkrm.remote.credentials import Credentials


def settings_of(sign_in: SignInOptions, pace: PaceOptions, hosts: Sequence[str] = ()) -> Settings:
    """Return how these registries are reached, and how fast requests are sent. Raises InputError."""
    connection, configuration = replace(sign_in.connection, proxies=getproxies_environment()), sign_in.configuration
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
    connections = {host: _connection_at(host, connection, sign_in) for host in hosts}
    return Settings(
        pacing,
        connection,
        {host: own for host, own in pacings.items() if own != pacing},
        {host: own for host, own in connections.items() if own != connection},
    )


def _pacing_at(host: str, pacing: Pacing, configuration: Configuration) -> Pacing:
    concurrency, rate = configuration.at(host, "concurrency"), configuration.at(host, "rate")
    if concurrency is not None:
        with _naming_place(configuration, host, "concurrency"):
            pacing = replace(pacing, concurrency=values.concurrency(concurrency))
    if rate is not None:
        with _naming_place(configuration, host, "rate"):
            pacing = replace(pacing, rate=values.rate(rate))
    return pacing


@contextmanager
def _naming_place(configuration: Configuration, host: str, name: str) -> Iterator[None]:
    """Turn an error about an option into one that names the place in the configuration file."""
    try:
        yield
    except InputError as error:
        place = configuration.place("hosts", host, name)
        raise InputError(*(Problem(place, problem.what, problem.remedy) for problem in error.problems)) from error


def _connection_at(host: str, connection: Connection, sign_in: SignInOptions) -> Connection:
    """Return how a host is reached, by the options, its table in the file, and the certificate folders, in this order."""
    configuration = sign_in.configuration
    if connection.plain_http:
        return connection
    at = partial(configuration.at, host)
    found = certificates_of(host, surroundings_of(sign_in).home("XDG_CONFIG_HOME", ".config"))
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


def surroundings_of(sign_in: SignInOptions, host: str = "", password: Secret | None = None) -> Surroundings:
    """Return where credentials are looked for. `host`: the registry for which the options are."""
    configuration = sign_in.configuration
    profiles = {
        name: Profile(configuration.at(name, "username"), configuration.at(name, "password-env"))
        for name in configuration.tables
    }
    given = GivenCredentials(host, sign_in.username, password, sign_in.password_env, profiles)
    return Surroundings(os.environ, sign_in.connection.default_port, given)


def credentials_of(
    sign_in: SignInOptions, hosts: Sequence[str], streams: Streams, *, list_from_stdin: bool
) -> "Credentials":
    """Find the credentials for these hosts. Raises InputError where the options are contradictory or incomplete."""
    if not hosts:
        return find_credentials((), surroundings_of(sign_in))
    password = given_password(sign_in, streams, hosts, list_from_stdin=list_from_stdin)
    return find_credentials(hosts, surroundings_of(sign_in, hosts[0], password))


def files_of(sign_in: SignInOptions, named: Iterable[Path]) -> list[Path]:
    """Return all files that a command reads: those that its arguments name, and those of TLS and credentials."""
    connection, configuration = sign_in.connection, sign_in.configuration
    files = (
        connection.ca_file,
        connection.client_cert,
        connection.client_key,
        configuration.path,
        *configuration.files,
    )
    credentials = files_of_credentials(surroundings_of(sign_in))
    return [*named, *(path for path in files if path is not None), *credentials]


def writers_of(
    output: OutputOptions, read: Sequence[Path], plan: "PlanOutput | None" = None
) -> AbstractContextManager[list[Writer]]:
    """Open the reports. Raises InputError.

    `read`: files that the command reads; no report is written to one of them, nor to the file of `plan`. On standard output
    the text of a plan takes the place of the text report.
    """
    known = formats()
    reports = [values.report(text, tuple(known)) for text in output.reports or ()]
    if output.output not in known:
        what = f"{output.output[:40]!r} is no format"
        raise InputError(Problem("--output", what, f"write one of {', '.join(known)}"))
    shown = plan.format if plan is not None and output.output == "text" else known[output.output]
    further = [(known[name], path) for name, path in reports]
    place = state_dir_option(unusual_state_dir(state_dir(output.state_dir, os.environ)))
    return open_writers(shown, further, read, plan.written if plan is not None else (), every=output.all, place=place)
