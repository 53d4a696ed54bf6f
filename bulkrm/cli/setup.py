"""From options to what every command that asks registries needs: settings, credentials, reports."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from bulkrm.cli import values
from bulkrm.cli.login import LoginOptions, credentials
from bulkrm.cli.options import Access, Pace, Talk
from bulkrm.cli.writers import Writer, open_writers
from bulkrm.client.credentials import Credentials, DockerConfig
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.settings import Pacing, Settings
from bulkrm.reports.format import ReportFormat, formats


def settings_of(access: Access, pace: Pace) -> Settings:
    """Read how registries are reached, and how fast they are asked. Raises InputError."""
    connection = access.connection
    if connection.client_key is not None and connection.client_cert is None:
        raise InputError(Problem("--client-key", "there is no --client-cert", "give both, or one file as both"))
    pacing = Pacing(values.concurrency(pace.concurrency), values.rate(pace.rate), values.timeout(pace.timeout))
    return Settings(pacing, connection)


def login_of(access: Access, hosts: Sequence[str], *, list_from_stdin: bool) -> Credentials:
    """Find the credentials for these hosts. Raises InputError where they are contradictory or incomplete."""
    port = access.connection.default_port
    options = LoginOptions(access.username, access.ask_password, access.password_stdin, port)
    if not hosts:
        return Credentials({}, DockerConfig())
    return credentials(options, hosts, list_from_stdin=list_from_stdin)


def writers_of(talk: Talk, output: ReportFormat | None = None) -> AbstractContextManager[list[Writer]]:
    """Open the reports; `output` takes the place of the format for standard output. Raises InputError."""
    kinds = formats()
    reports = [values.report(text, tuple(kinds)) for text in talk.reports or ()]
    if talk.output not in kinds:
        what = f"{talk.output[:40]!r} is no format"
        raise InputError(Problem("--output", what, f"write one of {', '.join(kinds)}"))
    return open_writers(output or kinds[talk.output], [(kinds[name], path) for name, path in reports])
