"""`bulkrm login --check`: which credentials would be used for a registry or a repository, and whether they work."""

import anyio

from bulkrm.api.client import Client
from bulkrm.api.login_check import LoginCheck
from bulkrm.cli.options.declared import PaceOptions, SignInOptions
from bulkrm.cli.origins import certificates, described
from bulkrm.cli.process import ProcessContext
from bulkrm.cli.setup import credentials_of, settings_of
from bulkrm.cli.terminal.console import say, show
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.events import Event, RequestAnswered, ignore
from bulkrm.model.reference import Repository, parse_host, parse_repository


def check_login(
    target: str, sign_in: SignInOptions, pace: PaceOptions, process: ProcessContext, *, verbose: bool
) -> int:
    """Show the credentials for HOST or HOST/REPOSITORY, without the secret, and try them.

    Returns the exit code: 0 where the registry accepts them. Raises InputError.
    """
    host, repository = _read(target, sign_in.connection.default_port)
    settings = settings_of(sign_in, pace, (host,))
    credentials = credentials_of(sign_in, (host,), process.streams, list_from_stdin=False)
    tell = _show_requests if verbose else ignore
    client = Client(credentials=credentials, settings=settings, on_event=tell, clock=process.clock)
    # Before the credentials are shown: some sources are read only when a request needs them.
    check = anyio.run(client.check_login, host, repository)
    for word, text in described(credentials.find(host, repository.path if repository else "")):
        show(f"{word + ':':<9}{text}")
    for line in certificates(host, settings):
        show(line)
    for warning in credentials.warnings:
        say(f"warning: {warning}")
    show(f"{'works:':<9}{_words(check)}")
    return 0 if check.works else 1


def _show_requests(event: Event) -> None:
    if isinstance(event, RequestAnswered):
        say(f"{event.method} {event.url}: {event.result}")


def _words(check: LoginCheck) -> str:
    if check.failure is not None:
        hint = f"; {check.failure.hint}" if check.failure.hint else ""
        return f"no: {check.failure.message}{hint}"
    if not check.knows_repository:
        return "yes, but the registry does not know the repository, or has no tag in it"
    if not check.works:
        return f"no: HTTP {check.status}"
    if not check.asks_for_credentials:
        return "yes; the registry asks for no credentials"
    return "yes, as far as anonymous requests go" if check.is_anonymous else "yes"


def _read(target: str, default_port: int) -> tuple[str, Repository | None]:
    if "/" in target:
        repository = parse_repository(target, None, default_port)
        return repository.host, repository
    if not target:
        raise InputError(Problem("HOST", "it is empty", "perhaps a variable is not set"))
    return parse_host(target, default_port), None
