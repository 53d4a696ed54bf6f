"""`bulkrm login --check`: which credentials would be used for a registry or a repository, and whether they work."""

import anyio

from bulkrm.cli.options.declared import Pace, SignIn
from bulkrm.cli.origins import certificates, described
from bulkrm.cli.setup import login_of, settings_of
from bulkrm.cli.terminal.console import say, show
from bulkrm.cli.terminal.streams import Streams
from bulkrm.model.errors import InputError, Problem, RequestFailed
from bulkrm.model.reference import Repository, parse_host, parse_repository
from bulkrm.model.settings import Settings
from bulkrm.protocol.message import PING, list_tags
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.registries import Listening, open_registries
from bulkrm.remote.request_events import public

_NOT_FOUND = 404


def check_login(target: str, sign_in: SignIn, pace: Pace, streams: Streams, *, verbose: bool) -> int:
    """Show the credentials for HOST or HOST/REPOSITORY, and try them. Returns the exit code; raises InputError."""
    host, repository = _read(target, sign_in.connection.default_port)
    settings = settings_of(sign_in, pace, (host,))
    credentials = login_of(sign_in, (host,), streams, list_from_stdin=False)
    for word, text in described(credentials.find(host, repository.path if repository else "")):
        show(f"{word + ':':<9}{text}")
    for line in certificates(host, settings):
        show(line)
    for warning in credentials.warnings:
        say(f"warning: {warning}")
    listening = Listening(trace=_trace) if verbose else Listening()
    works, why = anyio.run(_try, host, repository, settings, credentials, listening)
    show(f"{'works:':<9}{why}")
    return 0 if works else 1


def _trace(method: str, url: str, result: str) -> None:
    say(f"{method} {public(url)}: {result}")


async def _try(
    host: str, repository: Repository | None, settings: Settings, credentials: Credentials, listening: Listening
) -> tuple[bool, str]:
    """Ask the registry for something that needs the credentials; return whether it was given, and what to say."""
    async with open_registries(settings, credentials, SystemClock(), listening) as registries:
        request = PING if repository is None else list_tags(repository)
        try:
            answer = await registries[host].host.exchange(request)
        except RequestFailed as error:
            failure = error.failure
            return False, f"no: {failure.message}" + (f"; {failure.hint}" if failure.hint else "")
        authorizer = registries[host].host.authorizer
        asks, given = authorizer.asks_for_credentials, not authorizer.is_anonymous(repository)
    if answer.status == _NOT_FOUND and repository is not None:
        return True, "yes, but the registry does not know the repository, or has no tag in it"
    if answer.status >= 300:  # noqa: PLR2004
        return False, f"no: HTTP {answer.status}"
    if not asks:
        return True, "yes; the registry asks for no credentials"
    return True, "yes" if given else "yes, as far as anonymous requests go"


def _read(target: str, default_port: int) -> tuple[str, Repository | None]:
    if "/" in target:
        repository = parse_repository(target, None, default_port)
        return repository.host, repository
    if not target:
        raise InputError(Problem("HOST", "it is empty", "perhaps a variable is not set"))
    return parse_host(target, default_port), None
