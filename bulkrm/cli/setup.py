"""From options to what every command that asks registries needs: settings, credentials, reports."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bulkrm.cli import values
from bulkrm.cli.descriptors import free_descriptors, share_of
from bulkrm.cli.login import LoginOptions, credentials
from bulkrm.cli.options import Access, Pace, Talk
from bulkrm.cli.terminal import Streams
from bulkrm.cli.writers import Writer, open_writers
from bulkrm.client.credentials import Credentials, DockerConfig, config_path
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Pacing, Settings
from bulkrm.reports.format import ReportFormat, formats


def settings_of(access: Access, pace: Pace, hosts: Sequence[str] = ()) -> Settings:
    """Read how these registries are reached, and how fast they are asked. Raises InputError."""
    connection = access.connection
    if connection.client_key is not None and connection.client_cert is None:
        raise InputError(Problem("--client-key", "there is no --client-cert", "give both, or one file as both"))
    concurrency, rate, timeout = (
        values.concurrency(pace.concurrency),
        values.rate(pace.rate),
        values.timeout(pace.timeout),
    )
    share = share_of(free_descriptors(), len(hosts))
    pacing = Pacing(concurrency, rate, timeout, share.registry, share.token_server)
    return Settings(pacing, connection)


def login_of(access: Access, hosts: Sequence[str], streams: Streams, *, list_from_stdin: bool) -> Credentials:
    """Find the credentials for these hosts. Raises InputError where they are contradictory or incomplete."""
    port = access.connection.default_port
    options = LoginOptions(access.username, access.ask_password, access.password_stdin, port, streams)
    if not hosts:
        return Credentials({}, DockerConfig())
    return credentials(options, hosts, list_from_stdin=list_from_stdin)


def files_of(access: Access, named: Iterable[Path]) -> list[Path]:
    """Return all files that a command reads: `named` by its arguments, and what its connections need."""
    connection = access.connection
    material = (connection.ca_file, connection.client_cert, connection.client_key)
    return [*named, *(path for path in material if path is not None), config_path()]


def writers_of(
    talk: Talk, read: Sequence[Path], output: ReportFormat | None = None, written: Sequence[Path] = ()
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
    return open_writers(output or kinds[talk.output], further, read, written)
